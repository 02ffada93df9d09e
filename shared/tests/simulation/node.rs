//! One node of the simulation: a chain on a store that outlives it, a syncer, a clock, and what was promised to others.

use crate::economy::may_turn_out_bad;
use crate::forge::{Forge, Spoil};
use crate::liar::Liar;
use shared::block::{Block, BlockHash, Nonce, Timestamp};
use shared::chain::{Accepted, BlockError, Chain, NotYet, Rules, SideLimits, Tip};
use shared::store::MemoryStore;
use shared::sync::{
    Announcements, BLOCKS_PER_REQUEST, Failure, HEADERS_PER_REQUEST, Now, PeerAddress, PeerRequest, PeerResponse,
    PeerSource, RequestId, SyncSettings, Syncer,
};
use shared::wire::BlockSource;
use shared::work::Work;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Virtual time 0, an hour after genesis.
pub const EPOCH_MS: u64 = 1_767_225_600_000 + 3_600_000;

/// What a process has that a crash takes.
pub struct Running {
    pub chain: Chain,
    pub syncer: Syncer,
    pub started_ms: u64,
    /// Requests whose response may still arrive, with their deadlines in virtual time.
    pub waiting: BTreeMap<RequestId, u64>,
    pub announcements: Announcements,
    /// Those of them that push a block: to whom, and which.
    pub pushing: BTreeMap<RequestId, (PeerAddress, BlockHash)>,
    pub wake_at_ms: Option<u64>,
}

pub struct Node {
    pub address: PeerAddress,
    pub rules: Arc<Rules>,
    pub store: MemoryStore,
    pub full: bool,
    pub running: Option<Running>,
    /// Counts starts, so that nothing meant for an earlier process reaches a later one.
    pub life: u32,
    pub clock_offset_ms: i64,
    /// Mean milliseconds that it takes to try one nonce; none if it does not mine.
    pub ms_per_hash: Option<u64>,
    pub liar: Option<Liar>,
    /// Like a mempool: its requests name no sender, so no peer pushes to it.
    pub is_follower: bool,
    pub roster: Vec<PeerAddress>,
    pub source: PeerSource,
    /// Blocks that it has acknowledged.
    pub acknowledged: BTreeSet<BlockHash>,
    pub work: Work,
    pub durable_work: Work,
    /// Within the current virtual second: which, how many wake-ups, how many requests other than pushes.
    pub this_second: (u64, u32, u32),
    pub record: Record,
}

/// The events and requests of a node in all its lives.
#[derive(Default)]
pub struct Record {
    pub dropped: Vec<(PeerAddress, String)>,
    /// Until when, in virtual time, a peer that it dropped may get no request.
    pub avoids: BTreeMap<PeerAddress, u64>,
    pub undone: Vec<u64>,
    pub notes: Vec<String>,
    pub headers_requests: u32,
    /// How many of them came before the first request for blocks.
    pub headers_first: Option<u32>,
    /// Within the current ten virtual seconds: which, and how many to each machine.
    pub headers_lately: (u64, BTreeMap<String, u32>),
    pub blocks_requests: Vec<usize>,
}

impl Node {
    pub fn new(number: usize, rules: Arc<Rules>) -> Self {
        Self {
            address: address(number),
            rules,
            store: MemoryStore::default(),
            full: false,
            running: None,
            life: 0,
            clock_offset_ms: 0,
            ms_per_hash: None,
            liar: None,
            is_follower: false,
            roster: Vec::new(),
            source: PeerSource::Tracker,
            acknowledged: BTreeSet::new(),
            work: Work::default(),
            durable_work: Work::default(),
            this_second: (0, 0, 0),
            record: Record::default(),
        }
    }

    pub fn is_honest(&self) -> bool {
        self.liar.is_none()
    }

