//! Making durable what was accepted, and going back to what is durable when that fails.

use super::{Chain, ChainReader, ChainSnapshot, SinceFlush, tables};
use crate::store::{StoreError, Table};
use std::sync::Arc;

/// State and index are flushed after this many blocks at the latest …
const FLUSH_BLOCKS: u64 = 50_000;
/// … or this many bytes of data (what a restart after a crash must apply again) …
const FLUSH_DATA_BYTES: u64 = 64 << 20;
/// … or this many bytes of state.
const FLUSH_STATE_BYTES: usize = 32 << 20;

impl Chain {
    /// Whether everything that was accepted is durable.
    pub fn is_committed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Makes everything that was accepted durable.
    ///
    /// # Errors
    /// Our own failure. What was not durable yet is then forgotten, as if it had never come.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.recover()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        let due = self.since_flush.blocks >= FLUSH_BLOCKS
            || self.since_flush.data_bytes >= FLUSH_DATA_BYTES
            || self.state.unflushed_bytes() >= FLUSH_STATE_BYTES;
        if due {
            return self.flush();
        }
        self.pending.put(Table::Meta, tables::TIP, tables::block_key(self.tip.id()));
        self.write_pending()?;
        self.publish()
    }

    /// Makes everything durable and brings the stored state and index up to the tip, so that a restart has nothing to
    /// apply again.
    ///
    /// # Errors
    /// As for [`Chain::commit`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.recover()?;
        for (hash, height) in self.unflushed.rows() {
            self.pending.put(Table::Index, *hash.as_bytes(), tables::height_bytes(height));
        }
        self.state.flush_into(&mut self.pending);
        self.pending.put(Table::Meta, tables::TIP, tables::block_key(self.tip.id()));
        self.pending.put(Table::Meta, tables::FLUSHED, tables::height_bytes(self.tip.index));
        self.write_pending()?;
        self.unflushed.flushed();
        self.state.flushed();
        self.since_flush = SinceFlush::default();
        self.publish()
    }

    fn write_pending(&mut self) -> Result<(), StoreError> {
        let result = self.store.commit(&self.pending);
        self.pending.clear();
        result.inspect_err(|_| {
            self.lost = true;
            // The store wants to be opened again, which readers of the old one would stand in the way of.
            self.published.set(None);
            // If even reading fails now, the next call tries again.
            let _ = self.recover();
        })
    }

    /// Shows readers the chain as it is now, all of which is durable.
    pub(super) fn publish(&mut self) -> Result<(), StoreError> {
        let rows = self.store.snapshot().inspect_err(|_| self.lost = true)?;
        self.state.set_snapshot(rows.clone());
        let reader = ChainReader::new(rows, self.unflushed.clone());
        let newest = ChainSnapshot { tip: self.tip.clone(), reader, state: self.state.clone() };
        self.published.set(Some(Arc::new(newest)));
        Ok(())
    }

    /// Goes back to what the store has, if memory is not in line with it.
    pub(super) fn recover(&mut self) -> Result<(), StoreError> {
        if self.lost {
            let (unflushed, published) = (self.unflushed.clone(), self.published.clone());
            let reopened = Self::open_with(self.rules.clone(), self.store.clone(), self.limits, unflushed, published)?;
            let invalid = std::mem::take(&mut self.invalid);
            let reorganisation = reopened.reorganisation.clone().or(self.reorganisation.take());
            *self = Self { invalid, reorganisation, ..reopened };
        }
        Ok(())
    }
}
