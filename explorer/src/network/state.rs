//! The network as it is known at one moment: services, blocks and news. Plain values.

use super::change::Versions;
use super::contents::BlockContents;
use super::split::Split;
use super::words::Words;
use shared::block::{BlockHash, BlockId, Header, Height, Timestamp};
use shared::chain::Tip;
use shared::ledger::{Address, Amount, TransactionId};
use shared::wire::{BlockEvent, Health, Info};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Blocks are kept for this many heights below each tip.
pub(crate) const KEPT_HEIGHTS: u64 = 40;
/// Most heights whose stale blocks are still counted after the blocks were forgotten.
const MAX_PAST_HEIGHTS: usize = 10_000;
/// Most blocks that are kept, on all branches together.
const MAX_KEPT_BLOCKS: usize = 400;

#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkState {
    /// `host:port` of the tracker.
    pub(crate) tracker: String,
    /// Why the last request to the tracker failed; `None` if it did not.
    pub(crate) tracker_error: Option<String>,
    /// By `host:port`.
    pub(crate) nodes: BTreeMap<String, ServiceState>,
    /// By `host:port`.
    pub(crate) mempools: BTreeMap<String, ServiceState>,
    /// The last blocks of all nodes, on all branches; bounded.
    pub(crate) blocks: BTreeMap<BlockHash, BlockSummary>,
    /// The stale blocks at each height of the best chain whose blocks are no longer kept; bounded.
    pub(crate) past_stale: BTreeMap<u64, u64>,
    /// What is in these blocks, as far as it was fetched.
    pub(crate) contents: BTreeMap<BlockHash, Arc<BlockContents>>,
    /// Blocks that a browser found and handed in through this explorer; bounded.
    pub(crate) from_browsers: BTreeSet<BlockHash>,
    /// The last blocks whose finder is no node; bounded.
    pub(crate) outside: Arc<BTreeMap<BlockHash, Outside>>,
    /// The letters of all nodes, those that have gone included, by `host:port`.
    pub(crate) letters: BTreeMap<String, String>,
    /// The split in progress, or the last one.
    pub(crate) split: Option<Split>,
    /// Newest first; bounded.
    pub(crate) news: VecDeque<Arc<NewsItem>>,
    pub(crate) versions: Versions,
}

/// A node or mempool.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceState {
    /// Its last answer to `/info`; `None` if it never answered.
    pub(crate) info: Option<Info>,
    /// When it last answered.
    pub(crate) last_seen: Option<Timestamp>,
    /// Why the last request failed; `None` if it did not.
    pub(crate) error: Option<String>,
    /// The nodes that it exchanges blocks with, as it says.
    pub(crate) linked: BTreeSet<String>,
    /// The nodes that it was told to refuse.
    pub(crate) refused: BTreeSet<String>,
}

/// What is known of a block that a node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockSummary {
    pub(crate) index: Height,
    pub(crate) hash: BlockHash,
    pub(crate) prev_hash: BlockHash,
    pub(crate) timestamp: Timestamp,
    /// When it was heard of; of an older block, its timestamp.
    pub(crate) heard: Timestamp,
    pub(crate) difficulty: u64,
    /// The node that reported it as its own; `None` if none did.
    pub(crate) mined_by: Option<String>,
}

/// How a block came into the network that a browser or another program found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) index: Height,
    /// The node that it was handed in at.
    pub(crate) node: String,
    /// Whether a browser found it; else it is not known what did.
    pub(crate) is_browser: bool,
}

/// Something that happened, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewsItem {
    pub(crate) at: Timestamp,
    pub(crate) topic: Topic,
    pub(crate) text: Words,
    /// The block that the sentence is about.
    pub(crate) block: Option<BlockId>,
    /// The payment that the sentence is about.
    pub(crate) payment: Option<TransactionId>,
    /// Who paid whom, if this is the report of a new payment.
    pub(crate) paid: Option<Paid>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paid {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) amount: Amount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Block,
    /// A fork began or a node left a branch, or links were cut or opened.
    Fork,
    /// All nodes are on one chain again.
    Healed,
    /// A service came or went.
    Service,
    Payment,
}

