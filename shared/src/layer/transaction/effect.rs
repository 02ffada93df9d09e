//! What a bundle does to balances: the rules that need them, in the order in which they take effect (docs/protocol.md §7).

use super::{Reward, at, rows};
use crate::block::Height;
use crate::layer::{BrokenLayerRule, Effect, EffectError};
use crate::ledger::{Address, Amount, Bundle, Span, Transaction, TransactionId};
use crate::state::{StateRead, StateView};
use crate::store::StoreError;
use rows::HistoryRow;

/// Money that comes from nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) reward: Reward,
    pub(super) new_address_balance: Amount,
}

/// A bundle that passed the stateless checks.
pub(super) struct Payments {
    pub(super) bundle: Bundle,
    pub(super) spans: Vec<Span>,
    pub(super) rates: Rates,
}

impl Effect for Payments {
    fn apply(&self, index: Height, state: &mut dyn StateView) -> Result<(), EffectError> {
        let Self { bundle, spans, rates } = self;
        let mut fees = 0;
        for (place, (transaction, span)) in bundle.transactions.iter().zip(spans).enumerate() {
            pay(transaction, rates, state).map_err(|error| match error {
                EffectError::Broken(broken) => EffectError::Broken(at(place, broken)),
                failed => failed,
            })?;
            take_id(&transaction.id, index, *span, state);
            // At most max_transactions, 2^20.
            note_payment(transaction, index, place as u32, *span, rates, state)?;
            fees += u128::from(transaction.fee.grains());
        }
        let earned = u128::from(rates.reward.at(index).grains()) + fees;
        let balance = credit(&bundle.miner_address, earned, rates, state)?;
        if state.keeps_facts() && earned > 0 {
            let key = rows::history_key(&bundle.miner_address, index, bundle.transactions.len() as u32);
            // It fits: it was added to a balance.
            let amount = u64::try_from(earned).ok().and_then(Amount::new).unwrap_or(Amount::MAX);
            state.note(&key, &rows::history_row(HistoryRow::Reward { balance, amount }));
        }
        Ok(())
    }
}

/// The balance of an address at this moment.
pub(super) fn balance(state: &dyn StateRead, address: &Address, rates: &Rates) -> Result<Amount, StoreError> {
    match state.get(&rows::balance_key(address))? {
        Some(row) => rows::parse_balance(&row),
        None => Ok(rates.new_address_balance),
    }
}

/// Moves the money of one transaction, if it is new and its sender has it.
pub(super) fn pay(transaction: &Transaction, rates: &Rates, state: &mut dyn StateView) -> Result<(), EffectError> {
    let Transaction { id, from, to, amount, fee, .. } = transaction;
    if let Some(row) = state.get(&rows::transaction_key(id))? {
        let (height, _) = rows::parse_transaction_row(&row)?;
        let detail = format!("transaction {id} is in block {height} of this chain already");
        return Err(BrokenLayerRule { rule: "known-id", detail }.into());
    }
    let has = balance(state, from, rates)?;
    let Some(left) = has.checked_sub(transaction.cost()) else {
        let detail = format!("{from} has {has} LAB at this point and cannot pay {amount} LAB and a fee of {fee} LAB");
        return Err(BrokenLayerRule { rule: "balance", detail }.into());
    };
    state.put(&rows::balance_key(from), &rows::balance_row(left));
    credit(to, u128::from(amount.grains()), rates, state)?;
    Ok(())
}

/// Remembers that an id is taken, and where its transaction stands.
pub(super) fn take_id(id: &TransactionId, index: Height, span: Span, state: &mut dyn StateView) {
    state.put(&rows::transaction_key(id), &rows::transaction_row(index, span));
}

/// What a balance would be with so much more, which may not be more than there can be.
pub(super) fn sum(
    address: &Address,
    grains: u128,
    rates: &Rates,
    state: &dyn StateRead,
) -> Result<Amount, EffectError> {
    let has = balance(state, address, rates)?;
    let sum = u64::try_from(u128::from(has.grains()) + grains).ok().and_then(Amount::new);
    sum.ok_or_else(|| {
        let detail = format!("{address} has {has} LAB and would get {grains} grains: more than there can be");
        BrokenLayerRule { rule: "max-balance", detail }.into()
    })
}

/// Adds to a balance; answers the balance after.
fn credit(address: &Address, grains: u128, rates: &Rates, state: &mut dyn StateView) -> Result<Amount, EffectError> {
    let sum = sum(address, grains, rates, state)?;
    if grains > 0 {
        state.put(&rows::balance_key(address), &rows::balance_row(sum));
    }
    Ok(sum)
}

fn note_payment(
    transaction: &Transaction,
    index: Height,
    place: u32,
    span: Span,
    rates: &Rates,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    if !state.keeps_facts() {
        return Ok(());
    }
    for address in [&transaction.from, &transaction.to] {
        let balance = balance(state, address, rates)?;
        let row = rows::history_row(HistoryRow::Payment { balance, span });
        state.note(&rows::history_key(address, index, place), &row);
    }
    Ok(())
}
