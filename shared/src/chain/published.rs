//! What readers see of the chain: one moment of it, replaced by the writer at each commit.
//!
//! Blocks and state of a moment belong together, and a reader that holds one keeps it as long as it likes: nobody waits
//! for anybody.

use super::{ChainEntry, ChainReader};
use crate::block::{BlockId, Height};
use crate::layer::HistorySource;
use crate::state::{State, StateRead, Value};
use crate::store::{StoreError, Visit};
use std::sync::{Arc, PoisonError, RwLock};

/// The state of the best chain as it was after one block, and the blocks up to there.
pub struct ChainSnapshot {
    pub(super) tip: ChainEntry,
    pub(super) reader: ChainReader,
    pub(super) state: State,
}

impl ChainSnapshot {
    /// The block whose effect is the last in this state.
    pub const fn tip(&self) -> &ChainEntry {
        &self.tip
    }

    /// The blocks up to there, and beside.
    pub const fn chain(&self) -> &ChainReader {
        &self.reader
    }
}

impl HistorySource for ChainSnapshot {
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.state.scan(from, visit)
    }

    fn data_at(&self, index: Height) -> Result<(BlockId, String), StoreError> {
        let missing = || StoreError::Damaged(format!("the best chain has no block {index}"));
        let id = self.reader.best_at(index)?.ok_or_else(missing)?;
        Ok((id, self.reader.data(id)?))
    }
}

impl StateRead for ChainSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.state.get(key)
    }

    fn keeps_history(&self) -> bool {
        self.state.keeps_history()
    }
}

/// Where the writer leaves the newest moment; empty while its store is being opened again after a failure.
#[derive(Clone, Default)]
pub(super) struct Published(Arc<RwLock<Option<Arc<ChainSnapshot>>>>);

impl Published {
    pub(super) fn set(&self, newest: Option<Arc<ChainSnapshot>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = newest;
    }

    pub(super) fn newest(&self) -> Option<Arc<ChainSnapshot>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
