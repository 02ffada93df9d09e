//! The bytes of what layer `program` remembers for people; the only file that knows them. No rule reads these rows, and
//! only services that keep the history have them. All integers are big-endian.
//!
//! The state itself is `program::rows`' (accounts, code, storage, block hashes) and `'t'` of layer `transaction`
//! (the ids that are taken); layer `transaction` has the rows `'b'` and `'h'`, too.
//!
//! ```text
//! 'k' | account (20)                                              →  address (63)     the key of an account
//! 'r' | id (32)                                                   →  JSON             the receipt of a transaction
//! 'p' | moment                                                    →  account (20)     programs, newest first
//! 'q' | account (20)                                              →  JSON             who made a program
//! 'l' | account (20) | moment                                     →  id (32)          logs of a program, newest first
//! 'i' | account (20) | first topic (32) | moment                  →  id (32)          the same, by first topic
//! 'j' | account (20) | moment                                     →  id (32)          transactions to a program
//! 'm' | height (8) | account (20)                                 →  nothing          balances that programs changed
//!
//! moment = !height (8) | !place in the block (4) | !number in the transaction (4)
//! ```

use crate::block::Height;
use crate::ledger::{Address, TransactionId};
use crate::program::{AccountId, Word};
use crate::store::StoreError;

/// When something happened, to order it: the block, the place of the transaction in it, the number within that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The block's height.
    pub index: Height,
    /// The place of the transaction in the block.
    pub place: u32,
    /// The number within the transaction.
    pub number: u32,
}

impl Moment {
    /// After everything else, so that a scan from here sees all.
    pub const LAST: Self = Self { index: Height(u64::MAX), place: u32::MAX, number: u32::MAX };

    /// The latest moment before this one.
    pub(super) fn before(self) -> Self {
        let later = u32::MAX;
        match self {
            Self { number: 1.., .. } => Self { number: self.number - 1, ..self },
            Self { place: 1.., .. } => Self { place: self.place - 1, number: later, ..self },
            Self { index, .. } => Self { index: index.minus(1), place: later, number: later },
        }
    }

    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(!self.index.0).to_be_bytes());
        bytes[8..12].copy_from_slice(&(!self.place).to_be_bytes());
        bytes[12..].copy_from_slice(&(!self.number).to_be_bytes());
        bytes
    }
}

/// The moment at the end of a key.
pub(super) fn parse_moment(key: &[u8]) -> Result<Moment, StoreError> {
    let parse = || {
        let (rest, number) = key.split_last_chunk::<4>()?;
        let (rest, place) = rest.split_last_chunk::<4>()?;
        let (_, height) = rest.split_last_chunk::<8>()?;
        Some(Moment {
            index: Height(!u64::from_be_bytes(*height)),
            place: !u32::from_be_bytes(*place),
            number: !u32::from_be_bytes(*number),
        })
    };
    parse().ok_or_else(|| damaged("the moment of a log or program"))
}

pub(super) fn key_key(account: &AccountId) -> Vec<u8> {
    [&b"k"[..], &account.0].concat()
}

pub(super) fn parse_key(row: &[u8]) -> Result<Address, StoreError> {
    let address = std::str::from_utf8(row).ok().and_then(|text| text.parse().ok());
    address.ok_or_else(|| damaged("the key of an account"))
}

pub(super) fn receipt_key(id: &TransactionId) -> Vec<u8> {
    [&b"r"[..], id.as_bytes()].concat()
}

pub(super) const PROGRAMS: &[u8] = b"p";

pub(super) fn program_key(moment: Moment) -> Vec<u8> {
    [PROGRAMS, &moment.bytes()].concat()
}

pub(super) fn maker_key(account: &AccountId) -> Vec<u8> {
    [&b"q"[..], &account.0].concat()
}

/// The keys of a program's logs begin with this, if `topic` is given those of logs with this first topic.
pub(super) fn logs_prefix(account: &AccountId, topic: Option<&Word>) -> Vec<u8> {
    match topic {
        None => [&b"l"[..], &account.0].concat(),
        Some(topic) => [&b"i"[..], &account.0, &topic.0].concat(),
    }
}

pub(super) fn log_key(account: &AccountId, topic: Option<&Word>, moment: Moment) -> Vec<u8> {
    [&logs_prefix(account, topic)[..], &moment.bytes()].concat()
}

/// The keys of the transactions to a program begin with this.
pub(super) fn calls_prefix(account: &AccountId) -> Vec<u8> {
    [&b"j"[..], &account.0].concat()
}

pub(super) fn call_key(account: &AccountId, moment: Moment) -> Vec<u8> {
    [&calls_prefix(account)[..], &moment.bytes()].concat()
}

pub(super) fn parse_id(row: &[u8]) -> Result<TransactionId, StoreError> {
    row.try_into().map(TransactionId::from_bytes).map_err(|_| damaged("the transaction of a log"))
}

pub(super) fn parse_account(row: &[u8]) -> Result<AccountId, StoreError> {
    row.try_into().map(AccountId).map_err(|_| damaged("the account of a program"))
}

pub(super) fn moved_prefix(index: Height) -> Vec<u8> {
    [&b"m"[..], &index.0.to_be_bytes()].concat()
}

pub(super) fn moved_key(index: Height, account: &AccountId) -> Vec<u8> {
    [&moved_prefix(index)[..], &account.0].concat()
}

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_sorted_newest_first() {
        let moment = |index, place, number| Moment { index: Height(index), place, number };
        let sorted = [moment(1, 0, 0), moment(1, 0, 1), moment(1, 1, 0), moment(2, 0, 0), Moment::LAST];
        for pair in sorted.windows(2) {
            assert!(pair[0].bytes() > pair[1].bytes(), "{pair:?}");
            assert!(pair[1].before() >= pair[0], "{pair:?}");
        }
        for one in sorted {
            assert_eq!(parse_moment(&program_key(one)), Ok(one));
        }
        assert_eq!(moment(2, 0, 0).before(), moment(1, u32::MAX, u32::MAX));
        assert!(parse_moment(b"p123").is_err());
    }
}
