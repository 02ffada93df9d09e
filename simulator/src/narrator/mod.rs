//! Turns what the nodes report into the events of a run: nodes' events and times in, [`TimedEvent`]s out.
//!
//! Pure: no clock and no requests, so tests can invent events. Each node reports over its own connection, so reports
//! arrive in any order. The narrator collects for a moment what belongs together, and puts it in the order that a
//! reader expects: found, received, forked, reorganised, agreed.

mod branches;
mod coins;
mod known_blocks;
mod links;
mod nodes;
#[cfg(test)]
mod payment_tests;
mod payments;
#[cfg(test)]
mod tests;

pub(crate) use payments::OTHERS;
pub use payments::PaymentNarrator;

use crate::event::{RunEvent, RunStatus, TimedEvent};
use crate::report::BlocksFound;
use known_blocks::KnownBlocks;
use links::ForeignCuts;
use nodes::{CatchUp, NarratedNode};
use shared::block::{BlockHash, BlockId, Height, Timestamp};
use shared::chain::Tip;
use shared::wire::{BlockEvent, BlockSource, NodeEvent, PeerChange, ReorgEvent};
use std::collections::HashSet;

/// How long receptions of one block are collected for one line.
const GATHER_MS: u64 = 250;
/// How long a reorganisation waits: the line about its block comes first, and other nodes may do the same.
const ORDER_MS: u64 = 100;
/// Blocks in the mean interval of the status.
const INTERVAL_BLOCKS: usize = 30;

/// Nodes that received one block, collected for one line.
#[derive(Debug)]
struct Reception {
    block: BlockId,
    since_ms: u64,
    last_ms: u64,
    nodes: Vec<usize>,
}

/// The state machine: `observe_*` takes reports, [`Narrator::take_events`] returns events.
#[derive(Debug)]
pub struct Narrator {
    genesis: BlockHash,
    nodes: Vec<NarratedNode>,
    blocks: KnownBlocks,
    receptions: Vec<Reception>,
    reorganisations: Vec<(u64, usize, ReorgEvent)>,
    /// How many branches there are, and since when.
    differing: Option<(usize, u64)>,
    /// How many branches the last line about them had; 1 after an agreement.
    branches_reported: usize,
    counts: RunCounts,
    foreign_cuts: ForeignCuts,
    events: Vec<TimedEvent>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// How often two blocks had the same parent.
    pub forks: u64,
    /// Over all nodes.
    pub reorganisations: u64,
    /// Most blocks that one reorganisation undid.
    pub deepest: u64,
}

impl Narrator {
    /// Starts with nodes of these names, all at `genesis`.
    pub fn new(names: Vec<String>, genesis: BlockHash, genesis_time: Timestamp) -> Self {
        let tip = BlockId { index: Height::GENESIS, hash: genesis };
        let mut blocks = KnownBlocks::default();
        blocks.get_or_insert(tip, BlockHash::ZERO, genesis_time, 1);
        Self {
            genesis,
            nodes: names.into_iter().map(|name| NarratedNode::new(name, tip)).collect(),
            blocks,
            receptions: Vec::new(),
            reorganisations: Vec::new(),
            differing: None,
            branches_reported: 1,
            counts: RunCounts::default(),
            foreign_cuts: ForeignCuts::default(),
            events: Vec::new(),
        }
    }

    /// Takes an event that a node sent.
    pub fn observe_event(&mut self, at_ms: u64, node: usize, event: &NodeEvent) {
        match event {
            NodeEvent::Block(block) => self.observe_block(at_ms, node, block),
            NodeEvent::Reorg(reorg) => self.observe_reorganisation(at_ms, node, reorg),
            NodeEvent::Peer(peer) if peer.change == PeerChange::Dropped => {
                let reason = peer.reason.clone().unwrap_or_default();
                let event = RunEvent::Dropped { node: self.name(node), peer: peer.address.clone(), reason };
                self.push(at_ms, event);
            }
            NodeEvent::Peer(_) | NodeEvent::Mining(_) => {}
        }
        self.tick(at_ms);
    }

    /// Takes the tip that a node has when it is asked, which makes up for missed events.
    pub fn observe_tip(&mut self, at_ms: u64, node: usize, tip: &Tip) {
        self.nodes[node].move_tip(tip.id(), tip.work);
        self.tick(at_ms);
    }

    /// Takes a node's report that its link to another node was cut, or opened, by somebody else.
    pub fn observe_foreign_cut(&mut self, at_ms: u64, node: usize, other: usize, is_cut: bool) {
        self.foreign_cuts.observe(at_ms, node, other, is_cut);
    }