impl NetworkState {
    /// The best tip of the nodes that answer.
    pub(crate) fn tip(&self) -> Option<Tip> {
        self.answering().map(|(_, tip)| tip).max_by_key(|tip| self.rank(tip))
    }

    /// The order of tips, by work. A tip whose block is not known ranks below all others: a node may only claim it.
    pub(super) fn rank(&self, tip: &Tip) -> impl Ord + use<> {
        (self.blocks.contains_key(&tip.hash), tip.work)
    }

    /// The addresses of the nodes that answer, the one with the best chain first.
    pub(crate) fn best_nodes(&self) -> Vec<String> {
        let mut nodes: Vec<_> = self.answering().collect();
        nodes.sort_by_key(|(_, tip)| Reverse(self.rank(tip)));
        nodes.into_iter().map(|(address, _)| address.clone()).collect()
    }

    /// The addresses of the mempools that answer, the one with the best chain first.
    pub(crate) fn answering_mempools(&self) -> Vec<String> {
        let mut mempools: Vec<_> = self.mempools.iter().filter(|(_, service)| service.error.is_none()).collect();
        mempools.sort_by_key(|(_, service)| Reverse(service.tip().map(|tip| self.rank(&tip))));
        mempools.into_iter().map(|(address, _)| address.clone()).collect()
    }

    /// Whether one of two nodes refuses the other.
    pub(crate) fn is_cut(&self, one: &str, other: &str) -> bool {
        let refuses = |from: &str, to: &str| self.nodes.get(from).is_some_and(|node| node.refused.contains(to));
        refuses(one, other) || refuses(other, one)
    }

