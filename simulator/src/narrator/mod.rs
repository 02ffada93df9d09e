//! Makes a story of what the nodes tell: events and times in, [`TimedEvent`] out.
//!
//! Pure: it reads no clock and asks nobody, so made-up events test it. Each node tells its own events over a connection
//! of its own, so they arrive in any order; what belongs together is gathered for a moment and told in the order that
//! makes sense: found, received, forked, reorganised, agreed.

mod known_blocks;
#[cfg(test)]
mod payment_tests;
mod payments;
mod presence;
#[cfg(test)]
mod tests;

pub use payments::PaymentNarrator;

use crate::event::{NodesOnBranch, RunEvent, RunStatus, TimedEvent};
use known_blocks::KnownBlocks;
use shared::block::{BlockHash, Timestamp};
use shared::wire::{BlockEvent, BlockId, BlockSource, Event, PeerChange, ReorgEvent, Tip};
use shared::work::Work;

/// How long receptions of one block are gathered into one line.
const GATHER_MS: u64 = 250;
/// How long a reorganisation waits for its block's finder to be told first, and for nodes that do the same.
const ORDER_MS: u64 = 100;
/// How long nodes must differ before it is called a fork: longer than receptions are gathered, which come first.
const SETTLE_MS: u64 = 300;
/// Blocks that the mean interval of the status looks back.
const INTERVAL_BLOCKS: usize = 30;

/// What one node thinks.
#[derive(Debug, Clone)]
struct NodeState {
    tip: BlockId,
    work: Work,
    found: u64,
    catching_up: Option<CatchUp>,
    is_present: bool,
}

/// Blocks that a node fetches, as long as they are gathered.
#[derive(Debug, Clone)]
struct CatchUp {
    since_ms: u64,
    blocks: u64,
    last: BlockId,
    is_reorganisation: bool,
}

impl NodeState {
    fn has_reorganised_to(&self, block: BlockId) -> bool {
        self.catching_up.as_ref().is_some_and(|catch_up| catch_up.is_reorganisation && catch_up.last == block)
    }
}

/// Nodes that received one block, as long as they are gathered.
#[derive(Debug)]
struct Reception {
    block: BlockId,
    since_ms: u64,
    last_ms: u64,
    nodes: Vec<usize>,
}

/// Turns what nodes tell into what is told to people.
#[derive(Debug)]
pub struct Narrator {
    genesis: BlockHash,
    names: Vec<String>,
    nodes: Vec<NodeState>,
    blocks: KnownBlocks,
    receptions: Vec<Reception>,
    reorganisations: Vec<(u64, usize, ReorgEvent)>,
    /// How many branches there are, since when.
    differing: Option<(usize, u64)>,
    /// How many branches were told of last; 1 when all agreed.
    branches_reported: usize,
    counts: RunCounts,
    events: Vec<TimedEvent>,
}

/// What the report counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Blocks that each node found.
    pub found: Vec<u64>,
    /// Times that two blocks had the same parent.
    pub forks: u64,
    /// Reorganisations, over all nodes.
    pub reorganisations: u64,
    /// Most blocks that one of them undid.
    pub deepest: u64,
}

impl Narrator {
    /// Nodes of these names, all on `genesis`.
    pub fn new(names: Vec<String>, genesis: BlockHash, genesis_time: Timestamp) -> Self {
        let tip = BlockId { index: shared::block::Height::GENESIS, hash: genesis };
        let node_state = NodeState { tip, work: Work(0), found: 0, catching_up: None, is_present: true };
        let mut blocks = KnownBlocks::default();
        blocks.get_or_insert(tip, BlockHash::ZERO, genesis_time, 1);
        Self {
            genesis,
            nodes: vec![node_state; names.len()],
            names,
            blocks,
            receptions: Vec::new(),
            reorganisations: Vec::new(),
            differing: None,
            branches_reported: 1,
            counts: RunCounts::default(),
            events: Vec::new(),
        }
    }

    /// Takes an event that a node told.
    pub fn observe_event(&mut self, at_ms: u64, node: usize, event: &Event) {
        match event {
            Event::Block(block) => self.observe_block(at_ms, node, block),
            Event::Reorg(reorg) => self.observe_reorganisation(at_ms, node, reorg),
            Event::Peer(peer) if peer.change == PeerChange::Dropped => {
                let reason = peer.reason.clone().unwrap_or_default();
                let event = RunEvent::Dropped { node: self.name(node), peer: peer.address.clone(), reason };
                self.push(at_ms, event);
            }
            Event::Peer(_) | Event::Mining(_) => {}
        }
        self.tick(at_ms);
    }

