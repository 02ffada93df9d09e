//! Queries of the state for people: current and past balances, histories, and the position of a transaction.
//!
//! Each query takes one seek and reads as many rows as it returns; nothing grows with the length of the chain. Rules
//! use none of these rows except the current balances.

use super::{new_address_balance, rows};
use crate::block::{BlockId, Height};
use crate::layer::account_balance::read_balance;
use crate::layer::{EffectError, HistorySource};
use crate::ledger::{Address, Amount, Payment, Span, Transaction, TransactionId};
use crate::params::Params;
use crate::state::StateRead;
use crate::store::StoreError;
use crate::violation::RuleViolation;
use rows::HistoryRow;
use std::ops::ControlFlow;

/// An address and its balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountBalance {
    /// The address.
    pub address: Address,
    /// Its balance.
    pub balance: Amount,
}

/// The position of a transaction in the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLocation {
    /// The block's height.
    pub index: Height,
    /// Its bytes in the block's data.
    pub span: Span,
}

/// A point in the history of balances: a block, and a place in it. The miner's reward comes after the last transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryPosition {
    /// The block's height.
    pub index: Height,
    /// The place in the block's bundle.
    pub place: u32,
}

/// A change of an address's balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceChange {
    /// When it happened.
    pub position: HistoryPosition,
    /// The balance after it.
    pub balance: Amount,
    /// What it was.
    pub cause: ChangeCause,
}

/// Why a balance changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of a history are payments")]
pub enum ChangeCause {
    /// A payment in either direction.
    Payment(Transaction),
    /// Reward and fees for mining the block.
    Reward(Amount),
}

/// The address under which the history of `address` is kept: on layer `program`, the address of a program with its
/// account, since programs pay accounts whose keys may not be known yet.
pub fn history_owner(params: &Params, address: &Address) -> Address {
    if params.layer.has_programs() { Address::of_program(address.account()) } else { *address }
}

/// The balance of an address after the last block.
///
/// # Errors
/// Only failures of the store, as for everything here.
pub fn account_balance(state: &dyn StateRead, params: &Params, address: &Address) -> Result<Amount, StoreError> {
    if params.layer.has_programs() {
        return read_balance(state, &address.account());
    }
    match state.get(&rows::balance_key(address))? {
        Some(row) => rows::parse_balance(&row),
        None => Ok(new_address_balance(params)),
    }
}

/// Checks that the receiver's balance can take the amount: no block could ever take the payment otherwise, and it would
/// become one of the oldest of a pool, which have a share of each block.
///
/// # Errors
/// Rule `max-balance`, or our own failure.
pub(in crate::layer) fn has_room_for(
    state: &dyn StateRead,
    params: &Params,
    payment: &Payment,
) -> Result<(), EffectError> {
    let Payment { from, to, amount, .. } = payment;
    if from == to {
        return Ok(());
    }
    let balance = account_balance(state, params, to)?;
    if balance.checked_add(*amount).is_some() {
        return Ok(());
    }
    let detail = format!("{to} has {balance} LAB confirmed, and {amount} LAB more is more than there can be");
    Err(RuleViolation { rule: "max-balance", detail }.into())
}

/// The balance of an address after the block at `index`. Needs the history.
pub fn balance_at(
    state: &dyn HistorySource,
    params: &Params,
    address: &Address,
    index: Height,
) -> Result<Amount, StoreError> {
    // The newest change that is not later: within a block the last place comes first.
    let address = &history_owner(params, address);
    let from = rows::history_key(address, index, u32::MAX);
    let mut found = Ok(new_address_balance(params));
    state.scan(&from, &mut |key, row| {
        if key.starts_with(&rows::history_prefix(address)) {
            found = rows::parse_history_row(row).map(|row| balance_of(&row));
        }
        ControlFlow::Break(())
    })?;
    found
}

