//! A picture of the network at a moment: services, blocks, news. Plain values.

use shared::block::{BlockHash, Height, Timestamp};
use shared::wire::{BlockId, Info, Tip};
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// The network as it was seen last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picture {
    /// Why the tracker does not answer, if it does not.
    pub(crate) tracker_error: Option<String>,
    /// The nodes, by address.
    pub(crate) nodes: BTreeMap<String, Contact>,
    /// The mempools, by address.
    pub(crate) mempools: BTreeMap<String, Contact>,
    /// The last blocks that anybody has, on whichever branch; bounded.
    pub(crate) blocks: BTreeMap<BlockHash, Seen>,
    /// What happened lately, newest first; bounded.
    pub(crate) ticker: VecDeque<Fact>,
}

/// A node or mempool.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    /// What it said of itself last.
    pub(crate) info: Option<Info>,
    /// When it answered last.
    pub(crate) last_seen: Option<Timestamp>,
    /// Why it does not answer, if it does not.
    pub(crate) error: Option<String>,
}

/// A block that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
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
pub(crate) struct Fact {
    pub(crate) at: Timestamp,
    pub(crate) words: String,
    /// The block that it is about.
    pub(crate) block: Option<BlockId>,
}

impl Picture {
    /// The best tip that a node answers with.
    pub(crate) fn tip(&self) -> Option<Tip> {
        self.answering().map(|(_, tip)| tip).max_by_key(|tip| tip.work)
    }

    /// The nodes that answer, the one with the best chain first.
    pub(crate) fn best_nodes(&self) -> Vec<String> {
        let mut nodes: Vec<_> = self.answering().collect();
        nodes.sort_by_key(|(_, tip)| Reverse(tip.work));
        nodes.into_iter().map(|(address, _)| address.clone()).collect()
    }

    /// The mempools that answer, the one with the best chain first.
    pub(crate) fn answering_mempools(&self) -> Vec<String> {
        let mut mempools: Vec<_> = self.mempools.iter().filter(|(_, contact)| contact.error.is_none()).collect();
        mempools.sort_by_key(|(_, contact)| Reverse(contact.tip().map(|tip| tip.work)));
        mempools.into_iter().map(|(address, _)| address.clone()).collect()
    }

    fn answering(&self) -> impl Iterator<Item = (&String, Tip)> {
        let nodes = self.nodes.iter().filter(|(_, contact)| contact.error.is_none());
        nodes.filter_map(|(address, contact)| Some((address, contact.tip()?)))
    }
}

impl Contact {
    /// Where it stands.
    pub(crate) fn tip(&self) -> Option<Tip> {
        self.info.as_ref().and_then(|info| info.tip)
    }
}