    /// Whether it leaves its miner idle until a better branch is here.
    pub fn pauses_mining(&self, now_ms: u64) -> bool {
        self.running.as_ref().is_some_and(|running| running.syncer.is_syncing(self.now(now_ms)))
    }

    pub fn time(&self, now_ms: u64) -> Timestamp {
        Timestamp::from_ms((EPOCH_MS + now_ms).saturating_add_signed(self.clock_offset_ms))
    }

    pub fn now(&self, now_ms: u64) -> Now {
        let started_ms = self.running.as_ref().map_or(0, |running| running.started_ms);
        Now { time: self.time(now_ms), uptime_ms: now_ms - started_ms }
    }

    pub fn start(&mut self, now_ms: u64, seed: u64) {
        let chain = Chain::open(self.rules.clone(), Arc::new(self.store.clone()), SideLimits::default())
            .expect("a store opens again after a crash");
        assert!(chain.tip().work >= self.durable_work, "{} lost durable blocks in a crash", self.address);
        for hash in &self.acknowledged {
            assert!(chain.contains(hash).unwrap(), "{} lost block {hash}, which it had acknowledged", self.address);
        }
        self.work = chain.tip().work;
        self.record.avoids.clear();
        self.life += 1;
        let own_address = Some(self.address.clone()).filter(|_| !self.is_follower);
        // Blocks are small here: every other node announces even those.
        let unasked_bytes = if seed.is_multiple_of(2) { 0 } else { usize::MAX };
        let settings = SyncSettings { own_address, unasked_bytes, ..SyncSettings::default() };
        let syncer = Syncer::new(settings, seed);
        let (waiting, pushing) = (BTreeMap::new(), BTreeMap::new());
        let announcements = Announcements::default();
        let started_ms = now_ms;
        self.running = Some(Running { chain, syncer, started_ms, announcements, waiting, pushing, wake_at_ms: None });
        let (now, roster, source) = (self.now(now_ms), self.roster.clone(), self.source);
        if let Some(running) = &mut self.running {
            running.syncer.add_peers(roster, source, now);
        }
    }

    /// Mines the next block on its tip; returns whether it was kept.
    pub fn mine(&mut self, now_ms: u64, data: String, first: Nonce) -> bool {
        let now = self.now(now_ms);
        let Some(running) = &mut self.running else { return false };
        let block = Forge::on(&running.chain, 0).next(&self.rules, now.time, data, Spoil::Nothing, first);
        let hash = block.hash();
        match running.syncer.handle_block(block, BlockSource::Mined, None, &mut running.chain, now) {
            Ok(_) => self.acknowledged.insert(hash),
            Err(BlockError::Invalid(broken)) => panic!("{} mined a block that breaks a rule: {broken}", self.address),
            Err(_) => false,
        }
    }

    /// Its response to `from` (docs/protocol.md §10).
    pub fn serve(
        &mut self,
        from: Option<&PeerAddress>,
        request: &PeerRequest,
        now_ms: u64,
    ) -> Result<PeerResponse, Failure> {
        let now = self.now(now_ms);
        let Some(running) = &mut self.running else { return Err(Failure::Unreachable("nobody is there".to_owned())) };
        if from.is_some_and(|from| running.syncer.is_blocked(from)) {
            return Err(Failure::Unreachable("blocked".to_owned()));
        }
        if let Some(from) = from.filter(|_| matches!(request, PeerRequest::Info)) {
            running.syncer.handle_caller(from, now);
        }
        let reader = running.chain.view().reader().unwrap();
        Ok(match request {
            PeerRequest::Info => {
                let tip: Tip = match &mut self.liar {
                    Some(liar) => liar.tip(&running.chain, now.time),
                    None => reader.tip().unwrap().tip(),
                };
                let (address, network) = (self.address.to_string(), self.rules.params().network_id());
                PeerResponse::Info { address, network, difference: None, tip: Some(tip), ip: None }
            }
            PeerRequest::Peers => {
                let peers = running.syncer.peers();
                PeerResponse::Peers(peers.iter().filter_map(|peer| PeerAddress::new(&peer.address)).collect())
            }
            PeerRequest::Headers { locator, limit } => {
                match reader.headers_after(locator, (*limit).min(HEADERS_PER_REQUEST)).unwrap() {
                    Some(headers) => PeerResponse::Headers(headers),
                    None => return Err(Failure::Refused("none of these is on my chain".to_owned())),
                }
            }
            PeerRequest::Blocks { hashes } => {
                let hashes = &hashes[..hashes.len().min(BLOCKS_PER_REQUEST)];
                PeerResponse::Blocks(reader.blocks_by_hash(hashes, 8 << 20).unwrap())
            }
            PeerRequest::Announce(hash) => {
                let is_stored = reader.find(hash).unwrap().is_some();
                let source = machine(from);
                PeerResponse::Announced(running.announcements.answer(*hash, source, is_stored, now.uptime_ms))
            }
            PeerRequest::Push(block) => {
                drop(reader);
                self.take_pushed(block, from, now)?
            }
        })
    }

