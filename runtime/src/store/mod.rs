//! A chain's store on disk: redb behind `shared::store::Store`.
//!
//! One batch is one durable commit. Every commit also saves redb's allocator state (quick repair), so that opening after
//! kill -9 takes no longer than opening after a clean stop. What the rows mean is not known here.

#[cfg(test)]
mod tests;

use redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, StorageBackend, TableDefinition, TableError,
};
use shared::store::{Batch, Snapshot, Store, StoreError, Table, Visit};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Memory for pages, bytes: enough for the hot part of a million-block chain within 300 MB in all.
const CACHE_BYTES: usize = 64 << 20;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Open = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>;

/// A redb file.
///
/// After an I/O error (a full disk) redb wants to be opened again; that is done here, on the next use.
pub struct RedbStore {
    open: Open,
    database: RwLock<Option<Database>>,
}

impl RedbStore {
    /// Opens the file at `path`, or creates it.
    ///
    /// # Errors
    /// If it is in use, is no such file, or the disk fails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        Self::open_with(Box::new(move || builder().create(&path)))
    }

    /// Opens a database on whatever `backend` gives, again after each failure.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_on<B: StorageBackend>(backend: impl Fn() -> B + Send + Sync + 'static) -> Result<Self, StoreError> {
        Self::open_with(Box::new(move || builder().create_with_backend(backend())))
    }

    fn open_with(open: Open) -> Result<Self, StoreError> {
        let store = Self { database: RwLock::new(None), open };
        store.reopen()?;
        Ok(store)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let database = (self.open)().map_err(failed)?;
            // Whoever only opens it again after a failure must not need to write: the disk may still be full.
            if !has_tables(&database)? {
                create_tables(&database)?;
            }
            *slot = Some(database);
        }
        Ok(())
    }

    /// redb refuses everything after an I/O error until it is opened again, which the next use does.
    fn close(&self) {
        self.database.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn with<T>(&self, action: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        {
            let slot = self.database.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(database) = slot.as_ref() {
                return action(database);
            }
        }
        self.reopen()?;
        let slot = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match slot.as_ref() {
            Some(database) => action(database),
            None => Err(StoreError::Failed("the database was closed after an error".to_owned())),
        }
    }
}

impl Store for RedbStore {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let snapshot = self.with(|database| {
            let transaction = database.begin_read().map_err(failed)?;
            Ok(Arc::new(RedbSnapshot { transaction, tables: Default::default() }) as Arc<dyn Snapshot>)
        });
        snapshot.inspect_err(|_| self.close())
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.with(|database| write(database, batch)).inspect_err(|_| self.close())
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn has_tables(database: &Database) -> Result<bool, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    for table in Table::ALL {
        match transaction.open_table(definition(table)) {
            Ok(_) => {}
            Err(TableError::TableDoesNotExist(_)) => return Ok(false),
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(true)
}

fn create_tables(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        transaction.open_table(definition(table)).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

fn write(database: &Database, batch: &Batch) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        let mut rows = batch.rows(table).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let mut stored = transaction.open_table(definition(table)).map_err(failed)?;
        for (key, value) in rows {
            match value {
                Some(value) => stored.insert(key, value).map_err(failed)?,
                None => stored.remove(key).map_err(failed)?,
            };
        }
    }
    transaction.commit().map_err(failed)
}

struct RedbSnapshot {
    transaction: ReadTransaction,
    tables: [OnceLock<ReadOnlyTable<&'static [u8], &'static [u8]>>; Table::ALL.len()],
}

impl RedbSnapshot {
    fn table(&self, table: Table) -> Result<&ReadOnlyTable<&'static [u8], &'static [u8]>, StoreError> {
        let cell = &self.tables[table as usize];
        if let Some(rows) = cell.get() {
            return Ok(rows);
        }
        let rows = self.transaction.open_table(definition(table)).map_err(failed)?;
        Ok(cell.get_or_init(|| rows))
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.table(table)?.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        for row in self.table(table)?.range(from..).map_err(failed)? {
            let (key, value) = row.map_err(failed)?;
            if let ControlFlow::Break(()) = visit(key.value(), value.value()) {
                break;
            }
        }
        Ok(())
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

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}
