//! The pool on disk: one row for each pending transaction, and the block that the pool stands on.
//!
//! ```text
//! State: number (8, big-endian)  →  arrived, ms since 1970 (8, big-endian) | 1 if it is uncovered | JSON
//! Meta:  "tip"                   →  height (8, big-endian) | hash (32)
//! ```
//!
//! Each new row gets the next number, so that a commit writes its rows side by side: ids are random, and each would
//! touch a page of its own. In older versions the key was the id, and no row had a byte between time and JSON. Such
//! rows are read, and keep their key until their transaction leaves.
//!
//! Only the bytes: `shared::pool` decides which transactions are in the pool.

use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{TransactionId, json_of};
use shared::pool::{Pending, PoolRow, Weights, WriteBatch};
use shared::store::{Batch, Store, StoreError, Table};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

const TIP: &[u8] = b"tip";
/// Marks the rows of uncovered transactions. No JSON begins with it.
const UNCOVERED: u8 = 1;

/// The pool as of the last commit.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Oldest first.
    pub(crate) rows: Vec<PoolRow>,
    pub(crate) tip: Option<BlockId>,
}

/// The only writer of the pool's file.
pub(crate) struct PoolStore {
    disk: Arc<dyn Store>,
    /// The keys of the rows that may be on disk.
    keys: HashMap<TransactionId, Vec<u8>>,
    last_number: u64,
}

impl PoolStore {
    /// Opens the pool's file and reads it.
    pub(crate) fn open(disk: Arc<dyn Store>, weights: &Weights) -> Result<(Self, Stored), StoreError> {
        let snapshot = disk.snapshot()?;
        let mut store = Self { disk, keys: HashMap::new(), last_number: 0 };
        let mut rows = Vec::new();
        let mut result = Ok(());
        snapshot.scan(Table::State, &[], &mut |key, row| match parse(row, weights) {
            Some(one) => {
                if let Ok(number) = key.try_into() {
                    store.last_number = store.last_number.max(u64::from_be_bytes(number));
                }
                store.keys.insert(one.pending.id(), key.to_owned());
                rows.push(one);
                ControlFlow::Continue(())
            }
            None => {
                result = Err(StoreError::Damaged("a pending transaction cannot be read".to_owned()));
                ControlFlow::Break(())
            }
        })?;
        result?;
        rows.sort_by_key(|row| (row.pending.arrived_ms, row.pending.id()));
        let tip = snapshot.get(Table::Meta, TIP)?;
        let unreadable = || StoreError::Damaged("the block that the pool stands on cannot be read".to_owned());
        let tip = tip.map(|row| parse_tip(&row).ok_or_else(unreadable)).transpose()?;
        Ok((store, Stored { rows, tip }))
    }

    /// Writes all changes or none. On `Ok` they survive a crash.
    pub(crate) fn commit(&mut self, changes: &WriteBatch) -> Result<(), StoreError> {
        let Self { disk, keys, last_number } = self;
        let mut batch = Batch::default();
        for (id, change) in &changes.rows {
            match change {
                Some(row) => {
                    let key = keys.entry(*id).or_insert_with(|| {
                        *last_number += 1;
                        last_number.to_be_bytes().to_vec()
                    });
                    batch.put(Table::State, key, bytes_of(row));
                }
                None => keys.get(id).into_iter().for_each(|key| batch.delete(Table::State, key)),
            }
        }
        if let Some(BlockId { index, hash }) = changes.tip {
            batch.put(Table::Meta, TIP, [&index.0.to_be_bytes()[..], &hash.as_bytes()[..]].concat());
        }
        disk.commit(&batch)?;
        // Not before: what a disk that failed has kept is not known, so a later commit may delete a row once more.
        for (id, _) in changes.rows.iter().filter(|(_, change)| change.is_none()) {
            keys.remove(id);
        }
        Ok(())
    }
}

fn bytes_of(PoolRow { pending, is_uncovered }: &PoolRow) -> Vec<u8> {
    let marker: &[u8] = if *is_uncovered { &[UNCOVERED] } else { &[] };
    [&pending.arrived_ms.to_be_bytes(), marker, json_of(&pending.transaction).as_bytes()].concat()
}

fn parse(row: &[u8], weights: &Weights) -> Option<PoolRow> {
    let (arrived, rest) = row.split_first_chunk::<8>()?;
    let (is_uncovered, json) = match rest.strip_prefix(&[UNCOVERED]) {
        Some(json) => (true, json),
        None => (false, rest),
    };
    let transaction = serde_json::from_slice(json).ok()?;
    let pending = Pending::weighed(Arc::new(transaction), u64::from_be_bytes(*arrived), weights);
    Some(PoolRow { pending, is_uncovered })
}