    /// Adds the events that are due by now.
    pub fn tick(&mut self, at_ms: u64) {
        let nodes = &self.nodes;
        if let Some(event) = self.foreign_cuts.due(at_ms, |node| nodes[node].name.clone()) {
            self.push(at_ms, event);
        }
        self.push_reorganisations(at_ms, false);
        self.push_receptions(at_ms, false);
        self.push_forks(at_ms);
    }

    /// Adds the events that still wait.
    pub fn finish(&mut self, at_ms: u64) {
        self.push_reorganisations(at_ms, true);
        self.push_receptions(at_ms, true);
    }

    /// Adds an event that no node reported.
    pub fn push(&mut self, at_ms: u64, event: RunEvent) {
        self.events.push(TimedEvent { at_ms, event });
    }

    /// Removes and returns the events, in order.
    pub fn take_events(&mut self) -> Vec<TimedEvent> {
        std::mem::take(&mut self.events)
    }

    /// The current state of the network, without what the narrator cannot know.
    pub fn status(&self) -> RunStatus {
        let best = self.best();
        RunStatus {
            height: best.index.0,
            difficulty: self.blocks.get(&best.hash).filter(|_| best.index.0 > 0).map_or(0, |known| known.difficulty),
            hashrate: self.nodes.iter().map(|node| node.hashrate).sum(),
            interval_ms: self.blocks.mean_interval_ms(&best.hash, self.intervals(best)),
            tips: self.tips(),
            checked: 0,
            pending: None,
        }
    }

    /// Mean milliseconds between the blocks of the best chain above height `from`, as far back as they are remembered.
    pub fn mean_interval_ms(&self, from: u64) -> Option<u64> {
        let best = self.best();
        // From genesis to the first block is no mining time.
        let blocks = usize::try_from(best.index.0.saturating_sub(from.max(1))).unwrap_or(usize::MAX);
        self.blocks.mean_interval_ms(&best.hash, blocks)
    }

    pub fn counts(&self) -> RunCounts {
        RunCounts { forks: self.blocks.forks(), ..self.counts.clone() }
    }

    /// How many blocks each node has found.
    pub fn blocks_found(&self) -> Vec<BlocksFound> {
        self.nodes.iter().map(|node| BlocksFound { node: node.name.clone(), blocks: node.found }).collect()
    }

    /// Blocks above height `base` that came from outside of the network, such as an attacker's, and how many more there
    /// were that are forgotten.
    pub fn outside_blocks(&self, base: u64) -> (HashSet<BlockHash>, u64) {
        self.blocks.outside_blocks(base)
    }

    /// The tip with the most work that any node has.
    pub fn best(&self) -> BlockId {
        let best = self.nodes.iter().max_by_key(|node| node.work);
        best.map_or(BlockId { index: Height::GENESIS, hash: BlockHash::ZERO }, |node| node.tip)
    }

    /// A block's difficulty, if the block is remembered.
    pub fn difficulty(&self, hash: &BlockHash) -> Option<u64> {
        self.blocks.get(hash).map(|known| known.difficulty)
    }

    fn observe_block(&mut self, at_ms: u64, node: usize, event: &BlockEvent) {
        let id = BlockId { index: event.index, hash: event.hash };
        let known = self.blocks.get_or_insert(id, event.prev_hash, event.timestamp, event.difficulty.value());
        known.holders.insert(node);
        known.handed_in |= event.source == BlockSource::Pushed && event.from.is_none();
        let has = |(number, node): (usize, &NarratedNode)| !node.is_present || known.holders.contains(&number);
        let everyone = self.nodes.iter().enumerate().all(has);
        if event.source == BlockSource::Mined && known.found.is_none() {
            known.found = Some((at_ms, node));
            self.nodes[node].found += 1;
            // A node that mines on a block has it, so the line about its receptions comes first.
            self.push_reception_of(at_ms, event.prev_hash);
            let parent = self.blocks.get(&event.prev_hash).filter(|parent| parent.id.index.0 > 0);
            let after_ms = parent.map(|parent| event.timestamp.ms_since(parent.timestamp));
            let difficulty = event.difficulty.value();
            let event = RunEvent::Found { node: self.name(node), block: id, difficulty, after_ms, best: event.best };
            self.push(at_ms, event);
        }
        if event.best {
            self.nodes[node].move_tip(id, event.work);
            match event.source {
                BlockSource::Mined => {}
                // The line about its reorganisation names this block.
                BlockSource::Pushed if self.nodes[node].has_reorganised_to(id) => {}
                BlockSource::Pushed => self.add_reception(at_ms, node, id),
                BlockSource::Synced => self.catch_up(at_ms, node, id),
            }
        }
        if everyone {
            self.push_reception_of(at_ms, id.hash);
        }
    }

