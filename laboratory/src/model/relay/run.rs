//! The run itself: mining, and what each message makes its receiver do.

use super::Relay;
use super::clock::{Clock, Finder};
use super::flight::{FlightId, Flights};
use super::pool::Occasion;
use super::transfer::{RelayMode, Upload, both_compact, first_bytes, missing_bytes, sending_ms};
use crate::kernel::{Stream, Wheel, mixed, stream};
use crate::model::event::Timeline;
use crate::model::tally::count;
use crate::model::{Change, Outcome, Spread, Step, Watcher};
use crate::network::{Latencies, Network};
use crate::strategy::Strategy;
use crate::tree::{BlockId, MinerId, Tree};
use shared::random::Random;

pub(super) const POOL: MinerId = MinerId(0);
const OTHERS: MinerId = MinerId(1);

/// What a node takes to send a short message.
pub(super) const OVERHEAD_MS: u64 = 10;

/// Kinds of messages. Those from 3 on bring the block, or what was missing of it.
const INV: u64 = 0;
const REQUEST: u64 = 1;
const REQUEST_MISSING: u64 = 2;
const COMPACT: u64 = 3;
const BLOCK: u64 = 4;
/// The pool hears of a block.
pub(super) const POOL_HEARS: u64 = 5;
/// The pool's block reaches a node.
pub(super) const FROM_POOL: u64 = 6;
/// For what is looked up by block and node, and is no message.
const LUCK: u64 = 7;
/// The pool's strategy is woken: an event that names no flight.
pub(super) const WAKE_POOL: u64 = u64::MAX;

/// A message as one number: 3 bits of kind, 21 of flight, 20 of the sender of the block and 20 of its receiver.
const fn event(kind: u64, flight: FlightId, from: u32, to: u32) -> u64 {
    kind << 61 | (flight as u64) << 40 | (from as u64) << 20 | to as u64
}

pub(super) struct Run<'a, 'w> {
    pub(super) relay: &'a Relay,
    pub(super) network: &'a Network,
    pub(super) strategy: &'a mut dyn Strategy,
    pub(super) watcher: Watcher<'w>,
    skip_idle: bool,
    seed: u64,
    pub(super) wheel: Wheel,
    pub(super) tree: Tree,
    pub(super) flights: Flights,
    pub(super) clock: Clock,
    pub(super) timeline: Timeline,
    /// When the next block is found or the next scheduled event happens: nothing later may be delivered before.
    limit_ms: u64,
    /// By node: the side of a partition; empty without one.
    pub(super) sides: Vec<bool>,
    pub(super) latency_hundredths: u64,
    /// By node: what it mines on.
    pub(super) tips: Vec<BlockId>,
    /// By node: until when its upload is busy.
    busy_until_ms: Vec<u64>,
    pub(super) pool_mines_on: BlockId,
    pub(super) pool_wakes_at_ms: Option<u64>,
    /// The best public block, heard of first by anybody.
    pub(super) public: BlockId,
    /// The pool's answer to `public` of equal work, while nobody has found a block on top.
    pub(super) tie: Option<BlockId>,
    spread: Spread,
    pub(super) ties: (u64, f64),
    congested: bool,
    digest: u64,
}

pub(super) fn run(
    relay: &Relay,
    network: &Network,
    strategy: &mut dyn Strategy,
    seed: u64,
    skip_idle: bool,
    watcher: Watcher<'_>,
) -> Outcome {
    let pool_share = relay.pool.as_ref().map_or(0.0, |pool| pool.share);
    let hash_rate_changes = relay.events.iter().any(|event| matches!(event.change, Change::HashRate(..)));
    let mut run = Run {
        relay,
        network,
        strategy,
        watcher,
        skip_idle,
        seed,
        wheel: Wheel::default(),
        tree: Tree::new(&relay.params),
        flights: Flights::new(network.len()),
        clock: Clock::new(network, &relay.params, pool_share, hash_rate_changes),
        timeline: Timeline::new(&relay.events),
        limit_ms: 0,
        sides: Vec::new(),
        latency_hundredths: 100,
        tips: vec![BlockId::GENESIS; network.len()],
        busy_until_ms: vec![0; network.len()],
        pool_mines_on: BlockId::GENESIS,
        pool_wakes_at_ms: None,
        public: BlockId::GENESIS,
        tie: None,
        spread: Spread::default(),
        ties: (0, 0.0),
        congested: false,
        digest: seed,
    };
    let (mut miners, mut times) = (stream(seed, Stream::Miner), stream(seed, Stream::Time));
    for number in 1..=relay.warm_up + relay.blocks {
        let now_ms = run.wheel.now_ms();
        run.clock.draw(&mut times, now_ms);
        if !run.deliver_until_found(number - 1) {
            break;
        }
        run.find_block(&mut miners);
        if run.congested {
            break;
        }
        run.make_changes(number);
    }
    while !run.wheel.is_empty() && !run.congested {
        run.limit_ms = run.wheel.now_ms() + 60_000;
        run.clock.stop();
        run.deliver();
    }
    run.outcome()
}