    /// Takes a tip that a node has when asked: heals what was missed of its events.
    pub fn observe_tip(&mut self, at_ms: u64, node: usize, tip: &Tip) {
        self.move_tip(node, BlockId { index: tip.index, hash: tip.hash }, tip.work);
        self.tick(at_ms);
    }

    /// Tells what is due by now.
    pub fn tick(&mut self, at_ms: u64) {
        self.push_reorganisations(at_ms, false);
        self.push_receptions(at_ms, false);
        self.push_forks(at_ms);
    }

    /// Tells what is still being gathered.
    pub fn finish(&mut self, at_ms: u64) {
        self.push_reorganisations(at_ms, true);
        self.push_receptions(at_ms, true);
    }

    /// Adds a tale that is not the nodes' own.
    pub fn push(&mut self, at_ms: u64, event: RunEvent) {
        self.events.push(TimedEvent { at_ms, event });
    }

    /// What is to be told now, in order.
    pub fn take_events(&mut self) -> Vec<TimedEvent> {
        std::mem::take(&mut self.events)
    }

    /// How things are.
    pub fn status(&self) -> RunStatus {
        let best = self.best();
        RunStatus {
            height: best.index.0,
            difficulty: self.blocks.get(&best.hash).filter(|_| best.index.0 > 0).map_or(0, |known| known.difficulty),
            hashrate: 0,
            interval_ms: self.blocks.mean_interval_ms(&best.hash, self.intervals(best)),
            tips: self.tips(),
            checked: 0,
            pending: None,
        }
    }

    /// Mean milliseconds between the blocks of the best chain from height `from` (exclusive), as far as remembered.
    pub fn mean_interval_ms(&self, from: u64) -> Option<u64> {
        let best = self.best();
        // The first block's time tells of genesis, not of mining.
        let blocks = usize::try_from(best.index.0.saturating_sub(from.max(1))).unwrap_or(usize::MAX);
        self.blocks.mean_interval_ms(&best.hash, blocks)
    }

    /// Counted so far.
    pub fn counts(&self) -> RunCounts {
        let found = self.nodes.iter().map(|node_state| node_state.found).collect();
        RunCounts { found, forks: self.blocks.forks(), ..self.counts.clone() }
    }

    /// The tip with most work that any node has.
    pub fn best(&self) -> BlockId {
        // There is at least one node; genesis has no work of its own here.
        let best = self.nodes.iter().max_by_key(|node_state| node_state.work);
        best.map_or(BlockId { index: shared::block::Height::GENESIS, hash: BlockHash::ZERO }, |node_state| {
            node_state.tip
        })
    }

    /// A block's difficulty, if the block is remembered.
    pub fn difficulty(&self, hash: &BlockHash) -> Option<u64> {
        self.blocks.get(hash).map(|known| known.difficulty)
    }

