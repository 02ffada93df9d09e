//! Reading a chain from any thread: from snapshots, without waiting for the writer. HTTP serves from here.

use super::published::Published;
use super::tables;
use super::tables::Result;
use super::unflushed::UnflushedIndex;
use super::{ChainEntry, ChainSnapshot, tables::height_bytes};
use crate::block::{Block, BlockHash, BlockId, Header, Height};
use crate::state::Journal;
use crate::store::{Snapshot, Store, StoreError, Table};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Most hashes in a locator (docs/protocol.md §10).
pub const MAX_LOCATOR: usize = 64;

/// A handle for readers of a chain.
#[derive(Clone)]
pub struct ChainView {
    store: Arc<dyn Store>,
    unflushed: UnflushedIndex,
    published: Published,
}

impl ChainView {
    pub(super) fn new(store: Arc<dyn Store>, unflushed: UnflushedIndex, published: Published) -> Self {
        Self { store, unflushed, published }
    }

    /// The chain as of the last commit; it does not change while the reader lives.
    ///
    /// # Errors
    /// Only failures of the store, here and in every method of [`ChainReader`].
    pub fn reader(&self) -> Result<ChainReader> {
        match self.published.newest() {
            Some(newest) => Ok(newest.chain().clone()),
            None => Ok(ChainReader::new(self.store.snapshot()?, self.unflushed.clone())),
        }
    }

    /// The chain and the state after its last block, as of the last commit.
    ///
    /// # Errors
    /// Only failures of the store: the store is being reopened.
    pub fn snapshot(&self) -> Result<Arc<ChainSnapshot>> {
        self.published.newest().ok_or_else(|| StoreError::Failed("it is being opened again".to_owned()))
    }
}

/// A snapshot of the chain. Cheap to clone.
#[derive(Clone)]
pub struct ChainReader {
    rows: Arc<dyn Snapshot>,
    unflushed: UnflushedIndex,
}

impl ChainReader {
    pub(super) fn new(rows: Arc<dyn Snapshot>, unflushed: UnflushedIndex) -> Self {
        Self { rows, unflushed }
    }

    /// The best chain's last block.
    pub fn tip(&self) -> Result<ChainEntry> {
        tables::entry(self.rows(), self.tip_id()?)
    }

    /// Height and hash of the best chain's last block.
    pub fn tip_id(&self) -> Result<BlockId> {
        tables::tip(self.rows())?.ok_or_else(|| StoreError::Damaged("there is no tip".to_owned()))
    }

    /// The best chain's block at `height`.
    pub fn best_at(&self, height: Height) -> Result<Option<BlockId>> {
        Ok(tables::best_hash(self.rows(), height)?.map(|hash| BlockId { index: height, hash }))
    }

    /// A stored block by its hash, on any branch.
    pub fn find(&self, hash: &BlockHash) -> Result<Option<BlockId>> {
        let height = match self.unflushed.find(hash) {
            Some(height) => Some(height),
            None => tables::indexed_height(self.rows(), hash)?,
        };
        let id = height.map(|index| BlockId { index, hash: *hash });
        // The shared index may be ahead of this snapshot.
        Ok(match id {
            Some(id) if tables::find_entry(self.rows(), id)?.is_some() => Some(id),
            _ => None,
        })
    }

    /// Whether a block is stored. Unlike [`ChainReader::find`], which uses the live hash index, this reads the snapshot
    /// alone.
    pub fn has(&self, id: BlockId) -> Result<bool> {
        Ok(tables::find_entry(self.rows(), id)?.is_some())
    }

    /// Whether a block is on the best chain.
    pub fn is_best(&self, id: BlockId) -> Result<bool> {
        Ok(tables::best_hash(self.rows(), id.index)? == Some(id.hash))
    }

    /// The header and work of a stored block.
    pub fn entry(&self, id: BlockId) -> Result<ChainEntry> {
        tables::entry(self.rows(), id)
    }

    /// A stored block.
    pub fn block(&self, id: BlockId) -> Result<Block> {
        tables::block(self.rows(), id)
    }

    /// A stored block's data.
    pub fn data(&self, id: BlockId) -> Result<String> {
        tables::body(self.rows(), &tables::entry(self.rows(), id)?.header)
    }

    /// What undoes a block of the best chain.
    pub(super) fn journal(&self, id: BlockId) -> Result<Journal> {
        tables::journal(self.rows(), id)
    }

