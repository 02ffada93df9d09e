//! The rows of the next commit. Queries look here first, so that they see accepted blocks before these are written.

use super::{ChainEntry, tables};
use crate::block::BlockHash;
use crate::store::{Batch, Table};
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Pending {
    pub(super) rows: Batch,
    /// The entries of the blocks in `rows`.
    entries: HashMap<BlockHash, ChainEntry>,
}

impl Pending {
    pub(super) fn put_block(&mut self, entry: &ChainEntry, data: &str) {
        let key = tables::block_key(entry.id());
        self.rows.put(Table::Headers, key, tables::header_row(entry));
        self.rows.put(Table::Bodies, key, data);
        self.entries.insert(entry.hash(), entry.clone());
    }

    pub(super) fn delete_side_block(&mut self, entry: &ChainEntry) {
        let key = tables::block_key(entry.id());
        for table in [Table::Headers, Table::Bodies, Table::SideBlocks] {
            self.rows.delete(table, key);
        }
        self.rows.delete(Table::Index, *entry.hash().as_bytes());
        self.entries.remove(&entry.hash());
    }

    pub(super) fn entry(&self, hash: &BlockHash) -> Option<&ChainEntry> {
        self.entries.get(hash)
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.entries.clear();
    }
}
