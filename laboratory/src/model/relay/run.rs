//! The run itself: mining, and what each message makes its receiver do.

use super::flight::{FlightId, Flights};
use super::transfer::{PROCESSING_MS, RelayMode, Upload, both_compact, first_bytes, missing_bytes, sending_ms};
use super::{Pool, Relay};
use crate::kernel::{Probability, Stream, Wheel, exponential_ms, mixed, stream};
use crate::model::tally::count;
use crate::model::{Outcome, Spread};
use crate::network::{Latencies, Network};
use crate::strategy::{Act, Strategy, View};
use crate::tree::{BlockId, MinerId, Tree};
use shared::random::Random;

const POOL: MinerId = MinerId(0);
const OTHERS: MinerId = MinerId(1);

/// What a node takes to send a short message.
const OVERHEAD_MS: u64 = 10;

/// Kinds of messages. Those from 3 on bring the block, or what was missing of it.
const INV: u64 = 0;
const REQUEST: u64 = 1;
const REQUEST_MISSING: u64 = 2;
const COMPACT: u64 = 3;
const BLOCK: u64 = 4;
/// The pool hears of a block.
const POOL_HEARS: u64 = 5;
/// The pool's block reaches a node.
const FROM_POOL: u64 = 6;
/// For what is looked up by block and node, and is no message.
const LUCK: u64 = 7;

/// A message as one number: 3 bits of kind, 21 of flight, 20 of the sender of the block and 20 of its receiver.
const fn event(kind: u64, flight: FlightId, from: u32, to: u32) -> u64 {
    kind << 61 | (flight as u64) << 40 | (from as u64) << 20 | to as u64
}

struct Run<'a> {
    relay: &'a Relay,
    network: &'a Network,
    strategy: &'a mut dyn Strategy,
    skip_idle: bool,
    seed: u64,
    wheel: Wheel,
    tree: Tree,
    flights: Flights,
    /// By node: what it mines on.
    tips: Vec<BlockId>,
    /// By node: until when its upload is busy.
    busy_until_ms: Vec<u64>,
    pool_mines_on: BlockId,
    /// The best public block, heard of first by anybody.
    public: BlockId,
    /// The pool's answer to `public` of equal work, while nobody has found a block on top.
    tie: Option<BlockId>,
    spread: Spread,
    ties: (u64, f64),
    digest: u64,
}

pub(super) fn run(
    relay: &Relay,
    network: &Network,
    strategy: &mut dyn Strategy,
    seed: u64,
    skip_idle: bool,
) -> Outcome {
    let mut run = Run {
        relay,
        network,
        strategy,
        skip_idle,
        seed,
        wheel: Wheel::default(),
        tree: Tree::new(&relay.params),
        flights: Flights::new(network.len()),
        tips: vec![BlockId::GENESIS; network.len()],
        busy_until_ms: vec![0; network.len()],
        pool_mines_on: BlockId::GENESIS,
        public: BlockId::GENESIS,
        tie: None,
        spread: Spread::default(),
        ties: (0, 0.0),
        digest: seed,
    };
    let (mut miners, mut times) = (stream(seed, Stream::Miner), stream(seed, Stream::Time));
    let mut next_block_ms = 0;
    for _ in 0..relay.warm_up + relay.blocks {
        next_block_ms += exponential_ms(&mut times, relay.params.block_interval_ms as f64);
        run.deliver_until(next_block_ms);
        run.find_block(&mut miners);
    }
    while !run.wheel.is_empty() {
        run.deliver_until(run.wheel.now_ms() + 60_000);
    }
    run.outcome()
}