    /// Nodes in the order of their letters, as people read them; `A2` comes after `Z`.
    pub(crate) fn by_letter<'a>(&self, nodes: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
        let mut nodes: Vec<&String> = nodes.into_iter().collect();
        nodes.sort_by_key(|node| {
            let letter = self.letters.get(*node).map_or("", String::as_str);
            (letter.is_empty(), letter.len(), letter.to_owned(), (*node).clone())
        });
        nodes
    }

    /// Hashes per second of a usual node: the median of those that mine.
    pub(crate) fn usual_hash_rate(&self) -> Option<u64> {
        let mining = self.nodes.values().filter(|node| node.error.is_none() && node.is_mining());
        let rates = mining.filter_map(|node| Some(node.info.as_ref()?.mining.as_ref()?.hashrate));
        let mut rates: Vec<u64> = rates.filter(|rate| *rate > 0).collect();
        rates.sort_unstable();
        rates.get(rates.len() / 2).copied()
    }

    /// Whether two nodes exchange blocks.
    pub(crate) fn is_linked(&self, one: &str, other: &str) -> bool {
        let has = |from: &str, to: &str| self.nodes.get(from).is_some_and(|node| node.linked.contains(to));
        !self.is_cut(one, other) && (has(one, other) || has(other, one))
    }

    /// The nodes that answer, with their tips.
    pub(crate) fn answering(&self) -> impl Iterator<Item = (&String, Tip)> {
        let nodes = self.nodes.iter().filter(|(_, service)| service.error.is_none());
        nodes.filter_map(|(address, service)| Some((address, service.tip()?)))
    }

    /// A block and its ancestors, as far as they are known, newest first.
    pub(crate) fn chain(&self, tip: BlockHash) -> impl Iterator<Item = &BlockSummary> {
        chain(&self.blocks, tip)
    }

    /// Whether a block between this tip and the lowest kept height is not known yet.
    pub(crate) fn lacks_blocks_of(&self, tip: &Tip) -> bool {
        let known = self.chain(tip.hash).last().map_or(tip.index.next(), |oldest| oldest.index);
        known > lowest_kept(tip.index)
    }

    /// Forgets blocks that are far from every tip, and side blocks above the bound. The distance is not measured from
    /// the best tip alone, because a node that lies about its height would make all other blocks vanish.
    pub(super) fn forget_blocks(&mut self) {
        let highest = self.blocks.values().map(|block| block.index).max();
        let tips: BTreeSet<_> = self.answering().map(|(_, tip)| tip.index).collect();
        let tips = if tips.is_empty() { highest.into_iter().collect() } else { tips };
        let is_near = |index: Height, tip: &Height| {
            (lowest_kept(*tip)..=Height(tip.0.saturating_add(KEPT_HEIGHTS))).contains(&index)
        };
        let is_kept = |block: &BlockSummary| tips.iter().any(|tip| is_near(block.index, tip));
        self.count_stale(|block| !is_kept(block));
        self.blocks.retain(|_, block| is_kept(block));
        let excess = self.blocks.len().saturating_sub(MAX_KEPT_BLOCKS);
        if excess > 0 {
            let best: BTreeSet<_> =
                self.tip().map(|tip| self.chain(tip.hash).map(|block| block.hash).collect()).unwrap_or_default();
            let side = self.blocks.values().filter(|block| !best.contains(&block.hash));
            let mut side: Vec<_> = side.map(|block| (block.index, block.hash)).collect();
            side.sort_unstable();
            side.into_iter().take(excess).for_each(|(_, hash)| drop(self.blocks.remove(&hash)));
        }
        self.contents.retain(|hash, _| self.blocks.contains_key(hash));
    }

    /// Counts the stale blocks among those that are about to be forgotten, by height.
    fn count_stale(&mut self, is_forgotten: impl Fn(&BlockSummary) -> bool) {
        let Some(tip) = self.tip() else { return };
        let best: BTreeMap<u64, BlockHash> = self.chain(tip.hash).map(|block| (block.index.0, block.hash)).collect();
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for block in self.blocks.values().filter(|block| is_forgotten(block)) {
            // What lies below a gap is not judged.
            if let Some(hash) = best.get(&block.index.0) {
                *counts.entry(block.index.0).or_default() += u64::from(*hash != block.hash);
            }
        }
        for (height, stale) in counts {
            *self.past_stale.entry(height).or_default() += stale;
        }
        while self.past_stale.len() > MAX_PAST_HEIGHTS {
            self.past_stale.pop_first();
        }
    }
}

/// The lowest height that is kept below a tip of height `best`.
pub(crate) const fn lowest_kept(best: Height) -> Height {
    best.minus(KEPT_HEIGHTS - 1)
}

/// A block and its ancestors, as far as they are known, newest first. Ends, since heights fall by one.
pub(crate) fn chain(blocks: &BTreeMap<BlockHash, BlockSummary>, tip: BlockHash) -> impl Iterator<Item = &BlockSummary> {
    std::iter::successors(blocks.get(&tip), |block| {
        blocks.get(&block.prev_hash).filter(|parent| parent.index.0.checked_add(1) == Some(block.index.0))
    })
}

impl ServiceState {
    /// What keeps it from its work. Nothing if it does not answer: what it said last is old.
    pub(crate) fn health(&self) -> &[Health] {
        let info = self.info.as_ref().filter(|_| self.error.is_none());
        info.and_then(|info| info.health.as_deref()).unwrap_or_default()
    }

    /// Whether it searches for blocks now: it is enabled, and nothing keeps it from mining.
    pub(crate) fn is_mining(&self) -> bool {
        let is_kept = self.health().iter().any(|health| matches!(health, Health::CannotStore | Health::WaitsForClock));
        let mining = self.info.as_ref().and_then(|info| info.mining.as_ref());
        !is_kept && mining.is_some_and(|mining| mining.enabled)
    }

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
            heard: event.timestamp,
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
            heard: header.timestamp,
            difficulty: header.difficulty.value(),
            mined_by: None,
        }
    }
}
