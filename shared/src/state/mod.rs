//! The key-value state that a layer reads and writes, journaled so that undoing a block is generic.
//!
//! Writes never go to the store one by one. The writes of a block are collected in an [`Overlay`] over the [`State`] of
//! the best chain, those of a reorganisation in an overlay that is tried first. Dropping an overlay undoes its writes;
//! absorbing it keeps them. A layer sees only [`StateView`] and never writes undo code.
//!
//! A layer may also write *history*: rows that no rule reads (address, height, balance after it). They are kept only in
//! services that serve them, and undone with their block like all others.

mod journal;

pub use journal::{Journal, MalformedJournal};

use crate::store::{Batch, Snapshot, StoreError, Table, Visit};
use imbl::OrdMap;
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// A key of the state.
pub type Key = Arc<[u8]>;
/// A value of the state.
pub type Value = Arc<[u8]>;
/// Changes by key: a new value, or `None` if the key was deleted.
pub type Writes = BTreeMap<Key, Option<Value>>;

/// Something that knows the value of every key.
pub trait StateRead {
    /// The value of `key`, if it has one.
    ///
    /// # Errors
    /// Only failures of the store.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError>;

    /// Whether the history is kept; if not, writing it does nothing.
    fn keeps_history(&self) -> bool;
}

/// What a layer may do with the state.
pub trait StateView: StateRead {
    /// Sets the value of `key`.
    fn put(&mut self, key: &[u8], value: &[u8]);
    /// Removes `key`.
    fn delete(&mut self, key: &[u8]);
    /// Sets the value of `key`, which no rule reads, if the history is kept.
    fn put_history(&mut self, key: &[u8], value: &[u8]) {
        if self.keeps_history() {
            self.put(key, value);
        }
    }
}

/// The state of the best chain: the rows of a store as of its last flush, and the writes since.
///
/// Cheap to clone: clones share their common content, so a reader can keep one while the chain grows.
#[derive(Clone)]
pub struct State {
    stored: Arc<dyn Snapshot>,
    writes: OrdMap<Key, Option<Value>>,
    bytes: usize,
    keeps_history: bool,
}

impl State {
    /// The state in `stored`, without writes.
    pub fn stored_in(stored: Arc<dyn Snapshot>, keeps_history: bool) -> Self {
        Self { stored, writes: OrdMap::new(), bytes: 0, keeps_history }
    }

    /// Takes over the writes of an overlay that lay over this state.
    pub fn absorb(&mut self, writes: Writes) {
        self.bytes +=
            writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, |v| v.len())).sum::<usize>();
        self.writes.extend(writes);
    }

    /// Roughly the bytes of the writes since the last flush; overwritten ones count again.
    pub fn unflushed_bytes(&self) -> usize {
        self.bytes
    }

    /// Adds all writes to `batch`. They stay here until [`State::flushed`], after the batch is committed.
    pub fn flush_into(&self, batch: &mut Batch) {
        for (key, value) in &self.writes {
            match value {
                Some(value) => batch.put(Table::State, key, value),
                None => batch.delete(Table::State, key),
            }
        }
    }

    /// Drops the writes, which are in the store now.
    pub fn flushed(&mut self) {
        self.writes = OrdMap::new();
        self.bytes = 0;
    }

    /// Reads from a newer snapshot, so that the store need not keep the rows of the old one.
    ///
    /// State rows change only in a flush, so any snapshot since the last one shows the same.
    pub fn set_snapshot(&mut self, stored: Arc<dyn Snapshot>) {
        self.stored = stored;
    }

    /// Visits the rows from `from` on in ascending order, until `visit` stops it.
    ///
    /// # Errors
    /// Only failures of the store.
    pub fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let mut writes = self.writes.range::<_, [u8]>((Bound::Included(from), Bound::Unbounded)).peekable();
        let mut stopped = false;
        self.stored.scan(Table::State, from, &mut |key, value| {
            let mut is_overwritten = false;
            while let Some((written, change)) = writes.next_if(|(written, _)| written.as_ref() <= key) {
                is_overwritten = written.as_ref() == key;
                if let Some(change) = change
                    && visit(written, change).is_break()
                {
                    stopped = true;
                    return ControlFlow::Break(());
                }
            }
            if !is_overwritten && visit(key, value).is_break() {
                stopped = true;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        for (key, change) in writes {
            if stopped {
                break;
            }
            stopped = change.as_ref().is_some_and(|value| visit(key, value).is_break());
        }
        Ok(())
    }
}

impl StateRead for State {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => Ok(self.stored.get(Table::State, key)?.map(Value::from)),
        }
    }

    fn keeps_history(&self) -> bool {
        self.keeps_history
    }
}

/// Writes on top of a state that stays unchanged.
pub struct Overlay<'a> {
    below: &'a dyn StateRead,
    writes: Writes,
}

impl<'a> Overlay<'a> {
    /// An overlay without writes over `below`.
    pub fn new(below: &'a dyn StateRead) -> Self {
        Self { below, writes: Writes::new() }
    }

    /// The journal that undoes the writes.
    ///
    /// # Errors
    /// Only failures of the store, reading the old values.
    pub fn journal(&self) -> Result<Journal, StoreError> {
        let old = self.writes.keys().map(|key| Ok((key.clone(), self.below.get(key)?)));
        old.collect::<Result<_, StoreError>>().map(Journal)
    }

    /// Restores the old values in `journal`: the state is then that before the journal's block.
    pub fn undo(&mut self, journal: Journal) {
        self.writes.extend(journal.0);
    }

    /// Takes over the writes of an overlay that lay over this one.
    pub fn absorb(&mut self, writes: Writes) {
        self.writes.extend(writes);
    }

    /// The writes alone, to be absorbed by the state or overlay below.
    pub fn into_writes(self) -> Writes {
        self.writes
    }
}

impl StateRead for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.below.get(key),
        }
    }

    fn keeps_history(&self) -> bool {
        self.below.keeps_history()
    }
}

impl StateView for Overlay<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        self.writes.insert(key.into(), Some(value.into()));
    }

    fn delete(&mut self, key: &[u8]) {
        self.writes.insert(key.into(), None);
    }
}