    /// Up to `limit` headers of the best chain from height `from` on.
    pub fn headers(&self, from: Height, limit: usize) -> Result<Vec<Header>> {
        let best = self.best_hashes(from, limit)?;
        let mut headers = Vec::with_capacity(best.len());
        self.rows_of(Table::Headers, &best, |id, row| {
            headers.push(tables::parse_header_row(id, row)?.header);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(headers)
    }

    /// Blocks of the best chain from height `from` on: at most `limit`, and at most `bytes` of data, but at least one
    /// if there is one.
    pub fn blocks(&self, from: Height, limit: usize, bytes: usize) -> Result<Vec<Block>> {
        let best = self.best_hashes(from, limit)?;
        self.blocks_of(&best, bytes, None)
    }

    /// The blocks with these hashes in this order, up to the first unknown one and at most `bytes` of data, but at
    /// least one if the first is known.
    pub fn blocks_by_hash(&self, hashes: &[BlockHash], bytes: usize) -> Result<Vec<Block>> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut size = 0;
        let mut guess = hashes.len();
        while let Some(id) = hashes.get(blocks.len()).map(|hash| self.find(hash)).transpose()?.flatten() {
            // Sync requests consecutive blocks of the best chain, which are read in one scan. The length of the next
            // scan is guessed from the previous one, so that hashes in random order cost one read each.
            let wanted = &hashes[blocks.len()..];
            let best = self.best_hashes(id.index, guess.min(wanted.len()))?;
            let run = best.iter().zip(wanted).take_while(|(best, wanted)| best.hash == **wanted).count();
            guess = 2 * run.max(1);
            let ids = if run == 0 { &[id][..] } else { &best[..run] };
            let found = self.blocks_of(ids, bytes, (!blocks.is_empty()).then_some(size))?;
            let all = found.len() == ids.len();
            size += found.iter().map(|block| block.data().len()).sum::<usize>();
            blocks.extend(found);
            if !all {
                break;
            }
        }
        Ok(blocks)
    }

    /// Up to `limit` headers after the first hash of `locator` that is on the best chain; `None` if no hash is.
    pub fn headers_after(&self, locator: &[BlockHash], limit: usize) -> Result<Option<Vec<Header>>> {
        for hash in locator.iter().take(MAX_LOCATOR) {
            if let Some(id) = self.find(hash)?
                && self.is_best(id)?
            {
                return self.headers(id.index.next(), limit).map(Some);
            }
        }
        Ok(None)
    }

    /// Hashes of the best chain, newest first, with growing gaps, ending with genesis: one request then finds where two
    /// chains fork (docs/protocol.md §10).
    pub fn locator(&self) -> Result<Vec<BlockHash>> {
        let tip = self.tip_id()?;
        let (mut hashes, mut height, mut step) = (vec![tip.hash], tip.index, 1);
        while height > Height::GENESIS {
            if hashes.len() >= 10 {
                step *= 2;
            }
            height = height.minus(step);
            hashes.extend(tables::best_hash(self.rows(), height)?);
        }
        Ok(hashes)
    }

    fn rows(&self) -> &dyn Snapshot {
        self.rows.as_ref()
    }

    fn best_hashes(&self, from: Height, limit: usize) -> Result<Vec<BlockId>> {
        let mut ids = Vec::new();
        if limit == 0 {
            return Ok(ids);
        }
        let mut result = Ok(());
        self.rows.scan(Table::Best, &height_bytes(from), &mut |key, row| {
            match tables::parse_height(key).and_then(|index| Ok(BlockId { index, hash: tables::parse_hash(row)? })) {
                Ok(id) => ids.push(id),
                Err(error) => result = Err(error),
            }
            if ids.len() == limit || result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        result.map(|()| ids)
    }

    /// `used`: how many of the `bytes` the previous blocks took. The very first block is returned whatever its size.
    fn blocks_of(&self, ids: &[BlockId], bytes: usize, used: Option<usize>) -> Result<Vec<Block>> {
        let mut bodies = Vec::with_capacity(ids.len());
        let mut size = used;
        self.rows_of(Table::Bodies, ids, |_, row| {
            if size.is_some_and(|size| size + row.len() > bytes) {
                return Ok(ControlFlow::Break(()));
            }
            size = Some(size.unwrap_or(0) + row.len());
            bodies.push(row.to_vec());
            Ok(ControlFlow::Continue(()))
        })?;
        let mut blocks = Vec::with_capacity(bodies.len());
        let ids = &ids[..bodies.len()];
        let mut bodies = bodies.into_iter();
        self.rows_of(Table::Headers, ids, |id, row| {
            let header = tables::parse_header_row(id, row)?.header;
            if let Some(bytes) = bodies.next() {
                let data = tables::parse_body(&header, bytes)?;
                blocks.push(Block::from_store(header, data));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(blocks)
    }

    /// Visits the rows of blocks at consecutive heights in one pass, skipping other branches' rows between them.
    fn rows_of(
        &self,
        table: Table,
        ids: &[BlockId],
        mut visit: impl FnMut(BlockId, &[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let Some(first) = ids.first() else { return Ok(()) };
        let mut wanted = ids.iter();
        let mut next = wanted.next();
        let mut result = Ok(());
        self.rows.scan(table, &tables::block_key(*first), &mut |key, row| {
            let Some(id) = next else { return ControlFlow::Break(()) };
            if key != tables::block_key(*id) {
                return ControlFlow::Continue(());
            }
            next = wanted.next();
            match visit(*id, row) {
                Ok(ControlFlow::Continue(())) if next.is_some() => ControlFlow::Continue(()),
                Ok(_) => {
                    next = None;
                    ControlFlow::Break(())
                }
                Err(error) => {
                    (result, next) = (Err(error), None);
                    ControlFlow::Break(())
                }
            }
        })?;
        result?;
        match next {
            Some(id) => Err(tables::damaged(if table == Table::Bodies { "data" } else { "header" }, *id)),
            None => Ok(()),
        }
    }
}