    fn observe_reorganisation(&mut self, at_ms: u64, node: usize, event: &ReorgEvent) {
        self.nodes[node].move_tip(event.to.id(), event.to.work);
        self.counts.reorganisations += 1;
        self.counts.deepest = self.counts.deepest.max(event.undone);
        self.nodes[node].catching_up =
            Some(CatchUp { since_ms: at_ms, blocks: 0, last: event.to.id(), is_reorganisation: true });
        self.reorganisations.push((at_ms, node, event.clone()));
    }

    fn add_reception(&mut self, at_ms: u64, node: usize, block: BlockId) {
        let position = self.receptions.iter().position(|reception| reception.block == block);
        let reception = match position {
            Some(position) => &mut self.receptions[position],
            None => {
                self.receptions.push(Reception { block, since_ms: at_ms, last_ms: at_ms, nodes: Vec::new() });
                let last = self.receptions.len() - 1;
                &mut self.receptions[last]
            }
        };
        reception.nodes.push(node);
        reception.last_ms = at_ms;
    }

    fn catch_up(&mut self, at_ms: u64, node: usize, last: BlockId) {
        let new = CatchUp { since_ms: at_ms, blocks: 0, last, is_reorganisation: false };
        let catching_up = self.nodes[node].catching_up.get_or_insert(new);
        catching_up.blocks += 1;
        catching_up.last = last;
    }

    fn push_receptions(&mut self, at_ms: u64, all: bool) {
        let is_due = |since_ms: u64| all || at_ms >= since_ms + GATHER_MS;
        while let Some(position) = self.receptions.iter().position(|reception| is_due(reception.since_ms)) {
            let reception = self.receptions.remove(position);
            self.push_reception(at_ms, reception);
        }
        for node in 0..self.nodes.len() {
            // The blocks of a reorganisation get no line. So it is remembered until they have all come.
            let due = self.nodes[node].catching_up.take_if(|catch_up| match catch_up.is_reorganisation {
                true => at_ms >= catch_up.since_ms + GATHER_MS,
                false => is_due(catch_up.since_ms),
            });
            let Some(CatchUp { blocks, last, is_reorganisation: false, since_ms }) = due else { continue };
            if blocks == 1 {
                self.push_reception(at_ms, Reception { block: last, since_ms, last_ms: since_ms, nodes: vec![node] });
            } else {
                let event = RunEvent::CaughtUp { node: self.name(node), blocks, tip: last };
                self.push(at_ms, event);
            }
        }
    }

    fn push_reception_of(&mut self, at_ms: u64, hash: BlockHash) {
        if let Some(position) = self.receptions.iter().position(|reception| reception.block.hash == hash) {
            let reception = self.receptions.remove(position);
            self.push_reception(at_ms, reception);
        }
    }

    fn push_reception(&mut self, at_ms: u64, reception: Reception) {
        let Reception { block, last_ms, nodes, .. } = reception;
        if self.reorganisations.iter().any(|(_, _, event)| event.to.hash == block.hash) {
            self.push_reorganisations(at_ms, true);
        }
        let found = self.blocks.get(&block.hash).and_then(|known| known.found);
        let within_ms = found.map(|(found_ms, _)| last_ms.saturating_sub(found_ms));
        // The end of a fork has a line of its own.
        let agreed = self.branches_reported == 1 && self.present().all(|(_, node)| node.tip == block);
        self.push(at_ms, RunEvent::Received { nodes: self.sorted_names(nodes), block, within_ms, agreed });
    }

    /// Nodes that changed from the same branch to the same other one share a line.
    fn push_reorganisations(&mut self, at_ms: u64, all: bool) {
        let is_due = |(since_ms, _, _): &(u64, usize, ReorgEvent)| all || at_ms >= since_ms + ORDER_MS;
        while let Some((_, _, event)) = self.reorganisations.iter().find(|waiting| is_due(waiting)).cloned() {
            let is_same = |(_, _, other): &(u64, usize, ReorgEvent)| *other == event;
            let same = self.reorganisations.extract_if(.., |waiting| is_same(waiting));
            let nodes = same.map(|(_, node, _)| node).collect();
            let nodes = self.sorted_names(nodes);
            let ReorgEvent { fork, to, undone, applied, .. } = event;
            self.push(at_ms, RunEvent::Reorganised { nodes, undone, applied, fork, tip: to.id() });
        }
    }

    fn intervals(&self, best: BlockId) -> usize {
        INTERVAL_BLOCKS.min(usize::try_from(best.index.0.saturating_sub(1)).unwrap_or(INTERVAL_BLOCKS))
    }
}
