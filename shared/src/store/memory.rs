//! A store in memory, for tests and simulations: the same contract, with faults on demand.

use super::{Batch, Snapshot, Store, StoreError, Table, Visit};
use imbl::OrdMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Snapshots share their content with the store, so that taking one copies nothing.
type Tables = [OrdMap<Arc<[u8]>, Arc<[u8]>>; Table::ALL.len()];

/// A store in memory. Clones share their content, so that a "restarted" chain finds what was committed before.
#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    full: Arc<AtomicBool>,
}

impl MemoryStore {
    /// While `full`, every commit fails and changes nothing, as on a full disk.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// A store of its own with the same content. Copies nothing until one of them changes.
    pub fn fork(&self) -> Self {
        Self { tables: Arc::new(Mutex::new(self.tables().clone())), full: Arc::default() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        Ok(Arc::new(MemorySnapshot(self.tables().clone())))
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Failed("no space left".to_owned()));
        }
        let mut tables = self.tables();
        for table in Table::ALL {
            for (key, value) in batch.rows(table) {
                match value {
                    Some(value) => tables[table as usize].insert(key.into(), value.into()),
                    None => tables[table as usize].remove(key),
                };
            }
        }
        Ok(())
    }
}

struct MemorySnapshot(Tables);

impl Snapshot for MemorySnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0[table as usize].get(key).map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        for (key, value) in self.0[table as usize].range::<_, [u8]>((Bound::Included(from), Bound::Unbounded)) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}
