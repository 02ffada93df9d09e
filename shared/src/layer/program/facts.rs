//! What services remember of calls for people: histories, receipts, logs, who made which program. No rule reads it.

use super::receipt::{LogEntry, MAX_OUTPUT, Move, ProgramOrigin, Receipt};
use super::rows::{self, Moment};
use super::run::Ended;
use crate::block::Height;
use crate::layer::account_balance::read_balance;
use crate::layer::transaction::rows as money;
use crate::ledger::{Address, Amount, Payment, Span};
use crate::program::{AccountId, HexBytes};
use crate::state::{StateRead, StateView};
use crate::store::StoreError;
use money::HistoryRow;
use std::collections::BTreeMap;

/// A transaction and its place in the chain.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) transaction: &'a Payment,
    pub(super) index: Height,
    pub(super) place: u32,
    pub(super) span: Span,
}

/// Remembers which key an account belongs to, once the key is seen.
fn learn(address: &Address, state: &mut dyn StateView) -> Result<AccountId, StoreError> {
    let account = address.account();
    let key = rows::key_key(&account);
    if address.is_key() && state.get(&key)?.is_none() {
        state.put_history(&key, address.as_str().as_bytes());
        // Until now its balance was listed under the only name that was known.
        state.delete(&money::balance_key(&Address::of_program(account)));
    }
    Ok(account)
}

/// The address of an account: that of its key, if it is known.
pub(super) fn address_of(account: &AccountId, state: &dyn StateRead) -> Result<Address, StoreError> {
    match state.get(&rows::key_key(account))? {
        Some(row) => rows::parse_key(&row),
        None => Ok(Address::of_program(*account)),
    }
}

fn note_balance(
    account: &AccountId,
    index: Height,
    place: u32,
    row: impl Fn(Amount) -> HistoryRow,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    let balance = read_balance(state, account)?;
    let address = address_of(account, state)?;
    state.put_history(&money::balance_key(&address), &money::balance_row(balance));
    let key = money::history_key(&Address::of_program(*account), index, place);
    state.put_history(&key, &money::history_row(row(balance)));
    Ok(())
}

/// After a transaction: the balances of all whom it concerns. `moved` are the balances before, of accounts whose
/// balance programs changed.
pub(super) fn note_transaction(
    placed: Placed<'_>,
    moved: &BTreeMap<AccountId, Amount>,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    let Placed { transaction, index, place, span } = placed;
    let mut concerned: Vec<AccountId> = moved.keys().copied().collect();
    concerned.push(learn(&transaction.from, state)?);
    if transaction.to.is_key() {
        concerned.push(learn(&transaction.to, state)?);
    }
    concerned.sort_unstable();
    concerned.dedup();
    for account in &concerned {
        note_balance(account, index, place, |balance| HistoryRow::Payment { balance, span }, state)?;
    }
    for account in moved.keys() {
        state.put_history(&rows::moved_key(index, account), &[]);
    }
    Ok(())
}

/// At the end of a block: what its miner earned.
pub(super) fn note_reward(
    miner: &Address,
    index: Height,
    place: u32,
    amount: Amount,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    let account = learn(miner, state)?;
    note_balance(&account, index, place, |balance| HistoryRow::Reward { balance, amount }, state)
}

/// After a call or deployment: its receipt, its logs, and the programs that it made.
pub(super) fn note_call(
    placed: Placed<'_>,
    gas: u64,
    target: AccountId,
    ended: &Ended,
    moved: &BTreeMap<AccountId, Amount>,
    state: &mut dyn StateView,
) -> Result<(), StoreError> {
    let Placed { transaction, index, place, .. } = placed;
    let id = transaction.id;
    let mut moves = Vec::with_capacity(moved.len());
    for (account, before) in moved {
        let after = read_balance(state, account)?;
        moves.push(Move { address: address_of(account, state)?, before: *before, after });
    }
    // The output of a deployment is the code, which the state has.
    let is_new = !transaction.to.is_key() && ended.made.contains(&target);
    let output = if is_new { &[][..] } else { &ended.output[..ended.output.len().min(MAX_OUTPUT)] };
    let receipt = Receipt {
        id,
        status: ended.status.to_owned(),
        gas,
        gas_used: ended.gas_used,
        program: Address::of_program(target),
        output: HexBytes(output.to_vec()),
        output_bytes: ended.output.len() as u64,
        logs: ended.logs.iter().map(LogEntry::from).collect(),
        moved: moves,
    };
    state.put_history(&rows::receipt_key(&id), &json(&receipt));
    state.put_history(&rows::call_key(&target, Moment { index, place, number: 0 }), id.as_bytes());
    for (number, log) in (0..).zip(&ended.logs) {
        let moment = Moment { index, place, number };
        state.put_history(&rows::log_key(&log.address, None, moment), id.as_bytes());
        if let Some(topic) = log.topics.first() {
            state.put_history(&rows::log_key(&log.address, Some(topic), moment), id.as_bytes());
        }
    }
    for (number, account) in (0..).zip(&ended.made) {
        let address = Address::of_program(*account);
        let origin = ProgramOrigin { address, maker: transaction.from, transaction: id, index };
        state.put_history(&rows::program_key(Moment { index, place, number }), &account.0);
        state.put_history(&rows::maker_key(account), &json(&origin));
        let balance = read_balance(state, account)?;
        state.put_history(&money::balance_key(&address), &money::balance_row(balance));
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    // Texts and integers always serialize.
    serde_json::to_vec(value).unwrap_or_default()
}
