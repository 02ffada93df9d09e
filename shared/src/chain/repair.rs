//! Putting blocks back whose stored rows are damaged: their names are known, so any copy of them can be checked.

use super::{Chain, ChainEntry, tables};
use crate::block::{Block, BlockId, Height};
use crate::store::StoreError;

impl Chain {
    /// Stores a block of the best chain or of a side branch again, durably. Returns whether it is such a block; another
    /// one changes nothing.
    ///
    /// # Errors
    /// Only our own failures. [`StoreError::DamagedBlock`] if the parent is damaged too and must be restored first.
    pub fn restore(&mut self, block: &Block) -> Result<bool, StoreError> {
        let header = block.header().clone();
        let id = BlockId { index: header.index, hash: header.hash() };
        let rows = self.store.snapshot()?;
        let is_best = tables::best_hash(rows.as_ref(), id.index)? == Some(id.hash);
        if !is_best && self.side_branches.get(&id.hash).is_none() {
            return Ok(false);
        }
        let entry = if id.index == Height::GENESIS {
            ChainEntry::genesis(header)
        } else {
            let parent = BlockId { index: id.index.minus(1), hash: header.prev_hash };
            tables::entry(rows.as_ref(), parent)?.child(header)
        };
        drop(rows);
        self.guarded(
            |_| true,
            |chain| {
                chain.pending.put_block(&entry, block.data());
                chain.write()
            },
        )?;
        Ok(true)
    }
}
