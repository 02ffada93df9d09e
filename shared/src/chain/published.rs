//! What readers see of the chain: one moment of it, replaced by the writer at each commit.
//!
//! Blocks and state of a moment belong together, and a reader that holds one keeps it as long as it likes: nobody waits
//! for anybody.

use super::{Entry, Reader};
use crate::state::{State, StateRead, Value};
use crate::store::{StoreError, Visit};
use std::sync::{Arc, PoisonError, RwLock};

/// The state of the best chain as it was after one block, and the blocks up to there.
pub struct StateReader {
    pub(super) tip: Entry,
    pub(super) reader: Reader,
    pub(super) state: State,
}

impl StateReader {
    /// The block whose effect is the last in this state.
    pub const fn tip(&self) -> &Entry {
        &self.tip
    }

    /// The blocks up to there, and beside.
    pub const fn chain(&self) -> &Reader {
        &self.reader
    }

    /// Visits the state's rows from `from` on in ascending order, until told to stop.
    ///
    /// # Errors
    /// Only our own failures.
    pub fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.state.scan(from, visit)
    }
}

impl StateRead for StateReader {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.state.get(key)
    }

    fn keeps_facts(&self) -> bool {
        self.state.keeps_facts()
    }
}

/// Where the writer leaves the newest moment; empty while its store is being opened again after a failure.
#[derive(Clone, Default)]
pub(super) struct Published(Arc<RwLock<Option<Arc<StateReader>>>>);

impl Published {
    pub(super) fn set(&self, newest: Option<Arc<StateReader>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = newest;
    }

    pub(super) fn newest(&self) -> Option<Arc<StateReader>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
