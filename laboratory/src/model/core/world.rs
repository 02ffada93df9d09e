//! The world around the nodes: it carries their messages, wakes them, and lets them find blocks.

use super::Core;
use super::node::{Node, now, number};
use super::pool::{Occasion, PoolState};
use super::queue::Queue;
use crate::kernel::{Probability, Stream, exponential_ms, mixed, stream};
use crate::model::event::{Timeline, words};
use crate::model::{Change, Group, Outcome, Spread, Step, Watcher};
use crate::network::Network;
use crate::tree::{BlockId, MinerId, Tree};
use shared::block::{Block, BlockHash, Nonce, Timestamp};
use shared::chain::Rules;
use shared::ledger::Address;
use shared::random::Random;
use shared::sync::{Failure, PeerAddress, PeerRequest, PeerResponse, RequestId, SyncEvent, SyncOutput};
use shared::wire::BlockSource;
use std::collections::HashMap;
use std::sync::Arc;

/// What a node takes to prepare a block for sending, as in `relay`.
const PROCESSING_MS: u64 = 2;
/// Virtual time after the last block, in which the nodes may still agree.
const SETTLING_MS: u64 = 60_000;

pub(super) enum Event {
    Wake {
        node: u32,
    },
    /// The miner with a strategy hears of a block.
    PoolHears {
        block: BlockId,
    },
    /// A block of that miner arrives.
    FromPool {
        to: u32,
        block: Arc<Block>,
    },
    WakePool,
    Request {
        from: u32,
        to: u32,
        id: RequestId,
        request: PeerRequest,
    },
    Response {
        to: u32,
        id: RequestId,
        result: Result<PeerResponse, Failure>,
    },
}

pub(super) struct World<'a, 'w> {
    pub(super) core: &'a Core,
    pub(super) rules: Arc<Rules>,
    pub(super) network: &'a Network,
    pub(super) watcher: Watcher<'w>,
    pub(super) seed: u64,
    pub(super) genesis: Timestamp,
    pub(super) queue: Queue<Event>,
    pub(super) nodes: Vec<Node>,
    pub(super) pool: Option<PoolState>,
    /// By node, on a chain with money: who earns what it finds.
    pub(super) earners: Vec<Address>,
    /// The difficulty at which all hash rate together finds a block once an interval.
    pub(super) reference: f64,
    pub(super) timeline: Timeline,
    /// By node: the side of a partition; empty without one.
    pub(super) sides: Vec<bool>,
    pub(super) latency_hundredths: u64,
    /// By node: its hash rate, compared with the start.
    pub(super) factors: Vec<f64>,
    /// By node: the tip that it mines on, and how fast it finds blocks there, compared with the start.
    pub(super) paces: Vec<(BlockHash, f64)>,
    pub(super) tree: Tree,
    /// The number of a block, and when it was found.
    pub(super) blocks: HashMap<BlockHash, (BlockId, u64)>,
    /// By number.
    pub(super) hashes: Vec<BlockHash>,
    /// Messages so far: each has luck of its own.
    pub(super) sent: u64,
    pub(super) spread: Spread,
    pub(super) digest: u64,
}

pub(super) fn run(core: &Core, network: &Network, seed: u64, watcher: Watcher<'_>) -> Outcome {
    let mut world = World::new(core, network, seed, watcher);
    for node in 0..network.len() as u32 {
        world.carry_out(node);
    }
    let (mut miners, mut times) = (stream(seed, Stream::Miner), stream(seed, Stream::Time));
    let mut found = 0;
    while found < core.warm_up + core.blocks {
        // The clock runs at the pace of the fastest node for all; what a slower node finds is thrown out as often as it
        // is slower. Searching has no memory, so the time is drawn anew when a node becomes faster than the clock.
        let pace = world.fastest_pace();
        if pace <= 0.0 && world.timeline.next_ms().is_none() {
            break;
        }
        let wait_ms =
            if pace > 0.0 { exponential_ms(&mut times, core.params.block_interval_ms as f64 / pace) } else { u64::MAX };
        let at_ms = world.queue.now_ms().saturating_add(wait_ms);
        match world.deliver_until(at_ms, found) {
            Interrupted::No if world.find_block(pace, found + 1, &mut miners) => {
                found += 1;
                if world.timeline.is_due(found) {
                    world.make_changes(found);
                }
            }
            _ => {}
        }
    }
    let end_ms = world.queue.now_ms() + SETTLING_MS;
    while world.deliver_until(end_ms, found) == Interrupted::ByPace {}
    world.outcome()
}

/// Whether waiting for the next block was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interrupted {
    No,
    /// The fastest pace has changed.
    ByPace,
}

impl World<'_, '_> {
    /// The pace of the fastest miner.
    fn fastest_pace(&self) -> f64 {
        let pool = self.pool.as_ref().map_or(0.0, |pool| pool.pace);
        self.paces.iter().map(|(_, pace)| *pace).fold(pool, f64::max)
    }

