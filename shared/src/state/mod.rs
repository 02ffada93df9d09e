//! The key-value state that a layer reads and writes, journaled so that undoing a block is generic.
//!
//! Writes never go to the store one by one. A block's writes gather in an [`Overlay`] over the [`State`] of the best chain,
//! a whole reorganisation's in another on trial. Dropping an
//! overlay undoes it; absorbing its writes keeps them. A layer sees only [`StateView`] and never writes undo code.

mod journal;

pub use journal::{Journal, MalformedJournal};

use crate::store::{Batch, Snapshot, Store, StoreError, Table};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A key of the state.
pub type Key = Vec<u8>;
/// Changes by key: a new value, or none where the key was deleted.
pub type Writes = BTreeMap<Key, Option<Vec<u8>>>;

/// Something that knows the value of every key.
pub trait StateRead {
    /// The value of `key`, if it has one.
    ///
    /// # Errors
    /// Only our own failures.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// What a layer may do with the state.
pub trait StateView: StateRead {
    /// Sets the value of `key`.
    fn put(&mut self, key: &[u8], value: Vec<u8>);
    /// Removes `key`.
    fn delete(&mut self, key: &[u8]);
}

/// The state of the best chain: what the store has of it, and the writes since the last flush.
pub struct State {
    store: Arc<dyn Store>,
    /// Opened when first needed after a flush; the state rows do not change in between.
    stored: OnceCell<Box<dyn Snapshot>>,
    writes: Writes,
    bytes: usize,
}

impl State {
    /// The state as `store` has it.
    pub fn stored_in(store: Arc<dyn Store>) -> Self {
        Self { store, stored: OnceCell::new(), writes: Writes::new(), bytes: 0 }
    }

    /// Takes over the writes of an overlay that lay over this state.
    pub fn absorb(&mut self, writes: Writes) {
        self.bytes += writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum::<usize>();
        self.writes.extend(writes);
    }

    /// Roughly how many bytes of writes wait for a flush; overwritten ones count again.
    pub fn unflushed_bytes(&self) -> usize {
        self.bytes
    }

    /// Adds all writes to `batch`. They stay here until [`State::flushed`] says that the batch was committed.
    pub fn flush_into(&self, batch: &mut Batch) {
        for (key, value) in &self.writes {
            match value {
                Some(value) => batch.put(Table::State, key.as_slice(), value.as_slice()),
                None => batch.delete(Table::State, key.as_slice()),
            }
        }
    }

    /// The store has all writes now.
    pub fn flushed(&mut self) {
        self.writes.clear();
        self.bytes = 0;
        self.stored = OnceCell::new();
    }
}

impl StateRead for State {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.writes.get(key) {
            return Ok(value.clone());
        }
        if self.stored.get().is_none() {
            // A second snapshot, were one set meanwhile, would show the same rows.
            let _ = self.stored.set(self.store.snapshot()?);
        }
        self.stored.get().map_or(Ok(None), |stored| stored.get(Table::State, key))
    }
}

/// Writes over a state that they do not touch.
pub struct Overlay<'a> {
    below: &'a dyn StateRead,
    writes: Writes,
}

impl<'a> Overlay<'a> {
    /// No writes yet, over `below`.
    pub fn new(below: &'a dyn StateRead) -> Self {
        Self { below, writes: Writes::new() }
    }

    /// What has to be put back to undo the writes.
    ///
    /// # Errors
    /// Only our own failures, reading the old values.
    pub fn journal(&self) -> Result<Journal, StoreError> {
        let old = self.writes.keys().map(|key| Ok((key.clone(), self.below.get(key)?)));
        old.collect::<Result<_, StoreError>>().map(Journal)
    }

    /// Puts back what `journal` holds: the state is then as it was before the block that the journal is of.
    pub fn undo(&mut self, journal: Journal) {
        self.writes.extend(journal.0);
    }

    /// Takes over the writes of an overlay that lay over this one.
    pub fn absorb(&mut self, writes: Writes) {
        self.writes.extend(writes);
    }

    /// The writes alone, to be absorbed by what lies below.
    pub fn into_writes(self) -> Writes {
        self.writes
    }
}

impl StateRead for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.below.get(key),
        }
    }
}

impl StateView for Overlay<'_> {
    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.writes.insert(key.to_vec(), Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        self.writes.insert(key.to_vec(), None);
    }
}
