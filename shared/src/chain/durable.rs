//! Making accepted blocks durable, and returning to the durable state after a failure.

use super::{Chain, ChainReader, ChainSnapshot, SinceFlush, tables};
use crate::store::{StoreError, Table};
use std::sync::Arc;

/// State and index are flushed after this many blocks …
const FLUSH_BLOCKS: u64 = 50_000;
/// … or this many bytes of data, since a restart after a crash must apply them again …
const FLUSH_DATA_BYTES: u64 = 64 << 20;
/// … or this many bytes of state, whichever comes first.
const FLUSH_STATE_BYTES: usize = 32 << 20;

impl Chain {
    /// Whether everything that was accepted is durable.
    pub fn is_committed(&self) -> bool {
        self.pending.rows.is_empty()
    }

    /// Makes all accepted blocks durable.
    ///
    /// # Errors
    /// A failure of the store. The chain then forgets the blocks that are not durable, as if they had never been
    /// accepted.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.guarded(|_| true, Self::write)
    }

    /// Makes everything durable and brings the stored state and index up to the tip, so that a restart applies no block
    /// again.
    ///
    /// # Errors
    /// As for [`Chain::commit`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.guarded(|_| true, Self::write_with_state)
    }

    /// Wraps every public method that changes the chain: first makes memory agree with the store, then makes the
    /// change.
    ///
    /// A failure of the store may interrupt a change halfway, so memory is not trusted after one. It is read again from
    /// the store: at once or, if that fails as well, before the next change. `is_failure` distinguishes such failures
    /// from verdicts on a block.
    pub(super) fn guarded<T, E: From<StoreError>>(
        &mut self,
        is_failure: fn(&E) -> bool,
        change: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.recover()?;
        let result = change(self);
        if result.as_ref().is_err_and(is_failure) {
            self.lost = true;
            // The next change tries again and reports the error.
            let _ = self.recover();
        }
        result
    }

    /// Writes the pending rows, together with the state if a flush is due.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if self.pending.rows.is_empty() {
            return Ok(());
        }
        let is_flush_due = self.since_flush.blocks >= FLUSH_BLOCKS
            || self.since_flush.data_bytes >= FLUSH_DATA_BYTES
            || self.state.unflushed_bytes() >= FLUSH_STATE_BYTES;
        if is_flush_due {
            return self.write_with_state();
        }
        self.write_pending()?;
        self.publish()
    }

    /// Writes the pending rows, the state and the index of hashes.
    pub(super) fn write_with_state(&mut self) -> Result<(), StoreError> {
        for (hash, height) in self.unflushed.rows() {
            self.pending.rows.put(Table::Index, *hash.as_bytes(), tables::height_bytes(height));
        }
        self.state.flush_into(&mut self.pending.rows);
        self.pending.rows.put(Table::Meta, tables::FLUSHED, tables::height_bytes(self.tip.index));
        self.write_pending()?;
        self.unflushed.flushed();
        self.state.flushed();
        self.since_flush = SinceFlush::default();
        self.publish()
    }

    fn write_pending(&mut self) -> Result<(), StoreError> {
        self.pending.rows.put(Table::Meta, tables::TIP, tables::block_key(self.tip.id()));
        let result = self.store.commit(&self.pending.rows);
        self.pending.clear();
        // After a failure the store must be reopened, which a snapshot held by readers would block.
        result.inspect_err(|_| self.published.set(None))
    }

    /// Publishes the current chain to readers; all of it is durable.
    pub(super) fn publish(&mut self) -> Result<(), StoreError> {
        let rows = self.store.snapshot()?;
        self.state.set_snapshot(rows.clone());
        let reader = ChainReader::new(rows, self.unflushed.clone());
        let newest = ChainSnapshot { tip: self.tip.clone(), reader, state: self.state.clone() };
        self.published.set(Some(Arc::new(newest)));
        Ok(())
    }

    fn recover(&mut self) -> Result<(), StoreError> {
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