fn parse_tip(row: &[u8]) -> Option<BlockId> {
    let (height, hash) = row.split_first_chunk::<8>()?;
    let hash = BlockHash::from_bytes(hash.try_into().ok()?);
    Some(BlockId { index: Height(u64::from_be_bytes(*height)), hash })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use shared::keys::KeyPair;
    use shared::ledger::{Amount, Transaction, Unsigned, Uuid};
    use shared::params::Params;
    use shared::store::MemoryStore;
    use std::collections::BTreeMap;

    type Rows = BTreeMap<TransactionId, Option<PoolRow>>;

    fn row(number: u8, is_uncovered: bool) -> (TransactionId, Option<PoolRow>) {
        let key = KeyPair::from_seed("alice");
        let unsigned = Unsigned {
            uuid: Uuid([number; 16]),
            from: key.address(),
            to: KeyPair::from_seed("bob").address(),
            amount: Amount::new(1).unwrap(),
            fee: Amount::ZERO,
            msg: String::new(),
        };
        let transaction: Transaction = key.sign_transaction(unsigned, Params::default().network_id());
        (transaction.id(), Some(PoolRow { pending: Pending::new(Arc::new(transaction), 7), is_uncovered }))
    }

    fn open(disk: &MemoryStore) -> (PoolStore, Rows) {
        let (store, stored) = PoolStore::open(Arc::new(disk.clone()), &Weights::of(&Params::default())).unwrap();
        (store, stored.rows.into_iter().map(|row| (row.pending.id(), Some(row))).collect())
    }

    fn write(store: &mut PoolStore, rows: impl IntoIterator<Item = (TransactionId, Option<PoolRow>)>) -> bool {
        store.commit(&WriteBatch { rows: rows.into_iter().collect(), tip: None }).is_ok()
    }

    fn keys(disk: &MemoryStore) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        let snapshot = disk.snapshot().unwrap();
        let visit = &mut |key: &[u8], _: &[u8]| {
            keys.push(key.to_owned());
            ControlFlow::Continue(())
        };
        snapshot.scan(Table::State, &[], visit).unwrap();
        keys
    }

    #[test]
    fn a_row_is_read_back_as_it_was_written_last() {
        let disk = MemoryStore::default();
        let (mut store, _) = open(&disk);
        assert!(write(&mut store, [row(1, false), row(2, true), row(3, false)]));
        assert_eq!(open(&disk).1, Rows::from([row(1, false), row(2, true), row(3, false)]));
        assert!(write(&mut store, [row(1, true), row(2, false), (row(3, false).0, None)]));
        assert_eq!(open(&disk).1, Rows::from([row(1, true), row(2, false)]));
        assert_eq!(keys(&disk).len(), 2);
    }

    #[test]
    fn rows_are_numbered_as_they_come_and_no_number_is_used_twice_at_a_time() {
        let disk = MemoryStore::default();
        for number in 1..=4_u8 {
            let (mut store, before) = open(&disk);
            assert_eq!(before.len(), usize::from(number) - 1);
            assert!(write(&mut store, [row(number, false)]));
            assert_eq!(keys(&disk).last().unwrap(), &u64::from(number).to_be_bytes());
        }
    }

    #[test]
    fn a_row_that_a_full_disk_did_not_delete_is_deleted_later() {
        let disk = MemoryStore::default();
        let (mut store, _) = open(&disk);
        assert!(write(&mut store, [row(1, false)]));
        disk.set_full(true);
        assert!(!write(&mut store, [(row(1, false).0, None), row(2, false)]));
        assert_eq!(open(&disk).1, Rows::from([row(1, false)]));
        disk.set_full(false);
        assert!(write(&mut store, [(row(1, false).0, None), row(3, false)]));
        assert_eq!(open(&disk).1, Rows::from([row(3, false)]));
    }

    #[test]
    fn rows_of_older_versions_are_read_changed_and_deleted() {
        let disk = MemoryStore::default();
        let mut older = Batch::default();
        for (id, row) in [row(1, false), row(2, false), row(3, false)] {
            let json = json_of(&row.unwrap().pending.transaction);
            older.put(Table::State, id.as_bytes(), [&7_u64.to_be_bytes()[..], json.as_bytes()].concat());
        }
        disk.commit(&older).unwrap();
        let (mut store, rows) = open(&disk);
        assert_eq!(rows, Rows::from([row(1, false), row(2, false), row(3, false)]));
        assert!(write(&mut store, [row(1, true), (row(2, false).0, None), row(4, false)]));
        assert_eq!(open(&disk).1, Rows::from([row(1, true), row(3, false), row(4, false)]));
        assert_eq!(keys(&disk).len(), 3);
    }
}
