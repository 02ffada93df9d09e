//! The world that the nodes live in: it carries their messages, wakes them, lets them mine, and breaks things.
//!
//! After every event the node that it touched is held to the invariants of [`crate::checks`].

use crate::checks;
use crate::economy::Economy;
use crate::event::{Event, Fault};
use crate::kernel::{Kernel, wait_ms};
use crate::liar::{LiarResponse, Lie};
use crate::network::{Fate, Faults, Network};
use crate::node::{Node, number};
use shared::block::{BlockHash, Nonce};
use shared::chain::Rules;
use shared::random::Random;
use shared::sync::{Failure, PeerRequest, RequestId, SyncEvent, SyncOutput};
use shared::wire::PeerChange;
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct World {
    pub kernel: Kernel<Event>,
    pub network: Network,
    pub nodes: Vec<Node>,
    pub random: Random,
    pub mining: bool,
    /// Whether people go on paying one another.
    pub paying: bool,
    economy: Option<Economy>,
    /// Whether silence may make honest peers look slow.
    pub silence_happens: bool,
    mined: u64,
    /// How often a miner would have found a block, and how often it did not since it was syncing.
    pub attempts: u64,
    pub paused: u64,
    /// A digest of all that happened, to compare two runs by.
    trace: u64,
}

impl World {
    pub fn new(count: usize, rules: &Arc<Rules>, faults: Faults, seed: u64) -> Self {
        let silence_happens = faults.loss_percent > 0;
        let mut nodes: Vec<_> = (0..count).map(|number| Node::new(number, rules.clone())).collect();
        let all: Vec<_> = nodes.iter().map(|node| node.address.clone()).collect();
        for node in &mut nodes {
            node.roster.clone_from(&all);
        }
        let network = Network::new(faults, seed ^ 0x6e65_7477_6f72_6b00);
        let (kernel, random) = (Kernel::new(), Random::new(seed));
        Self {
            kernel,
            network,
            nodes,
            random,
            mining: true,
            paying: true,
            economy: None,
            silence_happens,
            mined: 0,
            attempts: 0,
            paused: 0,
            trace: seed,
        }
    }

    pub fn fault_at(&mut self, at_ms: u64, fault: Fault) {
        self.kernel.at(at_ms, Event::Fault(fault));
    }

