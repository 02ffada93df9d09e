//! revm over the core's rows: what it reads, and what it changed as values.

use crate::convert;
use revm::Database;
use revm::bytecode::Bytecode;
use revm::database_interface::DBErrorMarker;
use revm::primitives::{Address, B256, Bytes, KECCAK_EMPTY, U256};
use revm::state::{Account as RevmAccount, AccountInfo, EvmState};
use shared::program::{self, Account, AccountId, Changes, Word};
use shared::state::StateRead;
use shared::store::StoreError;
use std::collections::HashMap;
use std::sync::Arc;

/// Most programs whose code is kept ready to run: up to 4 MB with the tables of their jumps.
const MAX_CODES: usize = 100;

/// The rows of a state, for revm to read.
pub struct Rows<'a> {
    state: &'a dyn StateRead,
    /// Code by its hash, so that a program that is called often is read and analysed once.
    codes: HashMap<B256, Bytecode>,
}

impl<'a> Rows<'a> {
    /// Reads from `state`.
    pub fn new(state: &'a dyn StateRead) -> Self {
        Self { state, codes: HashMap::new() }
    }
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows")
    }
}

/// A failure of the store, on its way through revm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError(pub StoreError);

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for RowError {}

impl DBErrorMarker for RowError {}

impl From<StoreError> for RowError {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl Database for Rows<'_> {
    type Error = RowError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, RowError> {
        let account = program::read_account(self.state, &convert::account_id(address))?;
        Ok(account.map(|account| AccountInfo {
            balance: convert::number(account.balance),
            nonce: account.nonce,
            code_hash: account.code_hash.map_or(KECCAK_EMPTY, convert::hash),
            code: None,
            account_id: None,
        }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, RowError> {
        if hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.codes.get(&hash) {
            return Ok(code.clone());
        }
        let code = program::read_code(self.state, &Word(hash.0))?;
        let code = Bytecode::new_raw(Bytes::copy_from_slice(&code));
        if self.codes.len() < MAX_CODES {
            self.codes.insert(hash, code.clone());
        }
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, RowError> {
        let value = program::read_slot(self.state, &convert::account_id(address), &convert::word(slot))?;
        Ok(convert::number(value))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, RowError> {
        Ok(convert::hash(program::read_block_hash(self.state, number)?))
    }
}

/// What revm's accounts after a run change, compared with the rows.
///
/// Since an account can only be destroyed by the run that made it, its storage has no rows to delete.
pub fn changes(state: EvmState) -> Changes {
    let mut changes = Changes::default();
    for (address, account) in state {
        if account.is_touched() {
            add(&mut changes, convert::account_id(address), account);
        }
    }
    changes
}

fn add(changes: &mut Changes, id: AccountId, account: RevmAccount) {
    if account.is_selfdestructed() || account.is_empty() {
        if !account.is_loaded_as_not_existing() {
            changes.accounts.insert(id, None);
        }
        return;
    }
    for (slot, value) in account.changed_storage_slots() {
        changes.slots.insert((id, convert::word(*slot)), convert::word(value.present_value()));
    }
    if !account.is_changed() {
        return;
    }
    let info = account.info;
    let code_hash = (info.code_hash != KECCAK_EMPTY).then_some(Word(info.code_hash.0));
    if account.status.contains(revm::state::AccountStatus::Created)
        && let (Some(hash), Some(code)) = (code_hash, &info.code)
    {
        changes.codes.insert(hash, Arc::from(code.original_byte_slice()));
    }
    let balance = convert::word(info.balance);
    changes.accounts.insert(id, Some(Account { balance, nonce: info.nonce, code_hash }));
}
