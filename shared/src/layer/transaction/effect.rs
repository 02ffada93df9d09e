//! The effect of a bundle on balances, and the rules that need balances, in the order of checking (docs/protocol.md
//! §7).

use super::{RewardSchedule, at, payment_of, rows};
use crate::block::Height;
use crate::layer::{Effect, EffectError, Position};
use crate::ledger::{Address, Amount, Bundle, Payment, Span, TransactionId};
use crate::state::{StateRead, StateView};
use crate::store::StoreError;
use crate::violation::RuleViolation;
use rows::HistoryRow;

/// Money that blocks and new addresses create.
#[derive(Debug, Clone, Copy)]
pub(super) struct Issuance {
    pub(super) reward: RewardSchedule,
    pub(super) new_address_balance: Amount,
}

/// A bundle that passed the stateless checks.
pub(super) struct Payments {
    pub(super) bundle: Bundle,
    pub(super) spans: Vec<Span>,
    pub(super) issuance: Issuance,
}

impl Effect for Payments {
    fn apply(&self, position: &Position, state: &mut dyn StateView) -> Result<(), EffectError> {
        let index = position.index;
        let Self { bundle, spans, issuance } = self;
        let mut fees = 0;
        for (place, (transaction, span)) in bundle.transactions.iter().zip(spans).enumerate() {
            let payment = payment_of(transaction)?;
            pay(payment, issuance, state).map_err(|error| match error {
                EffectError::Invalid(broken) => EffectError::Invalid(at(place, broken)),
                failed => failed,
            })?;
            take_id(&payment.id, index, *span, state);
            // At most max_transactions, 2^20.
            record_payment_history(payment, index, place as u32, *span, issuance, state)?;
            fees += u128::from(payment.fee.grains());
        }
        let earned = u128::from(issuance.reward.at(index).grains()) + fees;
        let balance = credit(&bundle.miner_address, earned, issuance, state)?;
        if state.keeps_history() && earned > 0 {
            let key = rows::history_key(&bundle.miner_address, index, bundle.transactions.len() as u32);
            // It fits: it was added to a balance.
            let amount = u64::try_from(earned).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
            state.put_history(&key, &rows::history_row(HistoryRow::Reward { balance, amount }));
        }
        Ok(())
    }
}

/// The current balance of an address.
pub(super) fn balance(state: &dyn StateRead, address: &Address, issuance: &Issuance) -> Result<Amount, StoreError> {
    match state.get(&rows::balance_key(address))? {
        Some(row) => rows::parse_balance(&row),
        None => Ok(issuance.new_address_balance),
    }
}

/// Applies one transaction, if it is new and its sender's balance covers it.
pub(super) fn pay(payment: &Payment, issuance: &Issuance, state: &mut dyn StateView) -> Result<(), EffectError> {
    let Payment { id, from, to, amount, fee, .. } = payment;
    if let Some(row) = state.get(&rows::transaction_key(id))? {
        let (height, _) = rows::parse_transaction_row(&row)?;
        let detail = format!("transaction {id} is in block {height} of this chain already");
        return Err(RuleViolation { rule: "known-id", detail }.into());
    }
    let has = balance(state, from, issuance)?;
    let Some(left) = has.checked_sub(payment.cost()) else {
        let detail = format!("{from} has {has} LAB at this point and cannot pay {amount} LAB and a fee of {fee} LAB");
        return Err(RuleViolation { rule: "balance", detail }.into());
    };
    state.put(&rows::balance_key(from), &rows::balance_row(left));
    credit(to, u128::from(amount.grains()), issuance, state)?;
    Ok(())
}

/// Records the position of a transaction, so that its id cannot be used again.
pub(super) fn take_id(id: &TransactionId, index: Height, span: Span, state: &mut dyn StateView) {
    state.put(&rows::transaction_key(id), &rows::transaction_row(index, span));
}

/// The balance plus `amount`, which must not exceed [`Amount::MAX`].
pub(super) fn sum(
    address: &Address,
    grains: u128,
    issuance: &Issuance,
    state: &dyn StateRead,
) -> Result<Amount, EffectError> {
    let has = balance(state, address, issuance)?;
    let sum = u64::try_from(u128::from(has.grains()) + grains).ok().and_then(Amount::new);
    sum.ok_or_else(|| {
        let detail = format!("{address} has {has} LAB and would get {grains} grains: more than there can be");
        RuleViolation { rule: "max-balance", detail }.into()
    })
}

/// Adds to a balance; returns the new balance.
fn credit(
    address: &Address,
    grains: u128,
    issuance: &Issuance,
    state: &mut dyn StateView,
) -> Result<Amount, EffectError> {
    let sum = sum(address, grains, issuance, state)?;
    if grains > 0 {
        state.put(&rows::balance_key(address), &rows::balance_row(sum));
    }
    Ok(sum)
}

fn record_payment_history(
    payment: &Payment,
    index: Height,
    place: u32,
    span: Span,
    issuance: &Issuance,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    if !state.keeps_history() {
        return Ok(());
    }
    for address in [&payment.from, &payment.to] {
        let balance = balance(state, address, issuance)?;
        let row = rows::history_row(HistoryRow::Payment { balance, span });
        state.put_history(&rows::history_key(address, index, place), &row);
    }
    Ok(())
}
