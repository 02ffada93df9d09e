//! Keeping a chain in step with its peers, as a state machine (docs/protocol.md §10).
//!
//! The caller passes in what happens and the time (`handle_*`), carries out the outputs ([`Syncer::poll_output`]) and
//! wakes the [`Syncer`] when it wants to be ([`Syncer::next_wakeup_ms`]). It opens no socket and reads no clock, so
//! HTTP and simulations drive the same code. Random choices come from a seed.
//!
//! A peer is polled every few seconds for its tip. If that has more work than ours, its headers are fetched, judged,
//! and only if they outweigh our chain, its blocks (`download`). A block that was mined here is pushed to all peers at
//! once, one that was pushed here is announced to them (`announce`); what both miss, the poll heals.
//!
//! What a stranger claims and has not proven stops nothing: a download that lags leaves others to start beside it
//! (`scheduler`), addresses buy no places (`places`), and what is pushed in a peer's name is never held against it.

mod address;
mod announce;
mod backfill;
mod backoff;
mod download;
mod events;
mod message;
mod net_group;
mod pace;
mod peer;
mod peers;
mod places;
mod repair;
mod requests;
mod responses;
mod scheduler;

pub use address::{BadPeerAddress, PeerAddress};
pub use announce::{Announcements, Interest};
pub use download::{BLOCKS_PER_REQUEST, HEADERS_PER_REQUEST};
pub use events::{BlockEvent, BlockSource, PeerChange, PeerEvent, ReorgEvent, SyncEvent};
pub use message::{Failure, Now, PeerRequest, PeerResponse, PeersUpdate, RequestId, SyncOutput};
pub use peer::{PeerInfo, PeerSource};

use crate::block::Block;
use crate::chain::{Accepted, BlockError, Chain, NotYet, Origin};
use crate::random::Random;
use announce::{LastRelay, Relayed};
use backoff::{Backoff, GroupPauses};
use core::net::IpAddr;
use download::Download;
use peers::Peers;
use repair::Repairs;
use requests::PendingRequest;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most blocks of a sync that have events of their own: the newest.
const MAX_BLOCK_EVENTS: usize = 100;
/// Most addresses that are known or blocked, those added by hand included.
const MAX_LISTED: usize = 1000;

/// How a syncer behaves.
#[derive(Debug, Clone)]
pub struct SyncSettings {
    /// The address that others reach this service at, if they can: it does not talk to itself.
    pub own_address: Option<PeerAddress>,
    /// Most peers, those added by hand aside.
    pub max_peers: usize,
    /// Milliseconds between two polls of a peer's tip.
    pub poll_ms: u64,
    /// Relayed blocks with at most this many bytes of data are pushed to the first peers without asking them: such a
    /// block costs no more than the question.
    pub unasked_bytes: usize,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { own_address: None, max_peers: 32, poll_ms: 3000, unasked_bytes: 10_000 }
    }
}

/// Keeps one chain in step with its peers.
pub struct Syncer {
    settings: SyncSettings,
    peers: Peers,
    in_flight: BTreeMap<RequestId, PendingRequest>,
    next_id: u64,
    /// The oldest first.
    downloads: Vec<Download>,
    downloads_started: u64,
    /// Uptime until which miners pause, since blocks of a better branch are arriving.
    mining_pause_ends_ms: Option<u64>,
    /// After a failure of our own, no download starts before this uptime.
    paused_until_ms: u64,
    backoff: Backoff,
    group_pauses: GroupPauses,
    repairs: Repairs,
    outputs: VecDeque<SyncOutput>,
    discover_at_ms: u64,
    /// Uptime at which a peer that delivered nothing may be replaced.
    rotate_at_ms: u64,
    relayed: Option<Relayed>,
    last_relay: Option<LastRelay>,
    random: Random,
}

impl Syncer {
    /// A syncer without peers; `seed` seeds its random choices.
    pub fn new(settings: SyncSettings, seed: u64) -> Self {
        Self {
            peers: Peers::new(settings.max_peers, settings.poll_ms),
            settings,
            in_flight: BTreeMap::new(),
            next_id: 0,
            downloads: Vec::new(),
            downloads_started: 0,
            mining_pause_ends_ms: None,
            paused_until_ms: 0,
            backoff: Backoff::default(),
            group_pauses: GroupPauses::default(),
            repairs: Repairs::default(),
            outputs: VecDeque::new(),
            discover_at_ms: 0,
            rotate_at_ms: 0,
            relayed: None,
            last_relay: None,
            random: Random::new(seed),
        }
    }

