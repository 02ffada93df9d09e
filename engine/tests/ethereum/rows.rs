//! A state in our rows, and the hash that Ethereum gives it.

use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use revm::primitives::{Address, B256, KECCAK_EMPTY, U256, keccak256};
use shared::program::{Account, AccountId, Changes, Word, read_account};
use shared::state::{Overlay, StateRead, Value, Writes};
use shared::store::StoreError;
use std::collections::BTreeMap;

/// The rows of a test, which nothing lies under.
#[derive(Clone, Default)]
pub(crate) struct TestState(pub(crate) Writes);

impl StateRead for TestState {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.0.get(key).cloned().flatten())
    }

    fn keeps_history(&self) -> bool {
        false
    }
}

impl TestState {
    pub(crate) fn put_account(&mut self, id: AccountId, balance: U256, nonce: u64, code: &[u8]) {
        let mut changes = Changes::default();
        let code_hash = (!code.is_empty()).then(|| Word(keccak256(code).0));
        if let Some(hash) = code_hash {
            changes.codes.insert(hash, code.into());
        }
        changes.accounts.insert(id, Some(Account { balance: Word(balance.to_be_bytes()), nonce, code_hash }));
        self.apply(&changes);
    }

    pub(crate) fn put_slot(&mut self, id: AccountId, slot: U256, value: U256) {
        let slot = (id, Word(slot.to_be_bytes()));
        self.apply(&Changes { slots: [(slot, Word(value.to_be_bytes()))].into(), ..Changes::default() });
    }

    pub(crate) fn apply(&mut self, changes: &Changes) {
        let mut overlay = Overlay::new(self);
        changes.apply(&mut overlay);
        let writes = overlay.into_writes();
        self.0.extend(writes);
        self.0.retain(|_, value| value.is_some());
    }

    /// The root of Ethereum's tree over all accounts and their storage.
    pub(crate) fn root(&self) -> B256 {
        let mut storages: BTreeMap<AccountId, Vec<(B256, U256)>> = BTreeMap::new();
        let mut ids = Vec::new();
        for (key, value) in &self.0 {
            let (kind, rest) = key.split_first().unwrap();
            let id = || AccountId(rest[..20].try_into().unwrap());
            match kind {
                b'a' => ids.push(id()),
                b's' => {
                    let value = U256::from_be_slice(value.as_ref().unwrap());
                    storages.entry(id()).or_default().push((B256::from_slice(&rest[20..]), value));
                }
                _ => {}
            }
        }
        let accounts = ids.into_iter().map(|id| {
            let account = read_account(self, &id).unwrap().unwrap();
            let storage_root = storage_root_unhashed(storages.remove(&id).unwrap_or_default());
            let code_hash = account.code_hash.map_or(KECCAK_EMPTY, |hash| B256::new(hash.0));
            let balance = U256::from_be_bytes(account.balance.0);
            (Address::new(id.0), TrieAccount::new(account.nonce, balance, storage_root, code_hash))
        });
        state_root_unhashed(accounts)
    }
}
