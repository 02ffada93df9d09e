//! A bounded record of blocks that broke a rule of the layer; the oldest are forgotten first.
//!
//! Only blocks with valid work get in, so flooding it costs as much as mining the blocks.

use super::{BlockViolation, BranchStatus, BranchTip, ChainEntry};
use crate::block::{BlockHash, BlockId};
use std::collections::{HashMap, VecDeque};

const CAPACITY: usize = 1000;

#[derive(Default)]
pub(super) struct InvalidBlocks {
    blocks: HashMap<BlockHash, InvalidBlock>,
    order: VecDeque<BlockHash>,
}

struct InvalidBlock {
    prev_hash: BlockHash,
    tip: BranchTip,
    violation: BlockViolation,
}

impl InvalidBlocks {
    pub(super) fn remember(&mut self, entry: &ChainEntry, fork: BlockId, violation: BlockViolation) {
        if self.order.len() == CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.blocks.remove(&oldest);
        }
        let BlockId { index, hash } = entry.id();
        let tip = BranchTip { index, hash, work: entry.work, fork, status: BranchStatus::Invalid };
        if self.blocks.insert(hash, InvalidBlock { prev_hash: entry.prev_hash, tip, violation }).is_none() {
            self.order.push_back(hash);
        }
    }

    /// Updates where each block's branch leaves the best chain, after the best chain has changed from `changed` on.
    ///
    /// `leaves_at` returns that height for stored blocks that were not below `changed`.
    pub(super) fn update_forks(&mut self, changed: BlockId, leaves_at: impl Fn(&BlockHash) -> Option<BlockId>) {
        let mut ids: Vec<_> = self.blocks.values().map(|block| (block.tip.index, block.tip.hash)).collect();
        ids.sort_unstable();
        for (_, hash) in ids {
            let Some(block) = self.blocks.get(&hash) else { continue };
            let parent = block.prev_hash;
            let invalid_parent = self.blocks.get(&parent).map(|parent| parent.tip.fork);
            let left = if block.tip.fork.index > changed.index { changed } else { block.tip.fork };
            let fork = invalid_parent.or_else(|| leaves_at(&parent)).unwrap_or(left);
            if let Some(block) = self.blocks.get_mut(&hash) {
                block.tip.fork = fork;
            }
        }
    }

    /// The rule that the block broke, if it is recorded.
    pub(super) fn violation(&self, hash: &BlockHash) -> Option<&BlockViolation> {
        self.blocks.get(hash).map(|block| &block.violation)
    }

    /// The newest invalid blocks.
    pub(super) fn tips(&self, limit: usize) -> impl Iterator<Item = BranchTip> {
        self.order.iter().rev().take(limit).filter_map(|hash| self.blocks.get(hash)).map(|block| block.tip.clone())
    }
}
