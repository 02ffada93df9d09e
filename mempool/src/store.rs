//! The pool on disk: one row for each pending transaction, and the block that the pool stands on.
//!
//! ```text
//! State: id (32)  →  arrived, ms since 1970 (8, big-endian) | 1 if it is uncovered | JSON of the transaction
//! Meta:  "tip"    →  height (8, big-endian) | hash (32)
//! ```
//!
//! A row of a covered transaction has no byte between time and JSON, as all rows of older versions.
//!
//! Only the bytes: `shared::pool` decides which transactions are in the pool.

use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::json_of;
use shared::pool::{Pending, PoolRow, Weights, WriteBatch};
use shared::store::{Batch, Store, StoreError, Table};
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

pub(crate) struct PoolStore(Arc<dyn Store>);

impl PoolStore {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    pub(crate) fn load(&self, weights: &Weights) -> Result<Stored, StoreError> {
        let snapshot = self.0.snapshot()?;
        let mut rows = Vec::new();
        let mut result = Ok(());
        snapshot.scan(Table::State, &[], &mut |_, row| match parse(row, weights) {
            Some(one) => {
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
        Ok(Stored { rows, tip })
    }

    /// Writes all changes or none. On `Ok` they survive a crash.
    pub(crate) fn commit(&self, changes: &WriteBatch) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (id, change) in &changes.rows {
            match change {
                Some(row) => batch.put(Table::State, id.as_bytes(), bytes_of(row)),
                None => batch.delete(Table::State, id.as_bytes()),
            }
        }
        if let Some(BlockId { index, hash }) = changes.tip {
            batch.put(Table::Meta, TIP, [&index.0.to_be_bytes()[..], &hash.as_bytes()[..]].concat());
        }
        self.0.commit(&batch)
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
