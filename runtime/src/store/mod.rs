//! The store on disk: redb behind `shared::store::Store`.
//!
//! One batch is one durable commit. Every commit also saves redb's allocator state (quick repair), so that opening
//! after kill -9 takes no longer than after a clean stop. This module does not know what the rows mean.

mod fault;
mod file;
mod panics;
#[cfg(test)]
mod tests;

use fault::Fault;
use file::StoreFile;
use redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, StorageBackend, TableDefinition, TableError,
};
use shared::store::{Batch, Snapshot, Store, StoreError, Table, Visit};
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Memory for pages, in bytes: enough for the hot part of a chain of a million blocks, within 300 MB in all.
const CACHE_BYTES: usize = 64 << 20;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type OpenDatabase = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>;

/// A redb file.
///
/// After an I/O error, as of a full disk, redb must be reopened; the next use does that.
pub struct RedbStore {
    open: OpenDatabase,
    slot: RwLock<Option<Opened>>,
    guard: Arc<Guard>,
}

struct Opened {
    database: Database,
    /// Of the file, where there is one.
    identity: Option<(u64, u64)>,
}

impl RedbStore {
    /// Opens or creates the file at `path`.
    ///
    /// # Errors
    /// If the file is in use or not a redb file, is damaged, was used before and is lost, or the disk fails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let file = StoreFile::new(path.as_ref());
        file.check_kept()?;
        let path = file.path().to_owned();
        // Only the first opening may create the file: one that is lost later must not begin anew.
        let is_new = AtomicBool::new(true);
        let open = move || {
            if is_new.load(Ordering::Relaxed) { builder().create(&path) } else { builder().open(&path) }
                .inspect(|_| is_new.store(false, Ordering::Relaxed))
        };
        let store = Self::open_with(Box::new(open), Some(file))?;
        if let Some(file) = &store.guard.file {
            file.mark_used()?;
        }
        Ok(store)
    }

    /// Opens a database on a backend; `backend` is called again after each failure.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_on<B: StorageBackend>(backend: impl Fn() -> B + Send + Sync + 'static) -> Result<Self, StoreError> {
        Self::open_with(Box::new(move || builder().create_with_backend(backend())), None)
    }

    fn open_with(open: OpenDatabase, file: Option<StoreFile>) -> Result<Self, StoreError> {
        let store = Self { open, slot: RwLock::new(None), guard: Arc::new(Guard { file, fault: Fault::default() }) };
        store.guard.run(|| store.reopen())?;
        store.guard.fault.opened();
        Ok(store)
    }

    /// The file, where the store has one.
    pub fn path(&self) -> Option<&Path> {
        self.guard.file.as_ref().map(StoreFile::path)
    }

    /// Why nothing can be stored at the moment, if so.
    pub fn fault(&self) -> Option<String> {
        self.guard.fault.text()
    }

    /// Looks whether the file is still in its place, and notes it.
    pub fn check_place(&self) {
        let identity = self.slot.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|opened| opened.identity);
        let (Some(file), Some(identity)) = (&self.guard.file, identity) else { return };
        match file.check_place(identity) {
            Ok(()) => self.guard.fault.clear_place(),
            Err(error) => self.guard.fault.set(&error, true),
        }
    }

    /// Whether a store that failed is worth another try.
    pub fn has_room(&self) -> bool {
        self.guard.file.as_ref().is_none_or(StoreFile::has_room)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let database = (self.open)().map_err(store_error)?;
            // Reopening after a failure must not write: the disk may still be full.
            if !has_tables(&database)? {
                create_tables(&database)?;
            }
            let identity = self.guard.file.as_ref().and_then(|file| file.identity().ok().flatten());
            *slot = Some(Opened { database, identity });
        }
        Ok(())
    }

    /// After an I/O error redb refuses everything until it is reopened, which the next use does.
    fn close(&self) {
        let opened = self.slot.write().unwrap_or_else(PoisonError::into_inner).take();
        // Closing writes, which may fail as what was before.
        let _ = panics::catch(|| drop(opened));
    }

    fn with<T>(&self, action: impl FnOnce(&Opened) -> Result<T, StoreError>) -> Result<T, StoreError> {
        {
            let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(opened) = slot.as_ref() {
                return action(opened);
            }
        }
        self.reopen()?;
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        match slot.as_ref() {
            Some(opened) => action(opened),
            None => Err(StoreError::Failed("the database was closed after an error".to_owned())),
        }
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.close();
    }
}

/// What stands between redb and everything else.
struct Guard {
    file: Option<StoreFile>,
    fault: Fault,
}

