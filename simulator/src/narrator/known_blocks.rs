//! The blocks that nodes have reported, by hash, each with its parent: forks, branches and intervals follow from them.
//!
//! Bounded: blocks far below the highest one are forgotten, so a run may last for weeks.

use shared::block::{BlockHash, BlockId, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet};

/// How many heights below the highest block are remembered.
const DEPTH: u64 = 5000;

#[derive(Debug, Clone)]
pub(super) struct KnownBlock {
    pub(super) id: BlockId,
    pub(super) prev: BlockHash,
    pub(super) timestamp: Timestamp,
    pub(super) difficulty: u64,
    /// When its finder reported it, in milliseconds since the run began, and the finder.
    pub(super) found: Option<(u64, usize)>,
    /// Whether it came to a node from somebody who is no node.
    pub(super) handed_in: bool,
    /// Nodes that have it, on their best branch or another one.
    pub(super) holders: BTreeSet<usize>,
}

#[derive(Debug, Default)]
pub(super) struct KnownBlocks {
    known: HashMap<BlockHash, KnownBlock>,
    parents: HashSet<BlockHash>,
    highest: u64,
    forks: u64,
    /// Blocks that nobody who is watched has found, and that are forgotten.
    forgotten_from_outside: u64,
}

impl KnownBlock {
    fn is_from_outside(&self) -> bool {
        self.handed_in && self.found.is_none()
    }
}

impl KnownBlocks {
    /// Returns the block `id`, which is remembered from now on.
    pub(super) fn get_or_insert(
        &mut self,
        id: BlockId,
        prev: BlockHash,
        timestamp: Timestamp,
        difficulty: u64,
    ) -> &mut KnownBlock {
        if !self.known.contains_key(&id.hash) {
            // A second child of the same parent is a fork.
            if !self.parents.insert(prev) {
                self.forks += 1;
            }
            if id.index.0 > self.highest {
                self.highest = id.index.0;
                self.forget_deep_blocks();
            }
        }
        self.known.entry(id.hash).or_insert_with(|| KnownBlock {
            id,
            prev,
            timestamp,
            difficulty,
            found: None,
            handed_in: false,
            holders: BTreeSet::new(),
        })
    }

    pub(super) fn get(&self, hash: &BlockHash) -> Option<&KnownBlock> {
        self.known.get(hash)
    }

    /// How often two blocks had the same parent.
    pub(super) const fn forks(&self) -> u64 {
        self.forks
    }

    /// Returns the parent of a block, if that block is remembered.
    pub(super) fn parent(&self, block: BlockId) -> Option<BlockId> {
        let known = self.known.get(&block.hash).filter(|known| known.id.index.0 > 0)?;
        Some(BlockId { index: known.id.index.minus(1), hash: known.prev })
    }

    /// Mean milliseconds between the last `count` blocks up to `tip`, or as many of them as are remembered.
    pub(super) fn mean_interval_ms(&self, tip: &BlockHash, count: usize) -> Option<u64> {
        let chain = || std::iter::successors(self.known.get(tip), |known| self.known.get(&known.prev)).take(count + 1);
        let (last, first) = (chain().next()?, chain().last()?);
        let blocks = i64::try_from(last.id.index.above(first.id.index)).ok().filter(|blocks| *blocks > 0)?;
        u64::try_from(last.timestamp.ms_since(first.timestamp) / blocks).ok()
    }

    /// Blocks above height `base` that were handed in and that no node has found, and how many more are forgotten.
    pub(super) fn outside_blocks(&self, base: u64) -> (HashSet<BlockHash>, u64) {
        let known = self.known.values().filter(|known| known.id.index.0 > base && known.is_from_outside());
        (known.map(|known| known.id.hash).collect(), self.forgotten_from_outside)
    }

    fn forget_deep_blocks(&mut self) {
        if self.known.len() as u64 > 2 * DEPTH {
            let lowest = self.highest.saturating_sub(DEPTH);
            let deep = self.known.values().filter(|known| known.id.index.0 < lowest && known.is_from_outside());
            self.forgotten_from_outside += deep.count() as u64;
            self.known.retain(|_, known| known.id.index.0 >= lowest);
            let parents = self.known.values().map(|known| known.prev).collect();
            self.parents = parents;
        }
    }
}