    /// The next output, or `None`.
    pub fn poll_output(&mut self) -> Option<SyncOutput> {
        self.outputs.pop_front()
    }

    /// The uptime at which [`Syncer::handle_wakeup`] is due.
    pub fn next_wakeup_ms(&self) -> u64 {
        let polls = self.peers.known.values().filter(|peer| peer.info.is_none()).map(|peer| peer.poll_at_ms);
        let deadlines = self.in_flight.values().map(|in_flight| in_flight.deadline_ms);
        let paces = self.downloads.iter().map(Download::next_measure_ms);
        let relay = self.relayed.as_ref().map(Relayed::due_ms);
        let rotation = (!self.peers.waiting.is_empty()).then_some(self.rotate_at_ms);
        let repair = self.repairs.due_ms().filter(|_| !self.is_repairing());
        let pause = self.group_pauses.next_end_ms();
        let others = [Some(self.discover_at_ms), self.mining_pause_ends_ms, relay, rotation, repair, pause];
        polls.chain(deadlines).chain(paces).chain(others.into_iter().flatten()).min().unwrap_or(0)
    }

    /// All peers, as `GET /peers` lists them.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.peers.list()
    }

    /// Number of peers that answer and are on our network.
    pub fn connected(&self) -> usize {
        self.peers.connected().count()
    }

    /// Whether a download runs: blocks that it connected may then not be durable yet.
    pub const fn is_fetching(&self) -> bool {
        !self.downloads.is_empty()
    }

    /// Whether a miner should pause, since it would mine on a block that is about to be replaced.
    ///
    /// A header that outweighs the chain is only a claim, so it stops no miner. A block of a branch that outweighs it
    /// does, for a tenth of the block interval: while a node catches up, its blocks would be lost.
    pub fn is_syncing(&self, now: Now) -> bool {
        self.mining_pause_ends_ms.is_some_and(|ends_ms| ends_ms > now.uptime_ms)
    }

    /// Sets the address that others reach this service at, if it became known only after the start.
    pub fn set_own_address(&mut self, own: PeerAddress) {
        self.forget(&own);
        self.settings.own_address = Some(own);
    }

    /// Whether an address was blocked by the operator.
    pub fn is_blocked(&self, address: &PeerAddress) -> bool {
        self.peers.blocked.contains_key(address)
    }

    /// The IP addresses of blocked peers, as far as they are known and neither this node nor another peer shares them.
    pub fn blocked_ips(&self) -> Vec<IpAddr> {
        self.peers.blocked_ips(self.settings.own_address.as_ref().and_then(PeerAddress::ip))
    }

    /// Offers addresses of peers. A node gets only requests for `/info` until that shows our network.
    pub fn add_peers(&mut self, addresses: impl IntoIterator<Item = PeerAddress>, source: PeerSource, now: Now) {
        let mut addresses: Vec<_> = addresses.into_iter().collect();
        // Being listed first must buy no place.
        self.random.shuffle(&mut addresses);
        for address in addresses {
            if self.settings.own_address.as_ref() != Some(&address) {
                self.peers.add(address, source, now, &mut self.random);
            }
        }
    }

    /// A peer has called us, so it may be reachable again.
    pub fn handle_caller(&mut self, address: &PeerAddress, now: Now) {
        self.add_peers([address.clone()], PeerSource::Caller, now);
        if let Some(peer) = self.peers.known.get_mut(address) {
            peer.record_call(now);
        }
    }

    /// Somebody who names itself `address` has news. The name proves nothing, so the peer itself is polled.
    pub fn handle_hint(&mut self, address: &PeerAddress, now: Now) {
        self.handle_caller(address, now);
        if let Some(peer) = self.peers.known.get_mut(address) {
            peer.record_hint(now);
        }
    }

    /// Adds, removes, blocks and unblocks peers for the operator.
    ///
    /// # Errors
    /// If an entry is not an address, which the error names, or there are too many; nothing is changed then.
    pub fn update_peers(&mut self, update: &PeersUpdate, now: Now) -> Result<(), String> {
        let parse = |texts: &[String]| -> Result<Vec<PeerAddress>, String> {
            let addresses = texts.iter().map(|text| text.parse().map_err(|error: BadPeerAddress| error.to_string()));
            addresses.collect()
        };
        let (add, remove) = (parse(&update.add)?, parse(&update.remove)?);
        let (block, unblock) = (parse(&update.block)?, parse(&update.unblock)?);
        let listed = self.peers.known.len() + self.peers.blocked.len() + add.len() + block.len();
        if listed > MAX_LISTED {
            return Err(format!("that would be {listed} known and blocked peers, at most {MAX_LISTED} are kept"));
        }
        for address in unblock {
            if let Some(blocked) = self.peers.blocked.remove(&address) {
                self.peers.add(address.clone(), blocked.source, now, &mut self.random);
                self.emit_peer_event(address, PeerChange::Unblocked, None);
            }
        }
        for address in remove {
            self.forget(&address);
            self.emit_peer_event(address, PeerChange::Removed, None);
        }
        for address in block {
            self.cancel_requests_to(&address);
            self.peers.block(address.clone());
            self.emit_peer_event(address, PeerChange::Blocked, None);
        }
        self.add_peers(add, PeerSource::Manual, now);
        Ok(())
    }

    /// Polls every peer now; [`Syncer::is_settled`] returns whether all that follows from it is done.
    pub fn sync_now(&mut self, now: Now) {
        // The operator knows that things have changed: what failed before is worth another try.
        self.backoff = Backoff::default();
        self.paused_until_ms = now.uptime_ms;
        for peer in self.peers.known.values_mut().filter(|peer| peer.is_available(now)) {
            peer.poll_at_ms = now.uptime_ms;
            peer.rest_until_ms = now.uptime_ms;
            peer.sync_pending = true;
        }
    }

    /// Whether every peer has answered since [`Syncer::sync_now`], and no download runs.
    pub fn is_settled(&self) -> bool {
        self.downloads.is_empty() && !self.peers.known.values().any(|peer| peer.sync_pending)
    }

    /// Judges a block that was mined here, or pushed by a caller that names itself `from`; emits events and relays it.
    ///
    /// The name is no proof, so nothing that is wrong with the block is held against the peer of that name: it is
    /// polled instead, and what it then sends itself counts.
    ///
    /// # Errors
    /// As [`Chain::accept`].
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
                if let Some(peer) = from.and_then(|from| self.peers.known.get_mut(from)) {
                    peer.record_delivered(1);
                }
                let best = *accepted == Accepted::Best;
                self.emit_block_event(&block, best, source, from, chain);
                if best && chain.tip().hash() == hash {
                    match from {
                        Some(_) => self.relay(&block, now),
                        None => self.push_to_all(&block, now),
                    }
                }
            }
            Err(BlockError::Invalid(_) | BlockError::NotYet(NotYet::UnknownParent(_))) => {
                if let Some(from) = from {
                    self.handle_hint(from, now);
                }
            }
            Err(_) => {}
        }
        self.make_progress(chain, now);
        result
    }

    /// The first `bytes` bytes of a response have arrived.
    pub fn handle_progress(&mut self, id: RequestId, bytes: u64, now: Now) {
        let Some(pending) = self.in_flight.get_mut(&id) else { return };
        let new = pending.record_bytes(bytes, now);
        if let Some(download) = self.downloads.iter_mut().find(|download| download.awaits(id)) {
            download.record_bytes(new);
        }
    }

    /// The last call took this long. That is no fault of the peers, so their responses may be as much later.
    pub fn handle_delay(&mut self, took_ms: u64) {
        self.in_flight.values_mut().for_each(|pending| pending.extend(took_ms));
    }

    /// Takes the result of a request. Late responses to requests that were given up are ignored.
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

    /// Does all that is due.
    pub fn handle_wakeup(&mut self, chain: &mut Chain, now: Now) {
        let late = self.in_flight.iter().filter(|(_, pending)| pending.deadline_ms <= now.uptime_ms).map(|(id, _)| *id);
        for id in late.collect::<Vec<_>>() {
            if let Some(PendingRequest { peer, kind, .. }) = self.in_flight.remove(&id) {
                self.outputs.push_back(SyncOutput::Cancel(id));
                self.handle_failure(id, &peer, kind, &Failure::Slow, chain, now);
            }
        }
        self.make_progress(chain, now);
    }
}