    fn take_pushed(
        &mut self,
        block: &Arc<Block>,
        from: Option<&PeerAddress>,
        now: Now,
    ) -> Result<PeerResponse, Failure> {
        let Some(running) = &mut self.running else { return Err(Failure::Unreachable("nobody is there".to_owned())) };
        let block = Block::clone(block);
        let (hash, promised) = (block.hash(), !may_turn_out_bad(block.data()));
        let result = running.syncer.handle_block(block, BlockSource::Pushed, from, &mut running.chain, now);
        if let Ok(accepted) = result {
            running.announcements.record_push(hash, machine(from), accepted, now.uptime_ms);
        }
        match result {
            Ok(accepted) => {
                // A side block may break a stateful rule, and goes when that is found.
                if promised {
                    self.acknowledged.insert(hash);
                }
                Ok(PeerResponse::Pushed { was_taken: accepted != Accepted::Known, missing: None })
            }
            Err(BlockError::NotYet(NotYet::UnknownParent(parent))) => {
                let may_call = |from: &PeerAddress| {
                    let peers = running.syncer.peers();
                    peers.iter().any(|peer| peer.address == from.to_string() && peer.may_answer())
                };
                let missing = if from.is_some_and(may_call) { None } else { Some(parent) };
                Ok(PeerResponse::Pushed { was_taken: false, missing })
            }
            Err(BlockError::NotYet(_)) => Ok(PeerResponse::Pushed { was_taken: false, missing: None }),
            Err(BlockError::Invalid(broken)) => Err(Failure::Refused(format!("422 {broken}"))),
            Err(BlockError::Failed(error)) => Err(Failure::Refused(format!("503 {error}"))),
        }
    }
}

/// The machine that a request came from; followers share one.
fn machine(from: Option<&PeerAddress>) -> IpAddr {
    from.and_then(PeerAddress::ip).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Every node has a machine of its own, …
pub fn address(number: usize) -> PeerAddress {
    PeerAddress::new(&format!("10.0.0.{number}:8100")).unwrap()
}

/// … or shares one with others.
pub fn address_on(machine: &str, port: usize) -> PeerAddress {
    PeerAddress::new(&format!("{machine}:{port}")).unwrap()
}

/// Ports of shared machines: sybils have the lower ones, so that their addresses sort first.
pub const SYBIL_PORTS: usize = 1000;
pub const HONEST_PORTS: usize = 9000;

pub fn number(address: &PeerAddress) -> Option<usize> {
    let (host, port) = address.as_str().rsplit_once(':')?;
    match port {
        "8100" => host.strip_prefix("10.0.0.")?.parse().ok(),
        port => {
            let port: usize = port.parse().ok()?;
            port.checked_sub(if port < HONEST_PORTS { SYBIL_PORTS } else { HONEST_PORTS })
        }
    }
}
