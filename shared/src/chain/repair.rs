//! Putting blocks back whose stored rows are damaged: their names are known, so any copy of them can be checked.

use super::{Chain, ChainEntry, tables};
use crate::block::{Block, BlockId, Height};
use crate::store::{StoreError, Table};

impl Chain {
    /// Corrects the hash that is stored for a height of the best chain, if that is what is damaged: no block of the
    /// name `wrong` is stored, and the block above names another parent. Returns whether it was.
    ///
    /// # Errors
    /// Only our own failures.
    pub fn relink(&mut self, wrong: BlockId) -> Result<bool, StoreError> {
        let rows = self.store.snapshot()?;
        let height = wrong.index;
        let is_linked = tables::best_hash(rows.as_ref(), height)? == Some(wrong.hash);
        if !is_linked || rows.get(Table::Headers, &tables::block_key(wrong))?.is_some() {
            return Ok(false);
        }
        let right = match tables::best_hash(rows.as_ref(), height.next())? {
            Some(hash) => tables::entry(rows.as_ref(), BlockId { index: height.next(), hash })?.prev_hash,
            None => self.tip.hash(),
        };
        if right == wrong.hash || tables::find_entry(rows.as_ref(), BlockId { index: height, hash: right })?.is_none() {
            return Ok(false);
        }
        drop(rows);
        self.guarded(
            |_| true,
            |chain| {
                chain.pending.rows.put(Table::Best, tables::height_bytes(height), *right.as_bytes());
                chain.write()
            },
        )?;
        Ok(true)
    }

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
