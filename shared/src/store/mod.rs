//! The storage of a chain: ordered tables of bytes, snapshots, and atomic durable batches.
//!
//! The trait is small, so that it is easy to implement: `runtime` implements it with redb, tests and simulations use
//! the [`MemoryStore`]. The modules that write the bytes define their meaning (`chain::tables`).

mod memory;

pub use memory::MemoryStore;

use crate::block::BlockId;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The tables. Each orders its rows by key, bytewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Height and hash → header and work.
    Headers,
    /// Height and hash → data.
    Bodies,
    /// Height → hash, of the best chain only.
    Best,
    /// Hash → height, of every stored block but the best chain's above the flushed height.
    Index,
    /// Height and hash → size, of stored blocks that are not on the best chain.
    SideBlocks,
    /// Height and hash → journal, of best-chain blocks that changed the state.
    Undo,
    /// The layer's state as of the flushed height.
    State,
    /// Single values by name.
    Meta,
}

impl Table {
    /// All tables, in the order of their numbers.
    pub const ALL: [Self; 8] =
        [Self::Headers, Self::Bodies, Self::Best, Self::Index, Self::SideBlocks, Self::Undo, Self::State, Self::Meta];
}

/// Our own failure to read or write, which says nothing about a block or its sender (docs/protocol.md §4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk or the database failed.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A row is missing or cannot be read.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// What is stored of a block is missing or does not hash to the block's name; another copy of it repairs that.
    #[error("what is stored of block {} {} is damaged: {what}", id.index, id.hash)]
    DamagedBlock {
        /// The block that should be there.
        id: BlockId,
        /// Its row that is damaged.
        what: &'static str,
    },
    /// The store holds the chain of another network.
    #[error("the store holds another network, whose genesis is {found}")]
    OtherNetwork {
        /// The genesis hash that it holds.
        found: String,
    },
}

/// Receives a row's key and value, and returns whether to continue.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A state of the store that does not change while it is read.
pub trait Snapshot: Send + Sync {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// Only failures of the store.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits rows in ascending order from `from` on, until `visit` stops it.
    ///
    /// # Errors
    /// Only failures of the store.
    fn scan(&self, table: Table, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;
}

/// A store with one writer and many readers that do not wait for one another.
pub trait Store: Send + Sync {
    /// The current content of the store.
    ///
    /// # Errors
    /// Only failures of the store.
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError>;

    /// Writes the whole batch or nothing. On `Ok` it survives a crash.
    ///
    /// # Errors
    /// Only failures of the store. The store may be used again afterwards.
    fn commit(&self, batch: &Batch) -> Result<(), StoreError>;
}

/// One row to write: a key and its new value, or `None` to delete it.
pub type Row<'a> = (&'a [u8], Option<&'a [u8]>);

/// Rows to write together. Keys and values lie in one buffer a table, which is kept when the batch is cleared.
#[derive(Debug, Default)]
pub struct Batch {
    tables: [Rows; Table::ALL.len()],
}

#[derive(Debug, Default)]
struct Rows {
    bytes: Vec<u8>,
    /// Lengths of key and value; `None` deletes the row.
    lengths: Vec<(usize, Option<usize>)>,
}

impl Batch {
    /// Sets the value of `key`.
    pub fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (key, value) = (key.as_ref(), value.as_ref());
        let rows = &mut self.tables[table as usize];
        rows.bytes.extend_from_slice(key);
        rows.bytes.extend_from_slice(value);
        rows.lengths.push((key.len(), Some(value.len())));
    }

    /// Deletes the row of `key`, if there is one.
    pub fn delete(&mut self, table: Table, key: impl AsRef<[u8]>) {
        let rows = &mut self.tables[table as usize];
        rows.bytes.extend_from_slice(key.as_ref());
        rows.lengths.push((key.as_ref().len(), None));
    }

    /// The rows of one table, in the order in which they are to be written.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = Row<'_>> {
        let Rows { bytes, lengths } = &self.tables[table as usize];
        let mut rest = bytes.as_slice();
        lengths.iter().map(move |(key, value)| {
            let mut take = |length| {
                let (part, after) = rest.split_at(length);
                rest = after;
                part
            };
            (take(*key), value.map(take))
        })
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(|rows| rows.lengths.is_empty())
    }

    /// Drops the rows, but keeps the buffers.
    pub fn clear(&mut self) {
        for rows in &mut self.tables {
            rows.bytes.clear();
            rows.lengths.clear();
        }
    }
}
