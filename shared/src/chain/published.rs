//! The snapshot of the chain that readers use; the writer replaces it at each commit.
//!
//! Blocks and state of a snapshot belong together. A reader may hold one as long as it likes; neither readers nor the
//! writer wait for each other.

use super::{ChainEntry, ChainReader};
use crate::block::{BlockId, Height};
use crate::layer::HistorySource;
use crate::state::{Overlay, State, StateRead, Value};
use crate::store::{StoreError, Visit};
use std::sync::{Arc, PoisonError, RwLock};

/// The state of the best chain after one of its blocks, and the blocks up to that one.
pub struct ChainSnapshot {
    pub(super) tip: ChainEntry,
    pub(super) reader: ChainReader,
    pub(super) state: State,
}

impl ChainSnapshot {
    /// The last block that this state includes.
    pub const fn tip(&self) -> &ChainEntry {
        &self.tip
    }

    /// The blocks up to the tip, and those of side branches.
    pub const fn chain(&self) -> &ChainReader {
        &self.reader
    }
}

impl ChainSnapshot {
    /// The state after the block at `index`, which must not lie above this one. The cost grows with the blocks between.
    ///
    /// # Errors
    /// Only failures of the store.
    pub fn state_at(&self, index: Height) -> Result<Overlay<'_>, StoreError> {
        let mut state = Overlay::new(&self.state);
        for height in (index.0 + 1..=self.tip.index.0).rev().map(Height) {
            let missing = || StoreError::Damaged(format!("the best chain has no block {height}"));
            let id = self.reader.best_at(height)?.ok_or_else(missing)?;
            state.undo(self.reader.journal(id)?);
        }
        Ok(state)
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

/// Holds the newest snapshot; empty while the store is being reopened after a failure.
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
