//! Queries of what services remember of programs: receipts, logs, who made which program. Each takes one seek and reads
//! as many rows as it returns.

use super::facts;
use super::receipt::{LogEntry, ProgramOrigin, Receipt};
use super::rows::{self, Moment};
use crate::block::Height;
use crate::layer::HistorySource;
use crate::ledger::{Address, TransactionId};
use crate::program::{self, AccountId, Word};
use crate::state::StateRead;
use crate::store::StoreError;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;

/// Which logs a caller wants.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery {
    /// The program that logged.
    pub account: AccountId,
    /// The first topic; any if it is `None`.
    pub topic: Option<Word>,
    /// Only logs before this moment.
    pub before: Option<Moment>,
    /// Most logs.
    pub limit: usize,
}

/// A log and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLog {
    /// When it was logged.
    pub moment: Moment,
    /// The transaction in which it was logged.
    pub transaction: TransactionId,
    /// What was logged.
    pub log: LogEntry,
}

/// A program and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedProgram {
    /// When it was made.
    pub moment: Moment,
    /// Who made it.
    pub origin: ProgramOrigin,
}

/// The receipt of a transaction of the best chain; `None` if it called no program, or is not in the chain.
///
/// # Errors
/// Only failures of the store, as for everything here.
pub fn receipt(state: &dyn StateRead, id: &TransactionId) -> Result<Option<Receipt>, StoreError> {
    parse(state.get(&rows::receipt_key(id))?.as_deref(), "a receipt")
}

/// Who made a program; `None` if there is no program at this account.
pub fn program_origin(state: &dyn StateRead, account: &AccountId) -> Result<Option<ProgramOrigin>, StoreError> {
    parse(state.get(&rows::maker_key(account))?.as_deref(), "the origin of a program")
}

/// The address of an account: that of its key, if it is known.
pub fn address_of_account(state: &dyn StateRead, account: &AccountId) -> Result<Address, StoreError> {
    facts::address_of(account, state)
}

/// The programs made before `before`, newest first.
pub fn programs(
    state: &dyn HistorySource,
    before: Option<Moment>,
    limit: usize,
) -> Result<Vec<PlacedProgram>, StoreError> {
    let from = rows::program_key(before.map_or(Moment::LAST, Moment::before));
    let found = scan(state, &from, rows::PROGRAMS, limit, rows::parse_account)?;
    let missing = || StoreError::Damaged("the origin of a program is missing".to_owned());
    let place = |(moment, account)| {
        let origin = program_origin(state, &account)?.ok_or_else(missing)?;
        Ok(PlacedProgram { moment, origin })
    };
    found.into_iter().map(place).collect()
}

/// The transactions that deployed or called a program themselves, newest first; calls by other programs are not among
/// them.
pub fn calls(
    state: &dyn HistorySource,
    account: &AccountId,
    before: Option<Moment>,
    limit: usize,
) -> Result<Vec<(Moment, TransactionId)>, StoreError> {
    let from = rows::call_key(account, before.map_or(Moment::LAST, Moment::before));
    scan(state, &from, &rows::calls_prefix(account), limit, rows::parse_id)
}

/// Logs of a program, newest first.
pub fn logs(state: &dyn HistorySource, query: &LogQuery) -> Result<Vec<PlacedLog>, StoreError> {
    let LogQuery { account, topic, before, limit } = query;
    let from = rows::log_key(account, topic.as_ref(), before.map_or(Moment::LAST, Moment::before));
    let found = scan(state, &from, &rows::logs_prefix(account, topic.as_ref()), *limit, rows::parse_id)?;
    let missing = || StoreError::Damaged("the receipt of a log is missing".to_owned());
    let mut logs = Vec::with_capacity(found.len());
    // The logs of a transaction are consecutive, so its receipt is read once.
    let mut last: Option<Receipt> = None;
    for (moment, transaction) in found {
        let of_last = last.take().filter(|receipt| receipt.id == transaction);
        let current = match of_last {
            Some(receipt) => receipt,
            None => receipt(state, &transaction)?.ok_or_else(missing)?,
        };
        let log = current.logs.get(moment.number as usize).cloned().ok_or_else(missing)?;
        logs.push(PlacedLog { moment, transaction, log });
        last = Some(current);
    }
    Ok(logs)
}

/// The slots of an account that are not 0, from `from` on, at most `limit`.
pub fn slots(
    state: &dyn HistorySource,
    account: &AccountId,
    from: &Word,
    limit: usize,
) -> Result<Vec<(Word, Word)>, StoreError> {
    let prefix = program::slot_prefix(account);
    let (mut found, mut result) = (Vec::new(), Ok(()));
    if limit == 0 {
        return Ok(found);
    }
    state.scan(&program::slot_key(account, from), &mut |key, row| {
        let Some(slot) = key.strip_prefix(&prefix[..]) else { return ControlFlow::Break(()) };
        match (slot.try_into(), Word::from_significant_bytes(row)) {
            (Ok(slot), Some(value)) => found.push((Word(slot), value)),
            _ => result = Err(rows::damaged("a slot of a program's storage")),
        }
        if result.is_err() || found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    result.map(|()| found)
}

/// The addresses whose balance programs changed in the block at `index`: those of keys that are known, and programs'.
pub fn moved_accounts(state: &dyn HistorySource, index: Height) -> Result<Vec<Address>, StoreError> {
    let prefix = rows::moved_prefix(index);
    let (mut accounts, mut result) = (Vec::new(), Ok(()));
    state.scan(&prefix, &mut |key, _| {
        let Some(account) = key.strip_prefix(&prefix[..]) else { return ControlFlow::Break(()) };
        match rows::parse_account(account) {
            Ok(account) => accounts.push(account),
            Err(error) => result = Err(error),
        }
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    result?;
    accounts.iter().map(|account| facts::address_of(account, state)).collect()
}

/// The rows from `from` on whose keys begin with `prefix` and end with a moment, at most `limit`.
fn scan<T>(
    state: &dyn HistorySource,
    from: &[u8],
    prefix: &[u8],
    limit: usize,
    parse: impl Fn(&[u8]) -> Result<T, StoreError>,
) -> Result<Vec<(Moment, T)>, StoreError> {
    let (mut found, mut result) = (Vec::new(), Ok(()));
    if limit == 0 {
        return Ok(found);
    }
    state.scan(from, &mut |key, row| {
        if !key.starts_with(prefix) {
            return ControlFlow::Break(());
        }
        match rows::parse_moment(key).and_then(|moment| Ok((moment, parse(row)?))) {
            Ok(one) => found.push(one),
            Err(error) => result = Err(error),
        }
        if result.is_err() || found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    result.map(|()| found)
}

fn parse<T: DeserializeOwned>(row: Option<&[u8]>, what: &str) -> Result<Option<T>, StoreError> {
    row.map(|row| serde_json::from_slice(row).map_err(|_| rows::damaged(what))).transpose()
}