impl Guard {
    /// Runs what uses redb: a panic becomes an error, errors name the file, and damage is logged once.
    fn run<T>(&self, action: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let damaged = |reason: &str| {
            let error = match &self.file {
                Some(file) => file.damaged(reason),
                None => StoreError::Damaged(reason.to_owned()),
            };
            self.fault.log_damage(&error);
            error
        };
        match panics::catch(action) {
            Ok(Err(StoreError::Failed(reason))) => match &self.file {
                Some(file) => Err(StoreError::Failed(format!("{}: {reason}", file.path().display()))),
                None => Err(StoreError::Failed(reason)),
            },
            Ok(Err(StoreError::Damaged(reason))) => Err(damaged(&reason)),
            Ok(result) => result,
            Err(panic) => Err(damaged(&format!("it is damaged or cut off ({panic})"))),
        }
    }
}

impl Store for RedbStore {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let snapshot = self.guard.run(|| {
            self.with(|Opened { database, .. }| {
                let transaction = database.begin_read().map_err(store_error)?;
                let guard = self.guard.clone();
                Ok(Arc::new(RedbSnapshot { transaction, tables: Default::default(), guard }) as Arc<dyn Snapshot>)
            })
        });
        snapshot.inspect_err(|_| self.close())
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.check_place();
        if let Some(reason) = self.guard.fault.place() {
            // The database stays open, so that what is there can still be read.
            return Err(StoreError::Failed(reason));
        }
        match self.guard.run(|| self.with(|Opened { database, .. }| write(database, batch))) {
            Ok(()) => {
                self.guard.fault.clear();
                Ok(())
            }
            Err(error) => {
                self.close();
                self.guard.fault.set(&error, false);
                Err(error)
            }
        }
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn has_tables(database: &Database) -> Result<bool, StoreError> {
    let transaction = database.begin_read().map_err(store_error)?;
    for table in Table::ALL {
        match transaction.open_table(definition(table)) {
            Ok(_) => {}
            Err(TableError::TableDoesNotExist(_)) => return Ok(false),
            Err(error) => return Err(store_error(error)),
        }
    }
    Ok(true)
}

fn create_tables(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(store_error)?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        transaction.open_table(definition(table)).map_err(store_error)?;
    }
    transaction.commit().map_err(store_error)
}

fn write(database: &Database, batch: &Batch) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(store_error)?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        let mut rows = batch.rows(table).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let mut stored = transaction.open_table(definition(table)).map_err(store_error)?;
        for (key, value) in rows {
            match value {
                Some(value) => stored.insert(key, value).map_err(store_error)?,
                None => stored.remove(key).map_err(store_error)?,
            };
        }
    }
    transaction.commit().map_err(store_error)
}

struct RedbSnapshot {
    transaction: ReadTransaction,
    tables: [OnceLock<ReadOnlyTable<&'static [u8], &'static [u8]>>; Table::ALL.len()],
    guard: Arc<Guard>,
}

impl RedbSnapshot {
    fn table(&self, table: Table) -> Result<&ReadOnlyTable<&'static [u8], &'static [u8]>, StoreError> {
        let cell = &self.tables[table as usize];
        if let Some(rows) = cell.get() {
            return Ok(rows);
        }
        let rows = self.transaction.open_table(definition(table)).map_err(store_error)?;
        Ok(cell.get_or_init(|| rows))
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.guard.run(|| Ok(self.table(table)?.get(key).map_err(store_error)?.map(|value| value.value().to_vec())))
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.guard.run(|| {
            for row in self.table(table)?.range(from..).map_err(store_error)? {
                let (key, value) = row.map_err(store_error)?;
                if let ControlFlow::Break(()) = visit(key.value(), value.value()) {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// The tables' names in the file.
const fn definition(table: Table) -> Definition {
    TableDefinition::new(match table {
        Table::Headers => "headers",
        Table::Bodies => "bodies",
        Table::Best => "best",
        Table::Index => "index",
        Table::SideBlocks => "sides",
        Table::Undo => "undo",
        Table::State => "state",
        Table::Meta => "meta",
    })
}

/// What went wrong, and what to do where that is known.
fn store_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(reason) => StoreError::Damaged(format!("it is damaged ({reason})")),
        redb::Error::Io(error) => match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Failed(format!(
                "no room is left on its disk ({error}); make some, and this program goes on by itself"
            )),
            ErrorKind::InvalidData => StoreError::Damaged(format!("it is not a database of this program ({error})")),
            ErrorKind::UnexpectedEof => StoreError::Damaged(format!("it is cut off ({error})")),
            _ => StoreError::Failed(error.to_string()),
        },
        error => StoreError::Failed(error.to_string()),
    }
}
