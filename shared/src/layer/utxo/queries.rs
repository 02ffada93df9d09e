//! Queries of coins, for rules and for people.

use super::{Coin, rows};
use crate::layer::HistorySource;
use crate::ledger::{Address, CoinName, TransactionId};
use crate::state::StateRead;
use crate::store::StoreError;
use std::ops::ControlFlow;

/// A coin that is unspent.
///
/// # Errors
/// Only failures of the store, as for everything here.
pub fn unspent(state: &dyn StateRead, name: &CoinName) -> Result<Option<Coin>, StoreError> {
    state.get(&rows::unspent_key(name))?.map(|row| rows::parse_coin(&row)).transpose()
}

/// A coin that is spent, and the transaction that spent it. Needs the history.
pub fn spent(state: &dyn StateRead, name: &CoinName) -> Result<Option<(Coin, TransactionId)>, StoreError> {
    state.get(&rows::spent_key(name))?.map(|row| rows::parse_spent(&row)).transpose()
}

/// The unspent coins from `from` on, by name.
pub fn unspent_coins(
    state: &dyn HistorySource,
    from: Option<&CoinName>,
    limit: usize,
) -> Result<Vec<(CoinName, Coin)>, StoreError> {
    let begin = from.map_or_else(|| rows::ALL_UNSPENT.to_vec(), |from| rows::unspent_key(from).to_vec());
    scan(state, &begin, rows::ALL_UNSPENT, limit, |key, row| Ok((rows::parse_name(key)?, rows::parse_coin(row)?)))
}

/// The unspent coins of an address, the largest first, from `from` on: an amount and a name. Needs the history.
pub fn coins_of(
    state: &dyn HistorySource,
    address: &Address,
    from: Option<(crate::ledger::Amount, CoinName)>,
    limit: usize,
) -> Result<Vec<(CoinName, Coin)>, StoreError> {
    let prefix = rows::address_prefix(address);
    let begin = match from {
        Some((amount, name)) => rows::address_key(address, amount, &name).to_vec(),
        None => prefix.to_vec(),
    };
    scan(state, &begin, &prefix, limit, |key, row| rows::parse_address_row(address, key, row))
}

/// The rows from `begin` on whose keys begin with `prefix`, at most `limit`.
fn scan<T>(
    state: &dyn HistorySource,
    begin: &[u8],
    prefix: &[u8],
    limit: usize,
    parse: impl Fn(&[u8], &[u8]) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let (mut found, mut result) = (Vec::new(), Ok(()));
    if limit == 0 {
        return Ok(found);
    }
    state.scan(begin, &mut |key, row| {
        if !key.starts_with(prefix) {
            return ControlFlow::Break(());
        }
        match parse(key, row) {
            Ok(one) => found.push(one),
            Err(error) => result = Err(error),
        }
        if result.is_err() || found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    result.map(|()| found)
}
