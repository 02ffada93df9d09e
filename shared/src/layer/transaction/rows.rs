//! The bytes of the state on layer `transaction`; the only file that knows them. All integers are big-endian.
//!
//! ```text
//! 'b' | address (63)                             →  balance (8)
//! 't' | id (32)                                  →  height (8) | offset in the data (4) | length (4)
//!
//! the history, if it is kept; newest first, since heights and places are stored as their complements:
//! 'h' | address (63) | !height (8) | !place (4)  →  balance after (8) | 'p' | offset (4) | length (4)   a payment
//!                                                   balance after (8) | 'r' | amount (8)                a reward
//! ```

use crate::block::Height;
use crate::ledger::{Address, Amount, Span, TransactionId};
use crate::store::StoreError;

const BALANCE: u8 = b'b';
const TRANSACTION: u8 = b't';
const HISTORY: u8 = b'h';

/// The key of an address's balance.
pub(in crate::layer) fn balance_key(address: &Address) -> [u8; 64] {
    let mut key = [BALANCE; 64];
    key[1..].copy_from_slice(address.as_str().as_bytes());
    key
}

/// The key from which the balances of `from` and later addresses follow.
pub(in crate::layer) fn balances_from(from: &str) -> Vec<u8> {
    [&[BALANCE], from.as_bytes()].concat()
}

/// The address of a balance's key; `None` if it is another kind of key.
pub(in crate::layer) fn address_of_balance_key(key: &[u8]) -> Option<Address> {
    let text = key.strip_prefix(&[BALANCE])?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

pub(in crate::layer) fn balance_row(balance: Amount) -> [u8; 8] {
    balance.grains().to_be_bytes()
}

pub(in crate::layer) fn parse_balance(row: &[u8]) -> Result<Amount, StoreError> {
    let (grains, _) = split_u64(row).ok_or_else(|| damaged("a balance"))?;
    Amount::new(grains).ok_or_else(|| damaged("a balance"))
}

pub(in crate::layer) fn transaction_key(id: &TransactionId) -> [u8; 33] {
    let mut key = [TRANSACTION; 33];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

pub(in crate::layer) fn transaction_row(index: Height, span: Span) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&index.0.to_be_bytes());
    row[8..].copy_from_slice(&span_bytes(span));
    row
}

pub(in crate::layer) fn parse_transaction_row(row: &[u8]) -> Result<(Height, Span), StoreError> {
    let parsed = split_u64(row).and_then(|(height, rest)| Some((Height(height), parse_span(rest)?)));
    parsed.ok_or_else(|| damaged("a transaction's place"))
}

/// One row of an address's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::layer) enum HistoryRow {
    Payment { balance: Amount, span: Span },
    Reward { balance: Amount, amount: Amount },
}

pub(in crate::layer) fn history_prefix(address: &Address) -> [u8; 64] {
    let mut key = [HISTORY; 64];
    key[1..].copy_from_slice(address.as_str().as_bytes());
    key
}

pub(in crate::layer) fn history_key(address: &Address, index: Height, place: u32) -> [u8; 76] {
    let mut key = [0; 76];
    key[..64].copy_from_slice(&history_prefix(address));
    key[64..72].copy_from_slice(&(!index.0).to_be_bytes());
    key[72..].copy_from_slice(&(!place).to_be_bytes());
    key
}

/// Height and place within the block.
pub(in crate::layer) fn parse_history_key(key: &[u8]) -> Result<(Height, u32), StoreError> {
    let parsed = key
        .get(64..)
        .and_then(split_u64)
        .and_then(|(height, place)| Some((Height(!height), !u32::from_be_bytes(place.try_into().ok()?))));
    parsed.ok_or_else(|| damaged("a key of an address's history"))
}

pub(in crate::layer) fn history_row(row: HistoryRow) -> [u8; 17] {
    let (balance, kind, rest) = match row {
        HistoryRow::Payment { balance, span } => (balance, b'p', span_bytes(span)),
        HistoryRow::Reward { balance, amount } => (balance, b'r', balance_row(amount)),
    };
    let mut bytes = [0; 17];
    bytes[..8].copy_from_slice(&balance_row(balance));
    bytes[8] = kind;
    bytes[9..].copy_from_slice(&rest);
    bytes
}

pub(in crate::layer) fn parse_history_row(row: &[u8]) -> Result<HistoryRow, StoreError> {
    let parse = || {
        let (balance, rest) = split_u64(row)?;
        let balance = Amount::new(balance)?;
        match rest.split_first()? {
            (b'p', rest) => Some(HistoryRow::Payment { balance, span: parse_span(rest)? }),
            (b'r', rest) => Some(HistoryRow::Reward { balance, amount: Amount::new(split_u64(rest)?.0)? }),
            _ => None,
        }
    };
    parse().ok_or_else(|| damaged("a row of an address's history"))
}

fn span_bytes(span: Span) -> [u8; 8] {
    (u64::from(span.offset) << 32 | u64::from(span.length)).to_be_bytes()
}

fn parse_span(bytes: &[u8]) -> Option<Span> {
    let (both, _) = split_u64(bytes)?;
    Some(Span { offset: (both >> 32) as u32, length: both as u32 })
}

fn split_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    bytes.split_first_chunk::<8>().map(|(number, rest)| (u64::from_be_bytes(*number), rest))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} cannot be read"))
}
