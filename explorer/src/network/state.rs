//! A picture of the network at a moment: services, blocks, news. Plain values.

use super::Change;
use shared::block::{BlockHash, BlockId, Header, Height, Timestamp};
use shared::chain::Tip;
use shared::ledger::TransactionId;
use shared::wire::{BlockEvent, Info};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many heights of blocks are kept, the highest ones.
pub(crate) const KEPT_HEIGHTS: u64 = 40;
/// How many blocks are kept, on all branches.
const MAX_KEPT_BLOCKS: usize = 400;

/// The network as it was seen last.
#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkState {
    /// Who names the services.
    pub(crate) tracker: String,
    /// Why the tracker does not answer, if it does not.
    pub(crate) tracker_error: Option<String>,
    /// The nodes, by address.
    pub(crate) nodes: BTreeMap<String, ServiceState>,
    /// The mempools, by address.
    pub(crate) mempools: BTreeMap<String, ServiceState>,
    /// The last blocks that anybody has, on whichever branch; bounded.
    pub(crate) blocks: BTreeMap<BlockHash, BlockSummary>,
    /// What happened lately, newest first; bounded.
    pub(crate) news: VecDeque<NewsItem>,
    /// How often each part has changed.
    pub(crate) versions: Versions,
}

/// A node or mempool.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceState {
    /// What it said of itself last.
    pub(crate) info: Option<Info>,
    /// When it answered last.
    pub(crate) last_seen: Option<Timestamp>,
    /// Why it does not answer, if it does not.
    pub(crate) error: Option<String>,
}

/// A block that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockSummary {
    pub(crate) index: Height,
    pub(crate) hash: BlockHash,
    pub(crate) prev_hash: BlockHash,
    pub(crate) timestamp: Timestamp,
    pub(crate) difficulty: u64,
    /// Where it was mined, if somebody said so.
    pub(crate) mined_by: Option<String>,
}

/// Something that happened, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewsItem {
    pub(crate) at: Timestamp,
    pub(crate) topic: Topic,
    pub(crate) text: String,
    /// The block that it is about.
    pub(crate) block: Option<BlockId>,
    /// The payment that it is about.
    pub(crate) payment: Option<TransactionId>,
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A block was found.
    Block,
    /// Branches began or ended.
    Fork,
    /// A node or mempool came or went.
    Service,
    /// Money moves.
    Payment,
}

/// How often each part of a picture has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Versions([u64; Change::ALL.len()]);

impl Versions {
    pub(super) fn mark(&mut self, change: Change) {
        self.0[change as usize] += 1;
    }

    pub(super) fn changed_since(&self, earlier: &Self) -> Vec<Change> {
        Change::ALL.into_iter().filter(|change| self.0[*change as usize] != earlier.0[*change as usize]).collect()
    }
}

impl NetworkState {
    /// The best tip that a node answers with.
    pub(crate) fn tip(&self) -> Option<Tip> {
        self.answering().map(|(_, tip)| tip).max_by_key(|tip| self.rank(tip))
    }

    /// How good a tip is: by its work, but what a node only claims comes after every tip whose block was shown.
    pub(super) fn rank(&self, tip: &Tip) -> impl Ord + use<> {
        (self.blocks.contains_key(&tip.hash), tip.work)
    }

    /// The nodes that answer, the one with the best chain first.
    pub(crate) fn best_nodes(&self) -> Vec<String> {
        let mut nodes: Vec<_> = self.answering().collect();
        nodes.sort_by_key(|(_, tip)| Reverse(self.rank(tip)));
        nodes.into_iter().map(|(address, _)| address.clone()).collect()
    }

    /// The mempools that answer, the one with the best chain first.
    pub(crate) fn answering_mempools(&self) -> Vec<String> {
        let mut mempools: Vec<_> = self.mempools.iter().filter(|(_, service)| service.error.is_none()).collect();
        mempools.sort_by_key(|(_, service)| Reverse(service.tip().map(|tip| self.rank(&tip))));
        mempools.into_iter().map(|(address, _)| address.clone()).collect()
    }

    /// The nodes that answer, and where each stands.
    pub(crate) fn answering(&self) -> impl Iterator<Item = (&String, Tip)> {
        let nodes = self.nodes.iter().filter(|(_, service)| service.error.is_none());
        nodes.filter_map(|(address, service)| Some((address, service.tip()?)))
    }

    /// A block and its ancestors, as far as they are known, newest first.
    pub(crate) fn chain(&self, tip: BlockHash) -> impl Iterator<Item = &BlockSummary> {
        chain(&self.blocks, tip)
    }

    /// Whether blocks between a tip and the lowest height that is kept are not known yet.
    pub(super) fn lacks_blocks_of(&self, tip: &Tip) -> bool {
        let known = self.chain(tip.hash).last().map_or(tip.index.next(), |oldest| oldest.index);
        known > lowest_kept(tip.index)
    }

    /// Forgets blocks that are far from every tip, or too many. Not from the best tip alone: a node that lies about its
    /// height would make everybody's blocks vanish.
    pub(super) fn forget_blocks(&mut self) {
        let highest = self.blocks.values().map(|block| block.index).max();
        let tips: BTreeSet<_> = self.answering().map(|(_, tip)| tip.index).collect();
        let tips = if tips.is_empty() { highest.into_iter().collect() } else { tips };
        let is_near = |index: Height, tip: &Height| {
            (lowest_kept(*tip)..=Height(tip.0.saturating_add(KEPT_HEIGHTS))).contains(&index)
        };
        self.blocks.retain(|_, block| tips.iter().any(|tip| is_near(block.index, tip)));
        let excess = self.blocks.len().saturating_sub(MAX_KEPT_BLOCKS);
        if excess > 0 {
            let best: BTreeSet<_> =
                self.tip().map(|tip| self.chain(tip.hash).map(|block| block.hash).collect()).unwrap_or_default();
            let side = self.blocks.values().filter(|block| !best.contains(&block.hash));
            let mut side: Vec<_> = side.map(|block| (block.index, block.hash)).collect();
            side.sort_unstable();
            side.into_iter().take(excess).for_each(|(_, hash)| drop(self.blocks.remove(&hash)));
        }
    }
}

/// The lowest height that is kept while the best tip has height `best`.
pub(super) const fn lowest_kept(best: Height) -> Height {
    best.minus(KEPT_HEIGHTS - 1)
}

/// A block and its ancestors, as far as they are known, newest first. Heights fall by one, so it ends.
pub(crate) fn chain(blocks: &BTreeMap<BlockHash, BlockSummary>, tip: BlockHash) -> impl Iterator<Item = &BlockSummary> {
    std::iter::successors(blocks.get(&tip), |block| {
        blocks.get(&block.prev_hash).filter(|parent| parent.index.0.checked_add(1) == Some(block.index.0))
    })
}

impl ServiceState {
    /// Where it stands.
    pub(crate) fn tip(&self) -> Option<Tip> {
        self.info.as_ref().and_then(|info| info.tip)
    }
}

impl From<&BlockEvent> for BlockSummary {
    fn from(event: &BlockEvent) -> Self {
        Self {
            index: event.index,
            hash: event.hash,
            prev_hash: event.prev_hash,
            timestamp: event.timestamp,
            difficulty: event.difficulty.value(),
            mined_by: None,
        }
    }
}

impl From<&Header> for BlockSummary {
    fn from(header: &Header) -> Self {
        Self {
            index: header.index,
            hash: header.hash(),
            prev_hash: header.prev_hash,
            timestamp: header.timestamp,
            difficulty: header.difficulty.value(),
            mined_by: None,
        }
    }
}
