//! The stored blocks that are not on the best chain: bounded in bytes and number, the lightest branches go first.

use super::{BranchStatus, BranchTip, ChainEntry};
use crate::block::{BlockHash, BlockId};
use crate::work::Work;
use std::collections::{BTreeSet, HashMap};

/// Limits of what is stored beside the best chain.
#[derive(Debug, Clone, Copy)]
pub struct SideLimits {
    /// Bytes of data.
    pub bytes: u64,
    /// Number of blocks.
    pub blocks: usize,
    /// How far below the tip the branch of a pushed block may leave the best chain, in blocks.
    pub depth: u64,
    /// How much lighter than the best chain a pushed block's branch may be, in tip difficulties.
    pub lag: u32,
}

impl Default for SideLimits {
    /// docs/protocol.md §4; the caps in bytes and blocks are ours.
    fn default() -> Self {
        Self { bytes: 64 << 20, blocks: 100_000, depth: 1000, lag: 100 }
    }
}

/// A stored block that is not on the best chain.
#[derive(Debug, Clone)]
pub(super) struct SideBlock {
    pub(super) entry: ChainEntry,
    pub(super) bytes: u64,
    /// Where its branch leaves the best chain.
    pub(super) fork: BlockId,
    /// Fetched because the headers of its branch outweigh the best chain, so it is not evicted before that is decided.
    pub(super) wanted: bool,
}

#[derive(Default)]
pub(super) struct SideBranches {
    blocks: HashMap<BlockHash, SideBlock>,
    children: HashMap<BlockHash, Vec<BlockHash>>,
    /// Side blocks without children, by work.
    leaves: BTreeSet<(Work, BlockHash)>,
    bytes: u64,
}

impl SideBranches {
    pub(super) fn get(&self, hash: &BlockHash) -> Option<&SideBlock> {
        self.blocks.get(hash)
    }

    pub(super) fn insert(&mut self, side: SideBlock) {
        let (hash, parent, work) = (side.entry.hash(), side.entry.prev_hash, side.entry.work);
        self.bytes += side.bytes;
        if self.blocks.insert(hash, side).is_some() {
            return;
        }
        if let Some(parent_side) = self.blocks.get(&parent) {
            self.leaves.remove(&(parent_side.entry.work, parent));
        }
        self.children.entry(parent).or_default().push(hash);
        if !self.children.contains_key(&hash) {
            self.leaves.insert((work, hash));
        }
    }

    pub(super) fn remove(&mut self, hash: &BlockHash) -> Option<SideBlock> {
        let side = self.blocks.remove(hash)?;
        self.bytes -= side.bytes;
        self.leaves.remove(&(side.entry.work, *hash));
        let parent = side.entry.prev_hash;
        if let Some(siblings) = self.children.get_mut(&parent) {
            siblings.retain(|sibling| sibling != hash);
            if siblings.is_empty() {
                self.children.remove(&parent);
                if let Some(parent_side) = self.blocks.get(&parent) {
                    self.leaves.insert((parent_side.entry.work, parent));
                }
            }
        }
        Some(side)
    }

    /// Removes the block and its descendants, and returns them, parents first.
    pub(super) fn remove_with_descendants(&mut self, hash: &BlockHash) -> Vec<SideBlock> {
        let mut doomed = vec![*hash];
        let mut done = 0;
        while done < doomed.len() {
            let parent = doomed[done];
            done += 1;
            doomed.extend(self.children.get(&parent).into_iter().flatten());
        }
        let mut removed: Vec<_> = doomed.iter().rev().filter_map(|hash| self.remove(hash)).collect();
        removed.reverse();
        removed
    }

    /// The branch from the best chain up to `hash`, oldest first; empty if it is not stored.
    pub(super) fn path_to(&self, hash: &BlockHash) -> Vec<ChainEntry> {
        let mut path = Vec::new();
        let mut next = *hash;
        while let Some(side) = self.blocks.get(&next) {
            next = side.entry.prev_hash;
            path.push(side.entry.clone());
        }
        path.reverse();
        path
    }

    pub(super) fn heaviest(&self) -> Option<&ChainEntry> {
        self.leaves.last().and_then(|(_, hash)| self.blocks.get(hash)).map(|side| &side.entry)
    }

    /// The lightest unprotected leaf, to be evicted if more is stored than `limits` allow.
    pub(super) fn to_evict(&self, limits: &SideLimits) -> Option<BlockHash> {
        if self.bytes <= limits.bytes && self.blocks.len() <= limits.blocks {
            return None;
        }
        let unwanted = |hash: &&BlockHash| self.blocks.get(*hash).is_some_and(|side| !side.wanted);
        self.leaves.iter().map(|(_, hash)| hash).find(unwanted).copied()
    }

    /// Ends the protection of blocks that were fetched for a branch.
    pub(super) fn clear_wanted(&mut self) {
        for side in self.blocks.values_mut() {
            side.wanted = false;
        }
    }

    /// All blocks, parents before children.
    pub(super) fn ids(&self) -> Vec<BlockId> {
        let mut ids: Vec<_> = self.blocks.values().map(|side| side.entry.id()).collect();
        ids.sort_unstable_by_key(|id| (id.index, id.hash));
        ids
    }

    pub(super) fn set_fork(&mut self, hash: &BlockHash, fork: BlockId) {
        if let Some(side) = self.blocks.get_mut(hash) {
            side.fork = fork;
        }
    }

    /// The heaviest branch tips.
    pub(super) fn tips(&self, limit: usize) -> impl Iterator<Item = BranchTip> {
        let heaviest = self.leaves.iter().rev().take(limit).filter_map(|(_, hash)| self.blocks.get(hash));
        heaviest.map(|side| {
            let BlockId { index, hash } = side.entry.id();
            BranchTip { index, hash, work: side.entry.work, fork: side.fork, status: BranchStatus::Side }
        })
    }
}