impl Run<'_, '_> {
    /// Delivers messages and makes changes until the next block is found; returns whether one ever is.
    fn deliver_until_found(&mut self, found: u64) -> bool {
        loop {
            self.set_limit();
            if self.limit_ms == u64::MAX {
                return false;
            }
            self.deliver();
            if self.congested {
                return false;
            }
            if self.timeline.next_ms().is_none_or(|at_ms| at_ms > self.wheel.now_ms()) {
                return true;
            }
            self.make_changes(found);
        }
    }

    /// Notes until when events may be delivered.
    pub(super) fn set_limit(&mut self) {
        self.limit_ms = self.clock.next_ms().min(self.timeline.next_ms().unwrap_or(u64::MAX));
    }

    fn find_block(&mut self, random: &mut Random) {
        self.measure_tie();
        let now_ms = self.wheel.now_ms();
        let node = match self.clock.finder(self.network, random) {
            Finder::Pool => {
                let block = self.add(self.pool_mines_on, POOL, None);
                self.pool_mines_on = block;
                return self.ask_pool(Occasion::Found(block));
            }
            Finder::Node(node) => node,
        };
        let block = self.add(self.tips[node as usize], OTHERS, Some(node));
        self.tree.publish(block);
        let Some(flight) = self.start_flight(block, now_ms) else { return };
        // The flight must not end before its block is announced.
        self.flights.get(flight).events += 1;
        self.tell_pool(node, flight);
        self.receive(node, flight);
        self.release(flight);
    }

    /// Starts a flight; without room for it, the run ends.
    pub(super) fn start_flight(&mut self, block: BlockId, now_ms: u64) -> Option<FlightId> {
        let flight = self.flights.start(block, now_ms);
        self.congested |= flight.is_none();
        flight
    }

