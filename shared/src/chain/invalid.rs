//! The memory of blocks that broke a rule of the layer: bounded, oldest forgotten first.
//!
//! Only blocks with valid work get in, so filling it costs its flooder as much as mining the blocks.

use super::{BrokenRule, Entry};
use crate::block::BlockHash;
use crate::wire::{BlockId, BranchStatus, BranchTip};
use std::collections::{HashMap, VecDeque};

const CAPACITY: usize = 1000;

#[derive(Default)]
pub(super) struct Invalid {
    blocks: HashMap<BlockHash, InvalidBlock>,
    order: VecDeque<BlockHash>,
}

struct InvalidBlock {
    tip: BranchTip,
    broken: BrokenRule,
}

impl Invalid {
    pub(super) fn remember(&mut self, entry: &Entry, fork: BlockId, broken: BrokenRule) {
        if self.order.len() == CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.blocks.remove(&oldest);
        }
        let BlockId { index, hash } = entry.id();
        let tip = BranchTip { index, hash, work: entry.work, fork, status: BranchStatus::Invalid };
        if self.blocks.insert(hash, InvalidBlock { tip, broken }).is_none() {
            self.order.push_back(hash);
        }
    }

    /// How the block broke a rule, if it is remembered.
    pub(super) fn verdict(&self, hash: &BlockHash) -> Option<&BrokenRule> {
        self.blocks.get(hash).map(|block| &block.broken)
    }

    /// The newest of them.
    pub(super) fn tips(&self, limit: usize) -> impl Iterator<Item = BranchTip> {
        self.order.iter().rev().take(limit).filter_map(|hash| self.blocks.get(hash)).map(|block| block.tip.clone())
    }
}
