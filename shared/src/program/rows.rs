//! The bytes of programs in the state; the only file that knows them. All integers are big-endian.
//!
//! ```text
//! 'a' | account (20)              →  nonce (8) | length of the balance (1) | balance | code hash (0 or 32)
//! 'c' | code hash (32)            →  code
//! 's' | account (20) | slot (32)  →  value; 0 is no row
//! 'n' | height mod 256 (1)        →  block hash (32)
//! ```
//!
//! Balance and value are written without leading zeros. Code is never deleted, since other accounts may have the same.

use super::{Account, AccountId, Word};
use crate::state::{StateRead, StateView};
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::sync::Arc;

const ACCOUNT: u8 = b'a';
const CODE: u8 = b'c';
const SLOT: u8 = b's';
const BLOCK_HASH: u8 = b'n';

/// What a run changes, sorted, so that it can be written and hashed in one order on every machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts after the run; `None` for those that are gone.
    pub accounts: BTreeMap<AccountId, Option<Account>>,
    /// Slots after the run.
    pub slots: BTreeMap<(AccountId, Word), Word>,
    /// Code that is new, by its hash.
    pub codes: BTreeMap<Word, Arc<[u8]>>,
}

impl Changes {
    /// Writes the changes to the state.
    pub fn apply(&self, state: &mut dyn StateView) {
        for (id, account) in &self.accounts {
            match account {
                Some(account) => state.put(&account_key(id), &account_row(account)),
                None => state.delete(&account_key(id)),
            }
        }
        for ((id, slot), value) in &self.slots {
            match value.significant_bytes() {
                [] => state.delete(&slot_key(id, slot)),
                bytes => state.put(&slot_key(id, slot), bytes),
            }
        }
        for (hash, code) in &self.codes {
            state.put(&code_key(hash), code);
        }
    }
}

/// What an account holds; `None` if it has no row.
///
/// # Errors
/// Only our own failures.
pub fn read_account(state: &dyn StateRead, id: &AccountId) -> Result<Option<Account>, StoreError> {
    let row = state.get(&account_key(id))?;
    row.map(|row| parse_account(&row).ok_or_else(|| damaged("an account"))).transpose()
}

/// Writes what an account holds. An account that holds nothing has no row (EIP-161).
pub fn write_account(state: &mut dyn StateView, id: &AccountId, account: &Account) {
    if *account == Account::default() {
        state.delete(&account_key(id));
    } else {
        state.put(&account_key(id), &account_row(account));
    }
}

/// The code with this hash.
///
/// # Errors
/// Only our own failures; that there is no such code is one of them.
pub fn read_code(state: &dyn StateRead, hash: &Word) -> Result<Arc<[u8]>, StoreError> {
    state.get(&code_key(hash))?.ok_or_else(|| damaged("code that an account names"))
}

/// A slot of an account's storage; 0 if it was never written.
///
/// # Errors
/// Only our own failures.
pub fn read_slot(state: &dyn StateRead, id: &AccountId, slot: &Word) -> Result<Word, StoreError> {
    match state.get(&slot_key(id, slot))? {
        Some(row) => Word::from_significant_bytes(&row).ok_or_else(|| damaged("a slot of a program's storage")),
        None => Ok(Word::ZERO),
    }
}

/// The hash of the newest block whose height is `number` modulo 256; 0 if there is none yet.
///
/// # Errors
/// Only our own failures.
pub fn read_block_hash(state: &dyn StateRead, number: u64) -> Result<Word, StoreError> {
    match state.get(&block_hash_key(number))? {
        Some(row) => row.as_ref().try_into().map(Word).map_err(|_| damaged("a block's hash")),
        None => Ok(Word::ZERO),
    }
}

/// Remembers the hash of the block at height `number`, and forgets the one 256 blocks before it.
pub fn write_block_hash(state: &mut dyn StateView, number: u64, hash: &Word) {
    state.put(&block_hash_key(number), &hash.0);
}

/// The key of an account's row.
pub fn account_key(id: &AccountId) -> [u8; 21] {
    let mut key = [ACCOUNT; 21];
    key[1..].copy_from_slice(&id.0);
    key
}

/// The key of a code's row.
pub fn code_key(hash: &Word) -> [u8; 33] {
    let mut key = [CODE; 33];
    key[1..].copy_from_slice(&hash.0);
    key
}