    fn add(&mut self, parent: BlockId, miner: MinerId, node: Option<u32>) -> BlockId {
        let difficulty = self.tree.difficulty_after(parent);
        let now_ms = self.wheel.now_ms();
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 16 | u64::from(miner.0), now_ms]);
        let block = self.tree.add(parent, miner, now_ms, difficulty);
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::found(&self.tree, block, now_ms, node));
        }
        block
    }

    pub(super) fn send(&mut self, at_ms: u64, kind: u64, flight: FlightId, from: u32, to: u32) {
        self.flights.get(flight).events += 1;
        self.wheel.add(at_ms, event(kind, flight, from, to));
    }

    pub(super) fn release(&mut self, flight: FlightId) {
        self.flights.get(flight).events -= 1;
        self.flights.end_if_over(flight);
    }

    /// Delivers what arrives until the limit, which may change meanwhile.
    fn deliver(&mut self) {
        while let Some(event) = self.wheel.next(self.limit_ms) {
            if event == WAKE_POOL {
                self.wake_pool();
                continue;
            }
            let flight = (event >> 40 & 0x1f_ffff) as FlightId;
            let (from, to) = ((event >> 20 & 0xf_ffff) as u32, (event & 0xf_ffff) as u32);
            match event >> 61 {
                INV => {
                    if self.flights.get(flight).asks(to) {
                        let at_ms = self.wheel.now_ms() + self.latency_ms(flight, REQUEST, to, from) + OVERHEAD_MS;
                        self.send(at_ms, REQUEST, flight, from, to);
                    }
                }
                REQUEST => self.send_first(flight, from, to),
                REQUEST_MISSING => {
                    let bytes = self.missing_bytes(flight, to).unwrap_or(0);
                    self.upload(BLOCK, flight, from, to, bytes);
                }
                COMPACT if self.missing_bytes(flight, to).is_some() => {
                    let at_ms = self.wheel.now_ms() + self.latency_ms(flight, REQUEST_MISSING, to, from) + OVERHEAD_MS;
                    self.send(at_ms, REQUEST_MISSING, flight, from, to);
                }
                POOL_HEARS => {
                    let block = self.flights.get(flight).block;
                    self.ask_pool(Occasion::Heard(block));
                }
                _ => self.receive(to, flight),
            }
            self.release(flight);
        }
    }

    fn latency_ms(&self, flight: FlightId, kind: u64, from: u32, to: u32) -> u64 {
        let key = self.key(flight, kind);
        self.scaled(self.network.latencies.ms(self.network.pair(from, to), key, from, to))
    }

    const fn scaled(&self, latency_ms: u64) -> u64 {
        latency_ms * self.latency_hundredths / 100
    }

    fn key(&self, flight: FlightId, kind: u64) -> u64 {
        Latencies::key(self.seed, self.flights.peek(flight).block.0, kind)
    }

    fn missing_bytes(&self, flight: FlightId, to: u32) -> Option<u64> {
        missing_bytes(self.network, self.relay.block_bytes, self.key(flight, LUCK), to)
    }

    fn send_first(&mut self, flight: FlightId, from: u32, to: u32) {
        let compact = self.relay.mode == RelayMode::Compact && both_compact(self.network, from, to);
        let bytes = first_bytes(self.relay.mode, self.relay.block_bytes, compact);
        self.upload(if compact { COMPACT } else { BLOCK }, flight, from, to, bytes);
    }

    /// Sends bytes once the upload is free.
    fn upload(&mut self, kind: u64, flight: FlightId, from: u32, to: u32, bytes: u64) {
        let start_ms = self.wheel.now_ms().max(self.busy_until_ms[from as usize]);
        let sent_ms = start_ms + sending_ms(self.network, self.network.pair(from, to), bytes);
        let arrival_ms = sent_ms + self.latency_ms(flight, kind, from, to);
        self.busy_until_ms[from as usize] = match self.relay.upload {
            Upload::Transfer => sent_ms,
            Upload::Simblock => arrival_ms,
        };
        self.spread.bytes += bytes;
        self.send(arrival_ms, kind, flight, from, to);
    }

    /// The node has got the block.
    fn receive(&mut self, node: u32, flight_id: FlightId) {
        let now_ms = self.wheel.now_ms();
        let flight = self.flights.get(flight_id);
        if !flight.gets(node) {
            return;
        }
        let (block, published_ms, is_repeated) = (flight.block, flight.published_ms, flight.is_repeated);
        if self.is_measured(block, is_repeated) {
            self.spread.receipts += 1;
            self.spread.delays_ms.add(now_ms - published_ms);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher(&Step::Received { at_ms: now_ms, block: block.0, node });
        }
        if self.tree.work(block) > self.tree.work(self.public) {
            (self.public, self.tie) = (block, None);
        }
        if self.tree.work(block) > self.tree.work(self.tips[node as usize]) {
            self.tips[node as usize] = block;
            self.clock.node_mines_on(self.network, &mut self.tree, node, block, now_ms);
            self.set_limit();
            self.pass_on(node, flight_id);
        }
    }

    /// Announces or sends the block to the node's neighbours.
    pub(super) fn pass_on(&mut self, node: u32, flight: FlightId) {
        if self.relay.mode == RelayMode::Push { self.push(node, flight) } else { self.announce(node, flight) }
    }

    fn announce(&mut self, node: u32, flight_id: FlightId) {
        let now_ms = self.wheel.now_ms();
        let key = self.key(flight_id, INV);
        let network = self.network;
        let (hundredths, is_split) = (self.latency_hundredths, !self.sides.is_empty());
        let scaled = |latency_ms: u64| if hundredths == 100 { latency_ms } else { latency_ms * hundredths / 100 };
        for &to in network.graph.neighbours(node) {
            if is_split && self.is_cut(node, to) {
                continue;
            }
            self.spread.messages += 1;
            let flight = self.flights.get(flight_id);
            let pair = network.pair(node, to);
            let least_ms = now_ms + scaled(network.latencies.least_ms(pair)) + OVERHEAD_MS;
            if self.skip_idle && !flight.would_be_first(to, least_ms) {
                continue;
            }
            let at_ms = now_ms + scaled(network.latencies.ms(pair, key, node, to)) + OVERHEAD_MS;
            if !self.skip_idle || flight.would_be_first(to, at_ms) {
                flight.hears(to, at_ms);
                flight.events += 1;
                self.wheel.add(at_ms, event(INV, flight_id, node, to));
            }
        }
    }

    fn push(&mut self, node: u32, flight: FlightId) {
        let network = self.network;
        for &to in network.graph.neighbours(node) {
            if self.is_cut(node, to) {
                continue;
            }
            self.spread.messages += 1;
            if !self.flights.get(flight).is_at(to) {
                self.upload(BLOCK, flight, node, to, self.relay.block_bytes);
            }
        }
    }

    fn outcome(self) -> Outcome {
        let tips = [if self.relay.pool.is_some() { self.pool_mines_on } else { self.public }, self.public];
        let counted = count(&self.tree, &tips, self.relay.warm_up, 2);
        let spread = &self.spread;
        let digest = mixed(self.digest, &[spread.receipts, spread.messages, spread.bytes, spread.delays_ms.digest()]);
        Outcome {
            balances: Vec::new(),
            miners: counted.miners,
            elapsed_ms: counted.elapsed_ms,
            thefts: self.strategy.thefts(),
            gamma: (self.ties.0 > 0).then(|| self.ties.1 / self.ties.0 as f64),
            spread: Some(self.spread),
            batches: counted.batches,
            congested: self.congested,
            digest,
        }
    }
}