    fn observe_block(&mut self, at_ms: u64, node: usize, event: &BlockEvent) {
        let id = BlockId { index: event.index, hash: event.hash };
        let known = self.blocks.get_or_insert(id, event.prev_hash, event.timestamp, event.difficulty.value());
        known.holders.insert(node);
        let has = |(number, node_state): (usize, &NodeState)| !node_state.is_present || known.holders.contains(&number);
        let everyone = self.nodes.iter().enumerate().all(has);
        if event.source == BlockSource::Mined && known.found.is_none() {
            known.found = Some((at_ms, node));
            self.nodes[node].found += 1;
            // Whoever mines on a block has it: its receptions come first.
            self.push_reception_of(at_ms, event.prev_hash);
            let parent = self.blocks.get(&event.prev_hash).filter(|parent| parent.id.index.0 > 0);
            let after_ms = parent.map(|parent| event.timestamp.ms_since(parent.timestamp));
            let difficulty = event.difficulty.value();
            let event = RunEvent::Found { node: self.name(node), block: id, difficulty, after_ms, best: event.best };
            self.push(at_ms, event);
        }
        if event.best {
            self.move_tip(node, id, event.work);
            match event.source {
                BlockSource::Mined => {}
                // Its reorganisation tells of the block that brought it about.
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
        self.move_tip(node, BlockId { index: event.to.index, hash: event.to.hash }, event.to.work);
        self.counts.reorganisations += 1;
        self.counts.deepest = self.counts.deepest.max(event.undone);
        let last = BlockId { index: event.to.index, hash: event.to.hash };
        self.nodes[node].catching_up = Some(CatchUp { since_ms: at_ms, blocks: 0, last, is_reorganisation: true });
        self.reorganisations.push((at_ms, node, event.clone()));
    }

    /// A node's tip only ever gains work, so what tells of less is old.
    fn move_tip(&mut self, node: usize, tip: BlockId, work: Work) {
        let node_state = &mut self.nodes[node];
        if work > node_state.work {
            (node_state.tip, node_state.work) = (tip, work);
        }
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
            // A reorganisation tells of its blocks itself, so it is remembered until they have all come.
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
        let Reception { block, last_ms, mut nodes, .. } = reception;
        if self.reorganisations.iter().any(|(_, _, event)| event.to.hash == block.hash) {
            self.push_reorganisations(at_ms, true);
        }
        nodes.sort_unstable();
        let found = self.blocks.get(&block.hash).and_then(|known| known.found);
        let within_ms = found.map(|(found_ms, _)| last_ms.saturating_sub(found_ms));
        // A fork that this ends is told to have ended by a line of its own.
        let agreed = self.branches_reported == 1 && self.present().all(|(_, node_state)| node_state.tip == block);
        let nodes = nodes.into_iter().map(|node| self.name(node)).collect();
        self.push(at_ms, RunEvent::Received { nodes, block, within_ms, agreed });
    }

    /// Those of several nodes that left one branch for another are one line.
    fn push_reorganisations(&mut self, at_ms: u64, all: bool) {
        let is_due = |(since_ms, _, _): &(u64, usize, ReorgEvent)| all || at_ms >= since_ms + ORDER_MS;
        while let Some((_, _, event)) = self.reorganisations.iter().find(|waiting| is_due(waiting)).cloned() {
            let is_same = |(_, _, other): &(u64, usize, ReorgEvent)| *other == event;
            let same = self.reorganisations.extract_if(.., |waiting| is_same(waiting));
            let mut nodes: Vec<usize> = same.map(|(_, node, _)| node).collect();
            nodes.sort_unstable();
            let nodes = nodes.into_iter().map(|node| self.name(node)).collect();
            let ReorgEvent { fork, to, undone, applied, .. } = event;
            let tip = BlockId { index: to.index, hash: to.hash };
            self.push(at_ms, RunEvent::Reorganised { nodes, undone, applied, fork, tip });
        }
    }

    fn push_forks(&mut self, at_ms: u64) {
        let branches = self.branches();
        if branches.len() > 1 {
            let since_ms = match self.differing {
                Some((count, since_ms)) if count == branches.len() => since_ms,
                _ => at_ms,
            };
            self.differing = Some((branches.len(), since_ms));
            if self.branches_reported != branches.len() && at_ms >= since_ms + SETTLE_MS {
                self.branches_reported = branches.len();
                self.push(at_ms, RunEvent::Fork { branches });
            }
            return;
        }
        self.differing = None;
        let tip = self.present().next().map(|(_, node_state)| node_state.tip);
        let Some(tip) = tip.filter(|tip| self.tips() == 1 && self.blocks.get(&tip.hash).is_some()) else { return };
        if self.branches_reported > 1 {
            self.push_reorganisations(at_ms, true);
            self.push_receptions(at_ms, true);
            self.branches_reported = 1;
            self.push(at_ms, RunEvent::Agreed { nodes: self.present().count(), tip });
        }
    }

    /// The nodes by branch; one that merely lags behind is on the branch that it lags behind on.
    fn branches(&self) -> Vec<NodesOnBranch> {
        let mut order: Vec<usize> = self.present().map(|(node, _)| node).collect();
        order.sort_by_key(|node| (std::cmp::Reverse(self.nodes[*node].tip.index), *node));
        let mut branches: Vec<(BlockId, Vec<usize>)> = Vec::new();
        for node in order {
            let tip = self.nodes[node].tip;
            match branches.iter_mut().find(|(upper, _)| self.blocks.is_on_branch(tip, *upper)) {
                Some((_, nodes)) => nodes.push(node),
                None => branches.push((tip, vec![node])),
            }
        }
        for (_, nodes) in &mut branches {
            nodes.sort_unstable();
        }
        branches.sort_by(|a, b| a.1.cmp(&b.1));
        let name = |nodes: Vec<usize>| nodes.into_iter().map(|node| self.name(node)).collect();
        branches.into_iter().map(|(tip, nodes)| NodesOnBranch { nodes: name(nodes), tip }).collect()
    }

    fn tips(&self) -> usize {
        let mut tips: Vec<BlockHash> = self.present().map(|(_, node_state)| node_state.tip.hash).collect();
        tips.sort_unstable();
        tips.dedup();
        tips.len()
    }

    fn intervals(&self, best: BlockId) -> usize {
        INTERVAL_BLOCKS.min(usize::try_from(best.index.0.saturating_sub(1)).unwrap_or(INTERVAL_BLOCKS))
    }

    fn name(&self, node: usize) -> String {
        self.names[node].clone()
    }
}