    /// Starts all nodes that do not run, and their mining or lying.
    pub fn start_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.start(node);
        }
    }

    pub fn start(&mut self, node: usize) {
        if self.nodes[node].running.is_some() {
            return;
        }
        let (now_ms, seed, first) = (self.kernel.now_ms(), self.random.next_u64(), self.nodes[node].life == 0);
        self.nodes[node].start(now_ms, seed);
        if first && self.nodes[node].ms_per_hash.is_some() {
            self.schedule_mining(node);
        }
        if first && self.nodes[node].liar.as_ref().is_some_and(|liar| liar.lie.pushes()) {
            self.kernel.after(500, Event::Lie { node });
        }
        self.carry_out(node);
    }

    /// Goes on until `end_ms`, or until `done` says so after an event; returns whether it did.
    pub fn run_until(&mut self, end_ms: u64, mut done: impl FnMut(&Self) -> bool) -> bool {
        while let Some(event) = self.kernel.next_until(end_ms) {
            if let Some(node) = self.handle(event) {
                self.carry_out(node);
                self.check(node);
            }
            if done(self) {
                return true;
            }
        }
        false
    }

    /// What two runs of the same seed must share.
    pub fn digest(&self) -> (Vec<Option<BlockHash>>, u64, u64) {
        let tips = self.nodes.iter().map(|node| node.running.as_ref().map(|running| running.chain.tip().hash()));
        (tips.collect(), self.kernel.handled(), self.trace)
    }

    pub fn mine_now(&mut self, node: usize) {
        self.mined += 1;
        let (label, first) = (format!("block {} of {node}", self.mined), Nonce(self.random.next_u64()));
        let now_ms = self.kernel.now_ms();
        let data = self.data(node, label);
        self.nodes[node].mine(now_ms, data, first);
        self.carry_out(node);
        self.check(node);
    }

    /// Lets people pay one another.
    pub fn set_economy(&mut self, economy: Economy) {
        self.economy = Some(economy);
        self.kernel.after(1000, Event::Pay);
    }

    pub const fn economy(&self) -> Option<&Economy> {
        self.economy.as_ref()
    }

    /// What a node's next block says.
    fn data(&mut self, node: usize, label: String) -> String {
        let Some(economy) = &mut self.economy else { return label };
        let mempool = economy.mempool.node;
        let there = self.nodes[mempool].running.is_some();
        let reached = there && matches!(self.network.request(node, mempool), Fate::Arrives { .. });
        let Some(running) = &self.nodes[node].running else { return label };
        economy.data(node, &running.chain, &label, reached)
    }

    fn pay(&mut self) {
        let now_ms = self.kernel.now_ms();
        if let Some(economy) = self.economy.as_mut().filter(|_| self.paying) {
            if let Some(running) = &self.nodes[economy.mempool.node].running {
                economy.pay(&running.chain, now_ms);
            }
            self.kernel.after(wait_ms(&mut self.random, 800).max(1), Event::Pay);
        }
    }

    /// Handles an event, and returns the node that it may have changed.
    fn handle(&mut self, event: Event) -> Option<usize> {
        let now_ms = self.kernel.now_ms();
        self.note(now_ms);
        match event {
            Event::Wake { node, life } => {
                let now = self.nodes[node].now(now_ms);
                let living = &mut self.nodes[node];
                let running = living.running.as_mut().filter(|_| living.life == life)?;
                if running.wake_at_ms != Some(now_ms) {
                    return None;
                }
                running.wake_at_ms = None;
                running.syncer.handle_wakeup(&mut running.chain, now);
                let (fetching, durable) = (running.syncer.is_fetching(), running.chain.is_committed());
                assert!(fetching || durable, "node {node} fetches nothing and keeps blocks from the store");
                let next = running.syncer.next_wakeup_ms();
                assert!(next > now.uptime_ms, "node {node} wants to be woken at {next} again, which is now");
                living.this_second.1 += 1;
                Some(node)
            }
            Event::Request { from, named, life, to, id, request } => {
                self.serve(from, named, life, to, id, &request);
                Some(to)
            }
            Event::Response { to, life, id, result } => {
                let now = self.nodes[to].now(now_ms);
                let node = &mut self.nodes[to];
                let running = node.running.as_mut().filter(|_| node.life == life)?;
                running.waiting.remove(&id);
                running.syncer.handle_response(id, result, &mut running.chain, now);
                let (fetching, durable) = (running.syncer.is_fetching(), running.chain.is_committed());
                assert!(fetching || durable, "node {to} fetches nothing and keeps blocks from the store");
                Some(to)
            }
            Event::Progress { to, life, id, bytes } => {
                let now = self.nodes[to].now(now_ms);
                let node = &mut self.nodes[to];
                let running = node.running.as_mut().filter(|_| node.life == life)?;
                if running.waiting.contains_key(&id) {
                    running.syncer.handle_progress(id, bytes, now);
                    self.kernel.after(1000, Event::Progress { to, life, id, bytes: bytes + 1 });
                }
                Some(to)
            }
            Event::Mine { node } => {
                if self.mining {
                    self.attempts += 1;
                    if self.nodes[node].pauses_mining(now_ms) {
                        self.paused += 1;
                    } else {
                        self.mine_now(node);
                    }
                }
                self.schedule_mining(node);
                None
            }
            Event::Lie { node } => {
                self.push_lies(node);
                None
            }
            Event::Pay => {
                self.pay();
                None
            }
            Event::Fault(fault) => self.make(fault),
        }
    }

    fn make(&mut self, fault: Fault) -> Option<usize> {
        match fault {
            Fault::Partition { left, silently } => {
                self.silence_happens |= silently;
                self.network.partition(left, silently);
            }
            Fault::Rejoin => self.network.partition(BTreeSet::new(), false),
            Fault::Crash(node) => self.nodes[node].running = None,
            Fault::Start(node) => self.start(node),
            Fault::DiskFull(node, full) => {
                self.nodes[node].store.set_full(full);
                self.nodes[node].full = full;
            }
            Fault::Unreachable(node, unreachable) => self.network.set_unreachable(node, unreachable),
            Fault::Steer(node, update) => {
                let now = self.nodes[node].now(self.kernel.now_ms());
                self.nodes[node].running.as_mut()?.syncer.update_peers(&update, now).unwrap();
                return Some(node);
            }
        }
        None
    }

    fn serve(&mut self, from: usize, named: usize, life: u32, to: usize, id: RequestId, request: &PeerRequest) {
        let now_ms = self.kernel.now_ms();
        let sender = (!self.nodes[from].is_follower).then(|| self.nodes[named].address.clone());
        let node = &mut self.nodes[to];
        let time = node.time(now_ms);
        let response_of_liar = match (&mut node.liar, &node.running) {
            (Some(liar), Some(running)) => liar.answer(request, &running.chain, time),
            _ => LiarResponse::Honestly { after_ms: 0 },
        };
        let (result, late_ms) = match response_of_liar {
            LiarResponse::Never => return,
            LiarResponse::With(response) => (Ok(response), 0),
            LiarResponse::Drips => return self.kernel.after(100, Event::Progress { to: from, life, id, bytes: 1 }),
            LiarResponse::Fails { failure, after_ms } => (Err(failure), after_ms),
            LiarResponse::Honestly { after_ms } => (node.serve(sender.as_ref(), request, now_ms), after_ms),
        };
        let slow = node.liar.as_ref().is_some_and(|liar| liar.lie == crate::liar::Lie::Trickles);
        let late_ms = if slow && matches!(request, PeerRequest::Blocks { .. }) { 29_000 } else { late_ms };
        match self.network.response(to, from) {
            Fate::Vanishes => {}
            Fate::Refused { after_ms } => {
                let result = Err(Failure::Unreachable("the connection broke".to_owned()));
                self.kernel.after(after_ms, Event::Response { to: from, life, id, result });
            }
            Fate::Arrives { after_ms, again_after_ms } => {
                if let Some(after_ms) = again_after_ms {
                    let result = result.clone();
                    self.kernel.after(after_ms + late_ms, Event::Response { to: from, life, id, result });
                }
                self.kernel.after(after_ms + late_ms, Event::Response { to: from, life, id, result });
            }
        }
    }

    /// Does what a node's syncer wants done, and sees to it that it is woken.
    fn carry_out(&mut self, node: usize) {
        let now_ms = self.kernel.now_ms();
        while let Some(output) = self.nodes[node].running.as_mut().and_then(|running| running.syncer.poll_output()) {
            match output {
                SyncOutput::Request { id, peer, request, timeout_ms } => {
                    let living = &mut self.nodes[node];
                    if let Some(running) = &mut living.running {
                        running.waiting.insert(id, now_ms + timeout_ms);
                    }
                    checks::may_be_asked(living, id, &peer, &request, now_ms);
                    let life = living.life;
                    self.send(node, life, &peer, id, request);
                }
                SyncOutput::Event(SyncEvent::Peer(event)) if event.change == PeerChange::Dropped => {
                    checks::drop_is_fair(self, node, &event);
                    let address = shared::sync::PeerAddress::new(&event.address).unwrap();
                    let record = &mut self.nodes[node].record;
                    record.avoids.insert(address.clone(), now_ms + 30_000);
                    record.dropped.push((address, event.reason.unwrap_or_default()));
                }
                SyncOutput::Event(SyncEvent::Reorg(event)) => self.nodes[node].record.undone.push(event.undone),
                SyncOutput::Event(_) => {}
                SyncOutput::Cancel(id) => {
                    if let Some(running) = &mut self.nodes[node].running {
                        running.waiting.remove(&id);
                    }
                }
                SyncOutput::Log(note) | SyncOutput::Warning(note) => self.nodes[node].record.notes.push(note),
            }
        }
        let life = self.nodes[node].life;
        let Some(running) = &mut self.nodes[node].running else { return };
        let at_ms = (running.started_ms + running.syncer.next_wakeup_ms()).max(now_ms);
        if running.wake_at_ms != Some(at_ms) {
            running.wake_at_ms = Some(at_ms);
            self.kernel.at(at_ms, Event::Wake { node, life });
        }
    }

    fn send(&mut self, from: usize, life: u32, peer: &shared::sync::PeerAddress, id: RequestId, request: PeerRequest) {
        let to = number(peer).filter(|to| *to < self.nodes.len());
        let is_there = to.is_some_and(|to| self.nodes[to].running.is_some());
        let withholds = self.nodes[from].liar.as_ref().is_some_and(|liar| liar.lie == Lie::RelaysAndHangs);
        let fate = match to {
            Some(_) if withholds && matches!(request, PeerRequest::Push(_)) => Fate::Vanishes,
            Some(to) => self.network.request(from, to),
            None => Fate::Refused { after_ms: 1 },
        };
        match (fate, to) {
            (Fate::Arrives { after_ms, .. }, Some(to)) if is_there => {
                self.kernel.after(after_ms, Event::Request { from, named: from, life, to, id, request });
            }
            (Fate::Vanishes, _) => {}
            (Fate::Arrives { after_ms, .. } | Fate::Refused { after_ms }, _) => {
                let result = Err(Failure::Unreachable("nobody is there".to_owned()));
                self.kernel.after(after_ms, Event::Response { to: from, life, id, result });
            }
        }
    }

    fn push_lies(&mut self, from: usize) {
        let now_ms = self.kernel.now_ms();
        let (time, node) = (self.nodes[from].time(now_ms), &mut self.nodes[from]);
        if let (Some(liar), Some(running)) = (&mut node.liar, &node.running)
            && let Some(block) = liar.push(&running.chain, time)
        {
            let (life, block) = (node.life, Arc::new(block));
            let frames = liar.lie == Lie::Frames;
            for to in (0..self.nodes.len()).filter(|to| *to != from) {
                let framed: Vec<_> =
                    (0..self.nodes.len()).filter(|node| *node != to && self.nodes[*node].is_honest()).collect();
                for named in if frames { framed } else { vec![from] } {
                    // The response does not matter.
                    let (id, request) = (RequestId(u64::MAX), PeerRequest::Push(block.clone()));
                    self.kernel.after(20, Event::Request { from, named, life, to, id, request });
                }
            }
        }
        self.kernel.after(500, Event::Lie { node: from });
    }

    fn schedule_mining(&mut self, node: usize) {
        let Some(ms_per_hash) = self.nodes[node].ms_per_hash else { return };
        let difficulty = self.nodes[node].running.as_ref().map_or(1, |running| running.chain.next_difficulty().value());
        let wait_ms = wait_ms(&mut self.random, difficulty * ms_per_hash);
        self.kernel.after(wait_ms.max(1), Event::Mine { node });
    }

    fn check(&mut self, node: usize) {
        let now_ms = self.kernel.now_ms();
        checks::after_event(&mut self.nodes[node], now_ms);
        if let Some(economy) = self.economy.as_mut().filter(|economy| economy.mempool.node == node)
            && let Some(running) = &self.nodes[node].running
        {
            economy.mempool.follow(&running.chain, self.nodes[node].life);
        }
        let work = self.nodes[node].work.0;
        self.note(work as u64 ^ (node as u64) << 56);
    }

    fn note(&mut self, value: u64) {
        self.trace = (self.trace ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    }
}