    /// Computes how fast a node finds blocks: its factor over the difficulty that it faces. Returns it.
    fn set_pace(&mut self, node: u32) -> f64 {
        let chain = &self.nodes[node as usize].chain;
        let pace = self.factors[node as usize] * self.reference / chain.next_difficulty().value() as f64;
        self.paces[node as usize] = (chain.tip().hash(), pace);
        pace
    }

    fn deliver_until(&mut self, limit_ms: u64, found: u64) -> Interrupted {
        let pace = self.fastest_pace();
        let limit_ms = limit_ms.min(self.timeline.next_ms().unwrap_or(u64::MAX));
        while let Some(event) = self.queue.next(limit_ms) {
            let Some(node) = self.handle(event) else {
                if self.pool.as_ref().is_some_and(|pool| pool.pace > pace) {
                    return Interrupted::ByPace;
                }
                continue;
            };
            self.carry_out(node);
            let has_new_tip = self.paces[node as usize].0 != self.nodes[node as usize].chain.tip().hash();
            if has_new_tip && self.set_pace(node) > pace {
                return Interrupted::ByPace;
            }
        }
        if self.timeline.next_ms().is_none_or(|at_ms| at_ms > self.queue.now_ms()) {
            return Interrupted::No;
        }
        self.make_changes(found);
        Interrupted::ByPace
    }

    fn make_changes(&mut self, found: u64) {
        let now_ms = self.queue.now_ms();
        while let Some(change) = self.timeline.due(found, now_ms) {
            if let Some(watcher) = &mut self.watcher {
                watcher(&Step::Event { at_ms: now_ms, what: words(change) });
            }
            let nodes = self.nodes.len();
            let regions = &self.network.regions;
            match change {
                Some(Change::Partition(group)) => {
                    self.sides = (0..nodes as u32).map(|n| group.contains(n, nodes, regions[n as usize])).collect();
                    if let Some(watcher) = &mut self.watcher {
                        let side = (0..nodes as u32).filter(|node| self.sides[*node as usize]).collect();
                        watcher(&Step::Cut { at_ms: now_ms, side });
                    }
                }
                None => {
                    self.sides.clear();
                    if let Some(watcher) = &mut self.watcher {
                        watcher(&Step::Healed { at_ms: now_ms });
                    }
                }
                Some(Change::HashRate(group, factor)) => {
                    if let Some(pool) = self.pool.as_mut().filter(|_| matches!(group, Group::All | Group::Pool)) {
                        pool.factor = factor;
                    }
                    for (node, own) in self.factors.iter_mut().enumerate() {
                        if group.contains(node as u32, nodes, regions[node]) {
                            *own = factor;
                        }
                    }
                }
                Some(Change::Latency(hundredths)) => self.latency_hundredths = hundredths,
            }
        }
        for node in 0..self.nodes.len() as u32 {
            self.set_pace(node);
        }
        self.set_pool_pace();
    }

