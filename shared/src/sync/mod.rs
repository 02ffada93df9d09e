//! Keeping a chain in step with its peers, as a state machine (docs/protocol.md §10).
//!
//! The [`Syncer`] is told what happens (`handle_*`) and what time it is, and says what to ask of whom
//! ([`Syncer::poll_output`]) and when to wake it ([`Syncer::next_wakeup_ms`]). It opens no socket and reads no clock, so
//! HTTP and simulations drive the same code. Chance comes in as a seed.
//!
//! A peer is polled every few seconds for its tip. If that has more work than ours, its headers are fetched, judged, and
//! only if they outweigh our chain, its blocks (`download`). A block that was mined here is pushed to all peers
//! at once, one that was pushed here is passed on (`asking`); what a push misses, the poll heals.

mod backoff;
mod download;
mod events;
mod message;
mod peers;
mod repair;
mod requests;
mod responses;
mod scheduler;

pub use download::{BLOCKS_PER_REQUEST, HEADERS_PER_REQUEST};
pub use events::{BlockEvent, BlockSource, PeerChange, PeerEvent, ReorgEvent, SyncEvent};
pub use message::{
    Failure, Now, PeerAddress, PeerRequest, PeerResponse, PeersUpdate, RequestId, SyncOutput, host_name,
};
pub use peers::{PeerInfo, PeerSource};

use crate::block::{Block, BlockHash};
use crate::chain::{Accepted, BlockError, Chain, NotYet, Origin};
use crate::random::Random;
use backoff::Backoff;
use download::Download;
use peers::Peers;
use repair::Repairs;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many of the blocks of a large sync are told of one by one: the newest.
const MAX_BLOCK_EVENTS: usize = 100;
/// Most addresses that are known or blocked, those added by hand included.
const MAX_LISTED: usize = 1000;

/// How a syncer behaves.
#[derive(Debug, Clone)]
pub struct SyncSettings {
    /// What others reach this service at, if they can: it does not talk to itself.
    pub own_address: Option<PeerAddress>,
    /// Most peers to know.
    pub max_peers: usize,
    /// Milliseconds between looks at a peer's tip.
    pub poll_ms: u64,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { own_address: None, max_peers: 32, poll_ms: 3000 }
    }
}

struct PendingRequest {
    peer: PeerAddress,
    kind: RequestKind,
    deadline_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Info,
    Peers,
    Headers,
    Blocks,
    /// A block that is stored already, but damaged.
    Repair,
    Push(BlockHash),
}

/// A block that was passed on to a few peers, and the uptime at which the others get it.
struct Relayed {
    block: Arc<Block>,
    remaining_at_ms: u64,
}

/// Keeps one chain in step with its peers.
pub struct Syncer {
    settings: SyncSettings,
    peers: Peers,
    in_flight: BTreeMap<RequestId, PendingRequest>,
    next_id: u64,
    download: Option<Download>,
    /// How many downloads there were.
    downloads: u64,
    /// After a failure of our own, no download starts before this uptime.
    paused_until_ms: u64,
    backoff: Backoff,
    repairs: Repairs,
    outputs: VecDeque<SyncOutput>,
    discover_at_ms: u64,
    relayed: Option<Relayed>,
    random: Random,
}