/// The keys of an account's slots begin with this.
pub fn slot_prefix(id: &AccountId) -> [u8; 21] {
    let mut prefix = [SLOT; 21];
    prefix[1..].copy_from_slice(&id.0);
    prefix
}

/// The key of a slot's row.
pub fn slot_key(id: &AccountId, slot: &Word) -> [u8; 53] {
    let mut key = [SLOT; 53];
    key[1..21].copy_from_slice(&id.0);
    key[21..].copy_from_slice(&slot.0);
    key
}

/// The key of a block hash's row.
pub fn block_hash_key(number: u64) -> [u8; 2] {
    [BLOCK_HASH, number as u8]
}

fn account_row(account: &Account) -> Vec<u8> {
    let balance = account.balance.significant_bytes();
    let mut row = Vec::with_capacity(9 + balance.len() + 32);
    row.extend(account.nonce.to_be_bytes());
    // At most 32.
    row.push(balance.len() as u8);
    row.extend(balance);
    if let Some(hash) = &account.code_hash {
        row.extend(hash.0);
    }
    row
}

fn parse_account(row: &[u8]) -> Option<Account> {
    let (nonce, rest) = row.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first()?;
    let (balance, code_hash) = rest.split_at_checked(usize::from(*length))?;
    let code_hash = match code_hash {
        [] => None,
        hash => Some(Word(hash.try_into().ok()?)),
    };
    let balance = Word::from_significant_bytes(balance)?;
    Some(Account { balance, nonce: u64::from_be_bytes(*nonce), code_hash })
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Overlay, Value};
    use proptest::prelude::*;

    struct Nothing;

    impl StateRead for Nothing {
        fn get(&self, _: &[u8]) -> Result<Option<Value>, StoreError> {
            Ok(None)
        }

        fn keeps_history(&self) -> bool {
            false
        }
    }

    const ID: AccountId = AccountId([7; 20]);

    #[test]
    fn rows_have_the_bytes_that_this_page_says() {
        let account = Account { balance: Word::from(0x0102), nonce: 3, code_hash: Some(Word([9; 32])) };
        let expected = [&[0, 0, 0, 0, 0, 0, 0, 3, 2, 1, 2][..], &[9; 32]].concat();
        assert_eq!(account_row(&account), expected);
        assert_eq!(account_row(&Account::default()), [0; 9]);
        assert_eq!(slot_key(&ID, &Word::from(1))[..22], [&b"s"[..], &[7; 20], &[0]].concat());
        assert_eq!(block_hash_key(0x1_02), [b'n', 2]);
    }

    #[test]
    fn a_slot_of_zero_and_a_dead_account_leave_no_row() {
        let mut state = Overlay::new(&Nothing);
        let mut changes = Changes::default();
        changes.slots.insert((ID, Word::from(1)), Word::from(5));
        changes.accounts.insert(ID, Some(Account::default()));
        changes.apply(&mut state);
        assert_eq!(read_slot(&state, &ID, &Word::from(1)), Ok(Word::from(5)));
        changes.slots.insert((ID, Word::from(1)), Word::ZERO);
        changes.accounts.insert(ID, None);
        changes.apply(&mut state);
        assert!(state.into_writes().values().all(Option::is_none));
    }

    #[test]
    fn what_cannot_be_read_is_our_own_failure() {
        for row in [&[][..], &[0; 8], &[0, 0, 0, 0, 0, 0, 0, 0, 33], &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[0; 40]] {
            let mut state = Overlay::new(&Nothing);
            state.put(&account_key(&ID), row);
            assert!(matches!(read_account(&state, &ID), Err(StoreError::Damaged(_))), "{row:?}");
        }
        let mut state = Overlay::new(&Nothing);
        state.put(&slot_key(&ID, &Word::ZERO), &[0, 1]);
        state.put(&block_hash_key(0), &[1; 31]);
        assert!(read_slot(&state, &ID, &Word::ZERO).is_err());
        assert!(read_block_hash(&state, 256).is_err());
        assert!(read_code(&state, &Word::ZERO).is_err());
    }

    proptest! {
        #[test]
        fn an_account_is_read_as_it_was_written(
            balance: [u8; 32], zeros in 0..33_usize, nonce: u64, hash: Option<[u8; 32]>,
        ) {
            let mut balance = balance;
            balance[..zeros].fill(0);
            let account = Account { balance: Word(balance), nonce, code_hash: hash.map(Word) };
            prop_assert_eq!(parse_account(&account_row(&account)), Some(account));
        }
    }
}