/// Addresses with a stored balance whose text begins with `prefix`, ordered by their text, starting with `from`.
pub fn accounts(
    state: &dyn HistorySource,
    prefix: &str,
    from: &str,
    limit: usize,
) -> Result<Vec<AccountBalance>, StoreError> {
    let (begin, prefix) = (rows::balances_from(prefix.max(from)), rows::balances_from(prefix));
    let mut accounts = Vec::new();
    let mut result = Ok(());
    if limit == 0 {
        return Ok(accounts);
    }
    state.scan(&begin, &mut |key, row| {
        let Some(address) = rows::address_of_balance_key(key).filter(|_| key.starts_with(&prefix)) else {
            return ControlFlow::Break(());
        };
        match rows::parse_balance(row) {
            Ok(balance) => accounts.push(AccountBalance { address, balance }),
            Err(error) => result = Err(error),
        }
        if result.is_err() || accounts.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    result.map(|()| accounts)
}

/// The position of a transaction in the best chain; `None` if it is not there.
pub fn locate_transaction(
    state: &dyn StateRead,
    id: &TransactionId,
) -> Result<Option<TransactionLocation>, StoreError> {
    let row = state.get(&rows::transaction_key(id))?;
    let place =
        row.map(|row| rows::parse_transaction_row(&row).map(|(index, span)| TransactionLocation { index, span }));
    place.transpose()
}

/// The transaction at a position of the best chain, and its block.
pub fn transaction_at(
    state: &dyn HistorySource,
    place: TransactionLocation,
) -> Result<(Transaction, BlockId), StoreError> {
    let (id, data) = state.data_at(place.index)?;
    Ok((parse(&data, place.span, id)?, id))
}

/// The changes of an address's balance before `before`, newest first. Needs the history; `address` must be its
/// [`history_owner`].
pub fn balance_history(
    state: &dyn HistorySource,
    address: &Address,
    before: Option<HistoryPosition>,
    limit: usize,
) -> Result<Vec<BalanceChange>, StoreError> {
    let rows = history_rows(state, address, before, limit)?;
    let mut balance_history = Vec::with_capacity(rows.len());
    // The rows of a block are consecutive, so its data is read once.
    let mut block: Option<(BlockId, String)> = None;
    for (position, row) in rows {
        let cause = match row {
            HistoryRow::Reward { amount, .. } => ChangeCause::Reward(amount),
            HistoryRow::Payment { span, .. } => {
                let (id, data) = match block.take().filter(|(id, _)| id.index == position.index) {
                    Some(block) => block,
                    None => state.data_at(position.index)?,
                };
                let transaction = parse(&data, span, id)?;
                block = Some((id, data));
                ChangeCause::Payment(transaction)
            }
        };
        balance_history.push(BalanceChange { position, balance: balance_of(&row), cause });
    }
    Ok(balance_history)
}

fn history_rows(
    state: &dyn HistorySource,
    address: &Address,
    before: Option<HistoryPosition>,
    limit: usize,
) -> Result<Vec<(HistoryPosition, HistoryRow)>, StoreError> {
    let mut rows = Vec::new();
    let from = match before {
        None => rows::history_prefix(address).to_vec(),
        Some(HistoryPosition { index, place: 0 }) if index == Height::GENESIS => return Ok(rows),
        Some(HistoryPosition { index, place: 0 }) => rows::history_key(address, index.minus(1), u32::MAX).to_vec(),
        Some(HistoryPosition { index, place }) => rows::history_key(address, index, place - 1).to_vec(),
    };
    if limit == 0 {
        return Ok(rows);
    }
    let mut result = Ok(());
    state.scan(&from, &mut |key, row| {
        if !key.starts_with(&rows::history_prefix(address)) {
            return ControlFlow::Break(());
        }
        match rows::parse_history_key(key).and_then(|key| Ok((key, rows::parse_history_row(row)?))) {
            Ok(((index, place), row)) => rows.push((HistoryPosition { index, place }, row)),
            Err(error) => result = Err(error),
        }
        if result.is_err() || rows.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    result.map(|()| rows)
}

fn balance_of(row: &HistoryRow) -> Amount {
    match row {
        HistoryRow::Payment { balance, .. } | HistoryRow::Reward { balance, .. } => *balance,
    }
}

fn parse(data: &str, Span { offset, length }: Span, id: BlockId) -> Result<Transaction, StoreError> {
    let part = data.get(offset as usize..offset as usize + length as usize);
    let transaction = part.and_then(|json| serde_json::from_str(json).ok());
    transaction.ok_or_else(|| StoreError::Damaged(format!("block {} has no transaction at byte {offset}", id.index)))
}