    /// A miner drawn by hash rate finds a block, unless it has less of a chance than the clock, or pauses.
    fn find_block(&mut self, pace: f64, block_number: u64, random: &mut Random) -> bool {
        if let (Some(pool), Some(state)) = (&self.core.pool, &self.pool)
            && Probability::new(pool.share).happens(random)
        {
            let own = state.pace;
            let is_found = own >= pace || Probability::new(own / pace).happens(random);
            return is_found && self.find_pool_block(block_number);
        }
        let node = self.network.miner_at(random.below(self.network.total_power()));
        let own = self.set_pace(node);
        if own < pace && !Probability::new(own / pace).happens(random) {
            return false;
        }
        let now_ms = self.queue.now_ms();
        let now = now(self.genesis, now_ms);
        let living = &mut self.nodes[node as usize];
        if living.pauses_mining(now) {
            return false;
        }
        let first = Nonce(mixed(self.seed, &[block_number]));
        let earner = self.earners.get(node as usize).copied();
        let Some(block) = living.mine(&format!("block {block_number} of {node}"), earner, first, now) else {
            return false;
        };
        let header = block.header();
        let parent = self.blocks.get(&header.prev_hash).map_or(BlockId::GENESIS, |(block, _)| *block);
        let found_ms = now_ms.max(self.tree.timestamp_ms(parent) + 1);
        // The miner with a strategy comes first.
        let miner = MinerId(u16::from(self.pool.is_some()));
        let id = self.tree.add(parent, miner, found_ms, header.difficulty);
        self.tree.publish(id);
        self.blocks.insert(header.hash(), (id, now_ms));
        self.hashes.push(header.hash());
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 32 | u64::from(node), now_ms]);
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::found(&self.tree, id, now_ms, Some(node)));
        }
        self.carry_out(node);
        self.set_pace(node);
        if let Some(pool) = &self.core.pool {
            self.queue.add(now_ms + pool.link_ms, Event::PoolHears { block: id });
        }
        true
    }

    /// Handles an event, and returns the node that it may have changed.
    fn handle(&mut self, event: Event) -> Option<u32> {
        let now_ms = self.queue.now_ms();
        let now = now(self.genesis, now_ms);
        match event {
            Event::Wake { node } => {
                let living = &mut self.nodes[node as usize];
                if living.wake_at_ms != Some(now_ms) {
                    return None;
                }
                living.wake_at_ms = None;
                living.syncer.handle_wakeup(&mut living.chain, now);
                Some(node)
            }
            Event::PoolHears { block } => {
                self.ask_pool(Occasion::Heard(block));
                None
            }
            Event::WakePool => {
                self.wake_pool();
                None
            }
            Event::FromPool { to, block } => {
                let living = &mut self.nodes[to as usize];
                let block = Block::clone(&block);
                // Whatever it says, the node has judged it.
                let _ = living.syncer.handle_block(block, BlockSource::Pushed, None, &mut living.chain, now);
                Some(to)
            }
            Event::Request { from, to, id, request } => {
                let caller = self.nodes[from as usize].address.clone();
                let result = self.nodes[to as usize].serve(&caller, &request, now);
                let bytes = match &result {
                    Ok(PeerResponse::Blocks(blocks)) => blocks.len() as u64 * self.core.block_bytes,
                    _ => 0,
                };
                match self.arrival_ms(to, from, bytes) {
                    Some(at_ms) => self.queue.add(at_ms, Event::Response { to: from, id, result }),
                    None => self.refuse(from, id),
                }
                Some(to)
            }
            Event::Response { to, id, result } => {
                let living = &mut self.nodes[to as usize];
                living.syncer.handle_response(id, result, &mut living.chain, now);
                Some(to)
            }
        }
    }

    /// When a message with this many bytes of blocks arrives; `None` where a partition is between the two.
    fn arrival_ms(&mut self, from: u32, to: u32, bytes: u64) -> Option<u64> {
        if !self.sides.is_empty() && self.sides[from as usize] != self.sides[to as usize] {
            return None;
        }
        self.sent += 1;
        let pair = self.network.pair(from, to);
        let key = mixed(self.seed, &[Stream::Latency as u64, self.sent]);
        let listed = self.core.frozen.delays_ms.get(&(from.min(to), from.max(to))).copied();
        let latency_ms = listed.unwrap_or_else(|| self.network.latencies.ms(pair, key, from, to));
        let latency_ms = latency_ms * self.latency_hundredths / 100;
        let mut sent_ms = self.queue.now_ms();
        if bytes > 0 {
            let sender = &mut self.nodes[from as usize];
            let start_ms = sent_ms.max(sender.busy_until_ms);
            sent_ms = start_ms + bytes * 8 / self.network.bits_per_ms[pair].max(1) + PROCESSING_MS;
            sender.busy_until_ms = sent_ms;
            self.spread.bytes += bytes;
        }
        Some(sent_ms + latency_ms)
    }

    fn refuse(&mut self, to: u32, id: RequestId) {
        let result = Err(Failure::Unreachable("nobody is there".to_owned()));
        self.queue.add(self.queue.now_ms() + 1, Event::Response { to, id, result });
    }

    /// Does what a node's syncer wants done, and sees to it that it is woken.
    fn carry_out(&mut self, node: u32) {
        let now_ms = self.queue.now_ms();
        while let Some(output) = self.nodes[node as usize].syncer.poll_output() {
            match output {
                SyncOutput::Request { id, peer, request, .. } => self.send(node, &peer, id, request),
                SyncOutput::Event(event) => {
                    if let Some(watcher) = &mut self.watcher {
                        watcher(&Step::Told { at_ms: now_ms, node, event: event.clone().into() });
                    }
                    if let SyncEvent::Block(event) = event {
                        self.note_receipt(node, &event.hash);
                    }
                }
                SyncOutput::Cancel(_) | SyncOutput::Warning(_) | SyncOutput::Log(_) => {}
            }
        }
        let living = &mut self.nodes[node as usize];
        let at_ms = living.syncer.next_wakeup_ms().max(now_ms + 1);
        if living.wake_at_ms != Some(at_ms) {
            living.wake_at_ms = Some(at_ms);
            self.queue.add(at_ms, Event::Wake { node });
        }
    }

    fn send(&mut self, from: u32, peer: &PeerAddress, id: RequestId, request: PeerRequest) {
        let bytes = if matches!(request, PeerRequest::Push(_)) {
            self.spread.messages += 1;
            self.core.block_bytes
        } else {
            0
        };
        let to = number(peer).filter(|to| (*to as usize) < self.nodes.len());
        match to.and_then(|to| Some((to, self.arrival_ms(from, to, bytes)?))) {
            Some((to, at_ms)) => self.queue.add(at_ms, Event::Request { from, to, id, request }),
            None => self.refuse(from, id),
        }
    }

    fn note_receipt(&mut self, node: u32, hash: &BlockHash) {
        let now_ms = self.queue.now_ms();
        // A node's own block is here before it has a number.
        let Some(&(block, found_ms)) = self.blocks.get(hash) else { return };
        if self.nodes[node as usize].has.insert(*hash) {
            self.spread.receipts += 1;
            // When a miner with a strategy publishes is its own decision.
            if self.pool.is_none() || self.tree.miner(block) != MinerId(0) {
                self.spread.delays_ms.add(now_ms - found_ms);
            }
            if let Some(watcher) = &mut self.watcher {
                watcher(&Step::Received { at_ms: now_ms, block: block.0, node });
            }
        }
    }
}
