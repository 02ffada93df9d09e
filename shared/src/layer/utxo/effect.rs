//! The effect of a bundle on coins, and the rules that need the unspent coins (docs/protocol.md §16).

use super::{Coin, CoinRules, rows};
use crate::block::Height;
use crate::layer::transaction::{at, rows as history};
use crate::layer::{Effect, EffectError, Position};
use crate::ledger::{
    Address, Amount, Bundle, CoinName, Holding, Input, Span, Spend, Transaction, TransactionViolation,
};
use crate::state::{StateRead, StateView};
use crate::store::StoreError;
use crate::violation::RuleViolation;
use history::HistoryRow;

/// A bundle that passed the stateless checks.
pub(super) struct Spends {
    pub(super) bundle: Bundle,
    pub(super) spans: Vec<Span>,
    pub(super) rules: CoinRules,
}

impl Effect for Spends {
    fn apply(&self, position: &Position, state: &mut dyn StateView) -> Result<(), EffectError> {
        let (Self { bundle, spans, rules }, index) = (self, position.index);
        let mut fees = 0;
        for (place, (transaction, span)) in bundle.transactions.iter().zip(spans).enumerate() {
            spend(transaction, index, rules, state).map_err(|error| match error {
                EffectError::Invalid(broken) => EffectError::Invalid(at(place, broken)),
                failed => failed,
            })?;
            // At most max_transactions, 2^20.
            record_spend(transaction, index, place as u32, *span, state)?;
            fees += u128::from(transaction.fee().grains());
        }
        let miner = &bundle.miner_address;
        let Some((name, amount)) = rules.miners_coin(index, miner, fees) else { return Ok(()) };
        make(&name, &Coin { address: *miner, amount, made_in: index, is_miners: true }, state);
        record_reward(miner, amount, index, bundle.transactions.len() as u32, state)
    }
}

/// Destroys the coins of a transaction's inputs and makes those of its outputs.
pub(super) fn spend(
    transaction: &Transaction,
    index: Height,
    rules: &CoinRules,
    state: &mut dyn StateView,
) -> Result<(), EffectError> {
    let Spend { id, inputs, .. } = spend_of(transaction)?;
    for input in inputs {
        let coin = spendable(input, index, rules, state)?;
        state.delete(&rows::unspent_key(&input.coin));
        if state.keeps_history() {
            state.delete(&rows::address_key(&coin.address, coin.amount, &input.coin));
            state.put_history(&rows::spent_key(&input.coin), &rows::spent_row(&coin, id));
        }
    }
    for part in transaction.gives() {
        if let Holding::Coin(name) = part.holding {
            let coin = Coin { address: part.address, amount: part.amount, made_in: index, is_miners: false };
            make(&name, &coin, state);
        }
    }
    Ok(())
}

/// The coin of an input, if a block at `index` may spend it.
pub(super) fn spendable(
    input: &Input,
    index: Height,
    rules: &CoinRules,
    state: &dyn StateRead,
) -> Result<Coin, EffectError> {
    let Input { coin: name, address, amount } = input;
    let broken = |rule, detail| EffectError::from(RuleViolation { rule, detail });
    let Some(coin) = super::unspent(state, name)? else {
        let detail = match super::spent(state, name)? {
            Some((_, by)) => format!("coin {name} is spent already on this chain, by transaction {by}"),
            None => format!("coin {name} is not unspent on this chain at this point"),
        };
        return Err(broken("coin", detail));
    };
    if (coin.address, coin.amount) != (*address, *amount) {
        let (owner, worth) = (coin.address, coin.amount);
        let detail =
            format!("coin {name} is {worth} LAB of {owner}, and the input says that it is {amount} LAB of {address}");
        return Err(broken("coin", detail));
    }
    let from = rules.spendable_from(&coin);
    if index < from {
        let detail = format!("coin {name} was mined in block {} and may be spent from block {from} on", coin.made_in);
        return Err(broken("maturity", detail));
    }
    Ok(coin)
}

/// The spend; layers with coins have no other transactions.
pub(super) fn spend_of(transaction: &Transaction) -> Result<&Spend, RuleViolation> {
    transaction.as_spend().ok_or_else(|| TransactionViolation::OtherForm { has_coins: true }.into())
}

fn make(name: &CoinName, coin: &Coin, state: &mut dyn StateView) {
    state.put(&rows::unspent_key(name), &rows::coin_row(coin));
    state.put_history(&rows::address_key(&coin.address, coin.amount, name), &rows::age_row(coin));
}

/// Records where a transaction is, and the balances after it.
fn record_spend(
    transaction: &Transaction,
    index: Height,
    place: u32,
    span: Span,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    if !state.keeps_history() {
        return Ok(());
    }
    state.put_history(&history::transaction_key(&transaction.id()), &history::transaction_row(index, span));
    for address in transaction.addresses() {
        let balance = add_to_balance(&address, transaction.net(&address), state)?;
        let row = history::history_row(HistoryRow::Payment { balance, span });
        state.put_history(&history::history_key(&address, index, place), &row);
    }
    Ok(())
}

fn record_reward(
    miner: &Address,
    amount: Amount,
    index: Height,
    place: u32,
    state: &mut dyn StateView,
) -> Result<(), EffectError> {
    if state.keeps_history() {
        let balance = add_to_balance(miner, i128::from(amount.grains()), state)?;
        let row = history::history_row(HistoryRow::Reward { balance, amount });
        state.put_history(&history::history_key(miner, index, place), &row);
    }
    Ok(())
}

/// Changes the sum of an address's coins; returns the new one.
fn add_to_balance(address: &Address, grains: i128, state: &mut dyn StateView) -> Result<Amount, StoreError> {
    let key = history::balance_key(address);
    let has = state.get(&key)?.map(|row| history::parse_balance(&row)).transpose()?.unwrap_or_default();
    // It is the sum of coins that are in the state, and all coins together are at most the largest amount.
    let sum = u64::try_from(i128::from(has.grains()) + grains).ok().and_then(Amount::new);
    let sum =
        sum.ok_or_else(|| StoreError::Damaged(format!("the balance of {address} is not the sum of its coins")))?;
    state.put_history(&key, &history::balance_row(sum));
    Ok(sum)
}