impl Run<'_> {
    fn find_block(&mut self, random: &mut Random) {
        self.measure_tie();
        let share = self.relay.pool.map_or(0.0, |pool| pool.share);
        if Probability::new(share).happens(random) {
            let block = self.add(self.pool_mines_on, POOL);
            self.pool_mines_on = block;
            self.ask_pool(block, true);
            return;
        }
        let node = self.network.miner_at(random.below(self.network.total_power()));
        let block = self.add(self.tips[node as usize], OTHERS);
        self.tree.publish(block);
        let now_ms = self.wheel.now_ms();
        let flight = self.flights.start(block, now_ms);
        // The flight must not end before its block is announced.
        self.flights.get(flight).events += 1;
        if let Some(Pool { link_ms, .. }) = self.relay.pool {
            self.send(now_ms + self.exchange_ms(link_ms), POOL_HEARS, flight, node, 0);
        }
        self.receive(node, flight);
        self.release(flight);
    }

    fn add(&mut self, parent: BlockId, miner: MinerId) -> BlockId {
        let difficulty = self.tree.difficulty_after(parent);
        let now_ms = self.wheel.now_ms();
        self.digest = mixed(self.digest, &[u64::from(parent.0) << 16 | u64::from(miner.0), now_ms]);
        self.tree.add(parent, miner, now_ms, difficulty)
    }

    fn send(&mut self, at_ms: u64, kind: u64, flight: FlightId, from: u32, to: u32) {
        self.flights.get(flight).events += 1;
        self.wheel.add(at_ms, event(kind, flight, from, to));
    }

    fn release(&mut self, flight: FlightId) {
        self.flights.get(flight).events -= 1;
        self.flights.end_if_over(flight);
    }

    fn deliver_until(&mut self, limit_ms: u64) {
        while let Some(event) = self.wheel.next(limit_ms) {
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
                    self.ask_pool(block, false);
                }
                _ => self.receive(to, flight),
            }
            self.release(flight);
        }
    }

    fn latency_ms(&self, flight: FlightId, kind: u64, from: u32, to: u32) -> u64 {
        let key = self.key(flight, kind);
        self.network.latencies.ms(self.network.pair(from, to), key, from, to)
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
        let block = flight.block;
        if self.tree.miner(block) != POOL {
            self.spread.receipts += 1;
            self.spread.delays_ms.add(now_ms - flight.published_ms);
        }
        if self.tree.work(block) > self.tree.work(self.public) {
            (self.public, self.tie) = (block, None);
        }
        if self.tree.work(block) > self.tree.work(self.tips[node as usize]) {
            self.tips[node as usize] = block;
            if self.relay.mode == RelayMode::Push { self.push(node, flight_id) } else { self.announce(node, flight_id) }
        }
    }

    fn announce(&mut self, node: u32, flight_id: FlightId) {
        let now_ms = self.wheel.now_ms();
        let key = self.key(flight_id, INV);
        let (network, wheel) = (self.network, &mut self.wheel);
        let flight = self.flights.get(flight_id);
        let neighbours = network.graph.neighbours(node);
        self.spread.messages += neighbours.len() as u64;
        for &to in neighbours {
            let pair = network.pair(node, to);
            let least_ms = now_ms + network.latencies.least_ms(pair) + OVERHEAD_MS;
            if self.skip_idle && !flight.would_be_first(to, least_ms) {
                continue;
            }
            let at_ms = now_ms + network.latencies.ms(pair, key, node, to) + OVERHEAD_MS;
            if !self.skip_idle || flight.would_be_first(to, at_ms) {
                flight.hears(to, at_ms);
                flight.events += 1;
                wheel.add(at_ms, event(INV, flight_id, node, to));
            }
        }
    }

    fn push(&mut self, node: u32, flight: FlightId) {
        let network = self.network;
        for &to in network.graph.neighbours(node) {
            self.spread.messages += 1;
            if !self.flights.get(flight).is_at(to) {
                self.upload(BLOCK, flight, node, to, self.relay.block_bytes);
            }
        }
    }

    /// Asks the pool's strategy about a block, and does what it says.
    fn ask_pool(&mut self, block: BlockId, is_ours: bool) {
        let mut acts = Vec::new();
        let view = View::new(&self.tree, POOL, self.pool_mines_on);
        if is_ours {
            self.strategy.found(&view, block, &mut acts);
        } else {
            self.strategy.heard(&view, block, &mut acts);
        }
        for act in acts {
            match act {
                Act::MineOn(block) => self.pool_mines_on = block,
                Act::Publish(block) => self.publish(block, is_ours),
            }
        }
    }

    fn publish(&mut self, block: BlockId, is_ours: bool) {
        let Some(Pool { link_ms, .. }) = self.relay.pool else { return };
        if self.tree.is_published(block) {
            return;
        }
        self.tree.publish(block);
        if self.tree.work(block) == self.tree.work(self.public) && !is_ours {
            self.tie = Some(block);
        }
        let now_ms = self.wheel.now_ms();
        let arrival_ms = now_ms + self.exchange_ms(link_ms);
        let flight = self.flights.start(block, now_ms);
        for node in 0..self.network.len() as u32 {
            self.send(arrival_ms, FROM_POOL, flight, 0, node);
        }
    }

    /// How long a block takes over one of the pool's links: announced, requested and sent, or only sent.
    fn exchange_ms(&self, link_ms: u64) -> u64 {
        match self.relay.mode {
            RelayMode::Push => link_ms + PROCESSING_MS,
            RelayMode::Compact | RelayMode::Inv => 3 * link_ms + 2 * OVERHEAD_MS + PROCESSING_MS,
        }
    }

    /// At the end of a tie: which share of the others' hash rate mines on the pool's branch.
    fn measure_tie(&mut self) {
        let Some(ours) = self.tie.take() else { return };
        if self.tree.work(ours) < self.tree.work(self.public) {
            return;
        }
        let nodes = 0..self.network.len() as u32;
        let with_us: u64 =
            nodes.filter(|&node| self.tips[node as usize] == ours).map(|node| self.network.power(node)).sum();
        self.ties.0 += 1;
        self.ties.1 += with_us as f64 / self.network.total_power() as f64;
    }

    fn outcome(self) -> Outcome {
        let tips = [if self.relay.pool.is_some() { self.pool_mines_on } else { self.public }, self.public];
        let counted = count(&self.tree, tips, self.relay.warm_up, 2);
        let spread = &self.spread;
        let digest = mixed(self.digest, &[spread.receipts, spread.messages, spread.bytes, spread.delays_ms.digest()]);
        Outcome {
            miners: counted.miners,
            elapsed_ms: counted.elapsed_ms,
            thefts: self.strategy.thefts(),
            gamma: (self.ties.0 > 0).then(|| self.ties.1 / self.ties.0 as f64),
            spread: Some(self.spread),
            digest,
        }
    }
}
