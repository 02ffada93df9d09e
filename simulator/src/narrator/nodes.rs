//! The narrator's record of each node: what the node has reported, and whether it takes part. In a network that was
//! found nodes come and go; one that is absent is on no branch, and no line waits for it.

use super::Narrator;
use crate::event::RunEvent;
use shared::block::{BlockId, Height};
use shared::work::Work;

#[derive(Debug, Clone)]
pub(super) struct NarratedNode {
    pub(super) name: String,
    pub(super) tip: BlockId,
    /// The work of the chain up to `tip`; 0 at genesis.
    pub(super) work: Work,
    /// Blocks that it mined.
    pub(super) found: u64,
    /// Hashes per second.
    pub(super) hashrate: u64,
    pub(super) catching_up: Option<CatchUp>,
    pub(super) is_present: bool,
}

/// Blocks that a node fetches, collected for one line.
#[derive(Debug, Clone)]
pub(super) struct CatchUp {
    pub(super) since_ms: u64,
    pub(super) blocks: u64,
    pub(super) last: BlockId,
    pub(super) is_reorganisation: bool,
}

impl NarratedNode {
    pub(super) const fn new(name: String, genesis: BlockId) -> Self {
        Self { name, tip: genesis, work: Work(0), found: 0, hashrate: 0, catching_up: None, is_present: true }
    }

    pub(super) fn has_reorganised_to(&self, block: BlockId) -> bool {
        self.catching_up.as_ref().is_some_and(|catch_up| catch_up.is_reorganisation && catch_up.last == block)
    }

    /// A tip with less work is an old report: a node never goes back.
    pub(super) fn move_tip(&mut self, tip: BlockId, work: Work) {
        if work > self.work {
            (self.tip, self.work) = (tip, work);
        }
    }
}

impl Narrator {
    /// Adds a node, which gets the next number.
    pub fn add_node(&mut self, at_ms: u64, name: String, address: String) {
        let genesis = BlockId { index: Height::GENESIS, hash: self.genesis };
        self.nodes.push(NarratedNode::new(name.clone(), genesis));
        self.push(at_ms, RunEvent::Joined { node: name, address });
    }

    /// Records whether a node takes part; an absent one has no hash rate.
    pub fn set_present(&mut self, node: usize, is_present: bool) {
        let node = &mut self.nodes[node];
        node.is_present = is_present;
        if !is_present {
            node.hashrate = 0;
        }
    }

    /// Records the hashes per second that a node reports.
    pub fn set_hashrate(&mut self, node: usize, hashrate: u64) {
        self.nodes[node].hashrate = hashrate;
    }

    /// How many blocks these nodes have found.
    pub fn found_by(&self, nodes: &[usize]) -> u64 {
        nodes.iter().map(|node| self.nodes[*node].found).sum()
    }

    /// The nodes that take part, by number.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &NarratedNode)> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.is_present)
    }

    pub(super) fn name(&self, node: usize) -> String {
        self.nodes[node].name.clone()
    }

    /// The names of these nodes, in the order of their numbers.
    pub(super) fn sorted_names(&self, mut nodes: Vec<usize>) -> Vec<String> {
        nodes.sort_unstable();
        nodes.into_iter().map(|node| self.name(node)).collect()
    }
}
