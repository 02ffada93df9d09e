//! A store whose commits or reads fail on demand, after a given number of successes.

use shared::store::{Batch, MemoryStore, Snapshot, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NEVER: usize = usize::MAX;

/// A [`MemoryStore`] with more faults on demand. Clones share their content and their faults.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    pub(crate) memory: MemoryStore,
    commits_left: Arc<AtomicUsize>,
    snapshots_left: Arc<AtomicUsize>,
}

impl FaultyStore {
    pub(crate) fn new() -> Self {
        let never = || Arc::new(AtomicUsize::new(NEVER));
        Self { memory: MemoryStore::default(), commits_left: never(), snapshots_left: never() }
    }

    /// All commits fail once `left` more have succeeded.
    pub(crate) fn fail_after_commits(&self, left: usize) {
        self.commits_left.store(left, Ordering::Relaxed);
    }

    /// All snapshots fail once `left` more have succeeded.
    pub(crate) fn fail_reading_after(&self, left: usize) {
        self.snapshots_left.store(left, Ordering::Relaxed);
    }

    /// Ends all faults.
    pub(crate) fn heal(&self) {
        self.fail_after_commits(NEVER);
        self.fail_reading_after(NEVER);
        self.memory.set_full(false);
    }
}

/// Counts down the successes that are left; returns `false` if there are none.
fn succeeds(left: &AtomicUsize) -> bool {
    let fewer = |left| if left == NEVER { Some(NEVER) } else { usize::checked_sub(left, 1) };
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok()
}

impl Store for FaultyStore {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        if succeeds(&self.snapshots_left) {
            self.memory.snapshot()
        } else {
            Err(StoreError::Failed("input/output error".to_owned()))
        }
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if succeeds(&self.commits_left) {
            self.memory.commit(batch)
        } else {
            Err(StoreError::Failed("no space left".to_owned()))
        }
    }
}