impl Syncer {
    /// Knows nobody yet; `seed` decides what is left to chance.
    pub fn new(settings: SyncSettings, seed: u64) -> Self {
        Self {
            peers: Peers::new(settings.max_peers, settings.poll_ms),
            settings,
            in_flight: BTreeMap::new(),
            next_id: 0,
            download: None,
            downloads: 0,
            paused_until_ms: 0,
            backoff: Backoff::default(),
            repairs: Repairs::default(),
            outputs: VecDeque::new(),
            discover_at_ms: 0,
            relayed: None,
            random: Random::new(seed),
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<SyncOutput> {
        self.outputs.pop_front()
    }

    /// The uptime at which [`Syncer::handle_wakeup`] is due.
    pub fn next_wakeup_ms(&self) -> u64 {
        let polls = self.peers.known.values().filter(|peer| peer.info.is_none()).map(|peer| peer.poll_at_ms);
        let deadlines = self.in_flight.values().map(|in_flight| in_flight.deadline_ms);
        let turn = self.download.as_ref().map(|it| if it.is_abandoned() { 0 } else { it.turn_ends_ms });
        let relay = self.relayed.as_ref().map(|relayed| relayed.remaining_at_ms);
        let repair = self.repairs.due_ms().filter(|_| !self.is_repairing());
        polls.chain(deadlines).chain(turn).chain(relay).chain(repair).chain([self.discover_at_ms]).min().unwrap_or(0)
    }

    /// All peers, as `GET /peers` tells them.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.peers.list()
    }

    /// How many peers answer and are of our network.
    pub fn connected(&self) -> usize {
        self.peers.connected().count()
    }

    /// Whether anything is being fetched: what was taken may then not be durable yet.
    pub const fn is_fetching(&self) -> bool {
        self.download.is_some()
    }

    /// Whether a branch is being fetched whose headers outweigh `chain`: what is mined on it meanwhile is lost.
    ///
    /// A mere claim of more work does not count, or claims would stop miners.
    pub fn is_syncing(&self, chain: &Chain) -> bool {
        self.download.as_ref().is_some_and(|download| download.outweighs(chain))
    }

    /// Changes what others reach this service at, where that was learnt late.
    pub fn set_own_address(&mut self, own: PeerAddress) {
        self.forget(&own);
        self.settings.own_address = Some(own);
    }

    /// Whether an address was cut off on purpose.
    pub fn is_blocked(&self, address: &PeerAddress) -> bool {
        self.peers.blocked.contains_key(address)
    }

    /// Offers addresses to talk to. They get only a `/info` until that shows our network.
    pub fn add_peers(&mut self, addresses: impl IntoIterator<Item = PeerAddress>, source: PeerSource, now: Now) {
        for address in addresses {
            if self.settings.own_address.as_ref() != Some(&address) {
                self.peers.add(address, source, now);
            }
        }
    }

    /// A peer has called us: it is there, whatever we thought.
    pub fn handle_caller(&mut self, address: &PeerAddress, now: Now) {
        self.add_peers([address.clone()], PeerSource::Peers, now);
        if let Some(peer) = self.peers.known.get_mut(address) {
            peer.record_call(now);
        }
    }

    /// Adds, removes, blocks and unblocks peers as a person wants.
    ///
    /// # Errors
    /// Names the first entry that is not an address, or says that they are too many; nothing is changed then.
    pub fn update_peers(&mut self, update: &PeersUpdate, now: Now) -> Result<(), String> {
        let parse = |texts: &[String]| -> Result<Vec<PeerAddress>, String> {
            let addresses = texts.iter().map(|text| {
                PeerAddress::new(text).ok_or_else(|| format!("{text:?} is not an address: expected host:port"))
            });
            addresses.collect()
        };
        let (add, remove) = (parse(&update.add)?, parse(&update.remove)?);
        let (block, unblock) = (parse(&update.block)?, parse(&update.unblock)?);
        let listed = self.peers.known.len() + self.peers.blocked.len() + add.len() + block.len();
        if listed > MAX_LISTED {
            return Err(format!("that would be {listed} known and blocked peers, at most {MAX_LISTED} are kept"));
        }
        for address in unblock {
            if let Some(source) = self.peers.blocked.remove(&address) {
                self.peers.add(address.clone(), source, now);
                self.emit_peer_event(address, PeerChange::Unblocked, None);
            }
        }
        for address in remove {
            self.forget(&address);
            self.emit_peer_event(address, PeerChange::Removed, None);
        }
        for address in block {
            let source = self.peers.known.get(&address).map_or(PeerSource::Peers, |peer| peer.source);
            self.forget(&address);
            self.peers.blocked.entry(address.clone()).or_insert(source);
            self.emit_peer_event(address, PeerChange::Blocked, None);
        }
        self.add_peers(add, PeerSource::Manual, now);
        Ok(())
    }

    /// Asks every peer now; [`Syncer::is_settled`] tells when that has led to all that it can.
    pub fn sync_now(&mut self, now: Now) {
        // Somebody knows that things have changed: what disappointed before is worth another try.
        self.backoff = Backoff::default();
        self.paused_until_ms = now.uptime_ms;
        for peer in self.peers.known.values_mut().filter(|peer| peer.is_available(now)) {
            peer.poll_at_ms = now.uptime_ms;
            peer.sync_pending = true;
        }
    }

    /// Whether every peer has answered since [`Syncer::sync_now`], and nothing is being fetched.
    pub fn is_settled(&self) -> bool {
        self.download.is_none() && !self.peers.known.values().any(|peer| peer.sync_pending)
    }

    /// Judges a block that was mined here or pushed by `from`, tells of it, and passes it on.
    ///
    /// # Errors
    /// As [`Chain::accept`]. An unknown parent starts header-first sync with the sender; a broken rule is held against
    /// it.
    pub fn handle_block(
        &mut self,
        block: Block,
        source: BlockSource,
        from: Option<&PeerAddress>,
        chain: &mut Chain,
        now: Now,
    ) -> Result<Accepted, BlockError> {
        let hash = block.hash();
        if let Some(from) = from {
            self.handle_caller(from, now);
        }
        let block = Arc::new(block);
        let result = chain.accept(Block::clone(&block), now.time, Origin::Single);
        if let Some(peer) = from.and_then(|from| self.peers.known.get_mut(from)) {
            peer.knows = Some(hash);
        }
        self.emit_reorganisation(chain);
        match &result {
            Ok(Accepted::Known) => {}
            Ok(accepted) => {
                let best = *accepted == Accepted::Best;
                self.emit_block_event(&block, best, source, from, chain);
                if best && chain.tip().hash() == hash {
                    match from {
                        Some(_) => self.relay(&block, now),
                        None => self.push_to_all(&block, now),
                    }
                }
            }
            Err(BlockError::Invalid(broken)) => {
                if let Some(from) = from {
                    let reason = format!("it pushed block {hash}, which breaks rule {}: {broken}", broken.name());
                    self.penalise(from, reason, now);
                }
            }
            Err(BlockError::NotYet(NotYet::UnknownParent(_))) => {
                let sender = from.and_then(|from| self.peers.known.get_mut(from));
                if let Some(peer) = sender.filter(|peer| peer.is_available(now)) {
                    peer.poll_at_ms = now.uptime_ms;
                }
            }
            Err(_) => {}
        }
        self.make_progress(chain, now);
        result
    }

    /// Takes what came of a request. Late answers to requests that were given up are ignored.
    pub fn handle_response(
        &mut self,
        id: RequestId,
        result: Result<PeerResponse, Failure>,
        chain: &mut Chain,
        now: Now,
    ) {
        if let Some(PendingRequest { peer, kind, .. }) = self.in_flight.remove(&id) {
            match result {
                Ok(response) => self.dispatch_response(id, peer, kind, response, chain, now),
                Err(failure) => self.handle_failure(id, &peer, kind, &failure, chain, now),
            }
        }
        self.make_progress(chain, now);
    }

    /// Does what is due by now.
    pub fn handle_wakeup(&mut self, chain: &mut Chain, now: Now) {
        let late =
            self.in_flight.iter().filter(|(_, in_flight)| in_flight.deadline_ms <= now.uptime_ms).map(|(id, _)| *id);
        for id in late.collect::<Vec<_>>() {
            if let Some(PendingRequest { peer, kind, .. }) = self.in_flight.remove(&id) {
                self.handle_failure(id, &peer, kind, &Failure::Slow, chain, now);
            }
        }
        self.make_progress(chain, now);
    }
}
