//! Keeping a chain in step with its peers, as a state machine (docs/protocol.md §10).
//!
//! The [`Syncer`] is told what happens (`handle_*`) and what time it is, and says what to ask of whom
//! ([`Syncer::poll_output`]) and when to wake it ([`Syncer::next_wakeup_ms`]). It opens no socket and reads no clock, so
//! HTTP and simulations drive the same code. Chance comes in as a seed.
//!
//! A peer is polled every few seconds for its tip. If that has more work than ours, its headers are fetched, judged, and
//! only if they outweigh our chain, its blocks ([`download`]). New blocks are pushed to all peers at once; what a push
//! misses, the poll heals.

mod download;
mod message;
mod peers;
mod shelf;

pub use download::{BLOCKS_PER_REQUEST, HEADERS_PER_REQUEST};
pub use message::{Failure, Now, Output, PeerAddress, Request, RequestId, Response};
pub use peers::Learnt;

use crate::block::{Block, BlockHash};
use crate::chain::{Accepted, Chain, NotYet, Origin, Refusal};
use crate::wire::{self, BlockEvent, BlockSource, Event, PeerChange, PeerEvent, PeersUpdate, ReorgEvent};
use download::{Download, End};
use peers::{Peers, Standing};
use shelf::Shelf;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many of the blocks of a large sync are told of one by one: the newest.
const MAX_BLOCK_EVENTS: usize = 100;
/// How many pushes to one peer may be under way; what it misses it will poll.
const MAX_PUSHES: u32 = 8;
/// Most addresses that are known or blocked, those added by hand included.
const MAX_LISTED: usize = 1000;
/// How often one peer is asked whom it knows.
const ASK_PEERS_MS: u64 = 20_000;

/// How long to wait before fetching anything more after a failure of our own, such as a full disk.
const REST_MS: u64 = 2_000;

const INFO_TIMEOUT_MS: u64 = 2_000;
const PEERS_TIMEOUT_MS: u64 = 5_000;
const HEADERS_TIMEOUT_MS: u64 = 15_000;
const BLOCKS_TIMEOUT_MS: u64 = 30_000;
const PUSH_TIMEOUT_MS: u64 = 10_000;

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

struct Asked {
    peer: PeerAddress,
    kind: Kind,
    deadline_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Info,
    Peers,
    Headers,
    Blocks,
    Push(BlockHash),
}

/// Keeps one chain in step with its peers.
pub struct Syncer {
    settings: SyncSettings,
    peers: Peers,
    asked: BTreeMap<RequestId, Asked>,
    next_id: u64,
    download: Option<Download>,
    /// How many downloads there were.
    downloads: u64,
    /// After a failure of our own, no download starts before this uptime.
    rest_until_ms: u64,
    shelf: Shelf,
    outputs: VecDeque<Output>,
    ask_peers_at_ms: u64,
    chance: u64,
}

impl Syncer {
    /// Knows nobody yet; `seed` decides what is left to chance.
    pub fn new(settings: SyncSettings, seed: u64) -> Self {
        Self {
            peers: Peers::new(settings.max_peers, settings.poll_ms),
            settings,
            asked: BTreeMap::new(),
            next_id: 0,
            download: None,
            downloads: 0,
            rest_until_ms: 0,
            shelf: Shelf::default(),
            outputs: VecDeque::new(),
            ask_peers_at_ms: 0,
            chance: seed,
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The uptime at which [`Syncer::handle_wakeup`] is due.
    pub fn next_wakeup_ms(&self) -> u64 {
        let polls = self.peers.known.values().filter(|peer| peer.info.is_none()).map(|peer| peer.poll_at_ms);
        let deadlines = self.asked.values().map(|asked| asked.deadline_ms);
        let turn = self.download.as_ref().map(|it| if it.is_abandoned() { 0 } else { it.turn_ends_ms });
        polls.chain(deadlines).chain(turn).chain([self.ask_peers_at_ms]).min().unwrap_or(0)
    }

    /// All peers, as `GET /peers` tells them.
    pub fn peers(&self) -> Vec<wire::Peer> {
        self.peers.list()
    }

    /// How many peers answer and are of our network.
    pub fn connected(&self) -> usize {
        self.peers.connected().count()
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
    pub fn add_peers(&mut self, addresses: impl IntoIterator<Item = PeerAddress>, learnt: Learnt, now: Now) {
        for address in addresses {
            if self.settings.own_address.as_ref() != Some(&address) {
                self.peers.add(address, learnt, now);
            }
        }
    }

    /// A peer has called us: it is there, whatever we thought.
    pub fn handle_caller(&mut self, address: &PeerAddress, now: Now) {
        self.add_peers([address.clone()], Learnt::FromPeers, now);
        if let Some(peer) = self.peers.known.get_mut(address) {
            peer.has_called(now);
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
            if let Some(learnt) = self.peers.blocked.remove(&address) {
                self.peers.add(address.clone(), learnt, now);
                self.tell_peer(address, PeerChange::Unblocked, None);
            }
        }
        for address in remove {
            self.forget(&address);
            self.tell_peer(address, PeerChange::Removed, None);
        }
        for address in block {
            let learnt = self.peers.known.get(&address).map_or(Learnt::FromPeers, |peer| peer.learnt);
            self.forget(&address);
            self.peers.blocked.insert(address.clone(), learnt);
            self.tell_peer(address, PeerChange::Blocked, None);
        }
        self.add_peers(add, Learnt::ByHand, now);
        Ok(())
    }

    /// Asks every peer now; [`Syncer::is_settled`] tells when that has led to all that it can.
    pub fn sync_now(&mut self, now: Now) {
        for peer in self.peers.known.values_mut().filter(|peer| peer.may_be_asked(now)) {
            peer.poll_at_ms = now.uptime_ms;
            peer.owes_answer = true;
        }
    }

    /// Whether every peer has answered since [`Syncer::sync_now`], and nothing is being fetched.
    pub fn is_settled(&self) -> bool {
        self.download.is_none() && !self.peers.known.values().any(|peer| peer.owes_answer)
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
    ) -> Result<Accepted, Refusal> {
        let hash = block.hash();
        if let Some(from) = from {
            self.handle_caller(from, now);
        }
        let block = Arc::new(block);
        let result = chain.accept(Block::clone(&block), now.time, Origin::Single);
        if let Some(peer) = from.and_then(|from| self.peers.known.get_mut(from)) {
            peer.knows = Some(hash);
        }
        self.tell_reorganisation(chain);
        match &result {
            Ok(Accepted::Known) => {}
            Ok(accepted) => {
                let best = *accepted == Accepted::Best;
                self.tell_block(&block, best, source, from, chain);
                if best && chain.tip().hash() == hash {
                    self.push_to_all(&block, now);
                }
            }
            Err(Refusal::Broken(broken)) => {
                if let Some(from) = from {
                    let reason = format!("it pushed block {hash}, which breaks rule {}: {broken}", broken.name());
                    self.punish(from, reason, now);
                }
            }
            Err(Refusal::NotYet(NotYet::UnknownParent(_))) => {
                let sender = from.and_then(|from| self.peers.known.get_mut(from));
                if let Some(peer) = sender.filter(|peer| peer.may_be_asked(now)) {
                    peer.poll_at_ms = now.uptime_ms;
                }
            }
            Err(_) => {}
        }
        self.go_on(chain, now);
        result
    }

    /// Takes what came of a request. Late answers to requests that were given up are ignored.
    pub fn handle_response(&mut self, id: RequestId, result: Result<Response, Failure>, chain: &mut Chain, now: Now) {
        if let Some(Asked { peer, kind, .. }) = self.asked.remove(&id) {
            match result {
                Ok(response) => self.handle_answer(id, peer, kind, response, chain, now),
                Err(failure) => self.handle_failure(id, &peer, kind, &failure, chain, now),
            }
        }
        self.go_on(chain, now);
    }

    /// Does what is due by now.
    pub fn handle_wakeup(&mut self, chain: &mut Chain, now: Now) {
        let late = self.asked.iter().filter(|(_, asked)| asked.deadline_ms <= now.uptime_ms).map(|(id, _)| *id);
        for id in late.collect::<Vec<_>>() {
            if let Some(Asked { peer, kind, .. }) = self.asked.remove(&id) {
                self.handle_failure(id, &peer, kind, &Failure::Slow, chain, now);
            }
        }
        self.go_on(chain, now);
    }

    fn handle_answer(
        &mut self,
        id: RequestId,
        address: PeerAddress,
        kind: Kind,
        response: Response,
        chain: &mut Chain,
        now: Now,
    ) {
        match (kind, response) {
            (Kind::Info, Response::Info { address: said, network, difference, tip }) => {
                self.handle_info(&address, &said, network, difference, tip, chain, now);
            }
            (Kind::Peers, Response::Peers(peers)) => {
                // Loopback and link-local addresses mean something only to whoever shares the machine.
                let local = address.is_local();
                self.add_peers(peers.into_iter().filter(|peer| local || !peer.is_local()), Learnt::FromPeers, now);
            }
            (Kind::Headers, Response::Headers(headers)) => {
                self.with_download(id, chain, now, |download, chain| download.handle_headers(headers, chain, now.time));
            }
            (Kind::Blocks, Response::Blocks(blocks)) => {
                self.with_download(id, chain, now, |download, _| download.handle_blocks(id, blocks));
            }
            (Kind::Push(hash), Response::Pushed) => {
                if let Some(peer) = self.peers.known.get_mut(&address) {
                    peer.pushes = peer.pushes.saturating_sub(1);
                    peer.knows = Some(hash);
                }
            }
            _ => self.punish(&address, "it answered something else than was asked".to_owned(), now),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one answer, and the two that everything here gets")]
    fn handle_info(
        &mut self,
        address: &PeerAddress,
        said: &str,
        network: BlockHash,
        difference: Option<String>,
        tip: Option<wire::Tip>,
        chain: &Chain,
        now: Now,
    ) {
        let Some(peer) = self.peers.known.get_mut(address) else { return };
        peer.info = None;
        peer.owes_answer = false;
        if self.settings.own_address.as_ref().is_some_and(|own| own.as_str() == said) {
            self.peers.remove(address);
            return;
        }
        let ours = chain.rules().params().network_id();
        if network != ours {
            let detail = difference.map_or(String::new(), |difference| format!(": {difference}"));
            let reason = format!("another network, {network}; ours is {ours}{detail}");
            self.lose(address, Standing::Foreign(reason), now);
            return;
        }
        if let Some(change) = self.peers.answered(address, tip, now) {
            self.ask_peers_at_ms = self.ask_peers_at_ms.min(now.uptime_ms);
            self.tell_peer(address.clone(), change, None);
        }
    }

    fn handle_failure(
        &mut self,
        id: RequestId,
        address: &PeerAddress,
        kind: Kind,
        failure: &Failure,
        chain: &mut Chain,
        now: Now,
    ) {
        if let Some(peer) = self.peers.known.get_mut(address) {
            match kind {
                Kind::Info => (peer.info, peer.owes_answer) = (None, false),
                Kind::Push(_) => peer.pushes = peer.pushes.saturating_sub(1),
                _ => {}
            }
        }
        match (failure, kind) {
            (Failure::Misbehaved(reason), _) => self.punish(address, reason.clone(), now),
            (Failure::Slow, Kind::Headers | Kind::Blocks) => {
                self.punish(address, "it was too slow".to_owned(), now);
            }
            (Failure::Unreachable(_), _) | (_, Kind::Info) => {
                self.lose(address, Standing::Unreachable(failure.to_string()), now);
            }
            (Failure::Slow | Failure::Refused(_), _) => {}
        }
        if self.download.as_ref().is_some_and(|download| download.awaits(id)) {
            self.end_download(End::Nothing(failure.to_string()), chain, now);
        }
    }

    /// Does whatever can be done without waiting: polls, a download's next requests, a new download.
    fn go_on(&mut self, chain: &mut Chain, now: Now) {
        self.poll_peers(now);
        loop {
            if self.download.is_none() {
                self.start_download(chain, now);
            }
            let Some(mut download) = self.download.take() else { return };
            let driven = if self.is_anothers_turn(&mut download, chain, now) {
                Err(End::Nothing("it takes long, and others have something to offer".to_owned()))
            } else {
                self.drive(&mut download, chain, now)
            };
            match driven {
                Ok(()) => {
                    self.download = Some(download);
                    return;
                }
                Err(end) => {
                    self.download = Some(download);
                    self.end_download(end, chain, now);
                }
            }
        }
    }

    /// Connects what has arrived and asks for what comes next.
    fn drive(&mut self, download: &mut Download, chain: &mut Chain, now: Now) -> Result<(), End> {
        let peer = download.peer.clone();
        while let Some(request) = download.connect(chain, now.time, self.next_id())? {
            self.ask(&peer, request, now);
        }
        self.tell_reorganisation(chain);
        if !download.is_uncommitted() {
            self.tell_taken(download, chain);
        }
        while let Some(request) = download.next_request(chain, self.next_id())? {
            self.ask(&peer, request, now);
        }
        Ok(())
    }

    fn with_download(
        &mut self,
        id: RequestId,
        chain: &mut Chain,
        now: Now,
        step: impl FnOnce(&mut Download, &mut Chain) -> Result<(), End>,
    ) {
        let Some(download) = self.download.as_mut().filter(|download| download.awaits(id)) else { return };
        if let Err(end) = step(download, chain) {
            self.end_download(end, chain, now);
        }
    }

    /// Starts fetching from a peer whose chain claims more work than ours has.
    ///
    /// Claims cost nothing, so they buy no precedence: whoever waited longest is asked first, and only among those who
    /// waited equally long the largest claim.
    fn start_download(&mut self, chain: &Chain, now: Now) {
        if now.uptime_ms < self.rest_until_ms {
            return;
        }
        let rank = |peer: &peers::Peer, tip: &wire::Tip| (peer.last_download, Reverse(tip.work));
        let offers: Vec<_> = self.offers(chain, now).collect();
        let first = offers.iter().map(|(_, peer, tip)| rank(peer, tip)).min();
        let best: Vec<_> = offers.iter().filter(|(_, peer, tip)| Some(rank(peer, tip)) == first).collect();
        if best.is_empty() {
            return;
        }
        let chance = next_chance(self.chance);
        let (address, peer, target) = best[(chance >> 33) as usize % best.len()];
        let (address, turn_ends_ms) = ((*address).clone(), now.uptime_ms + peer.turn_ms);
        let download = Download::new(address.clone(), *target, turn_ends_ms);
        self.chance = chance;
        self.downloads += 1;
        if let Some(peer) = self.peers.known.get_mut(&address) {
            peer.last_download = self.downloads;
        }
        self.download = Some(download);
    }

    /// Peers that claim more work than we have, and whose claim does not rest on the shelf.
    fn offers<'a>(
        &'a self,
        chain: &'a Chain,
        now: Now,
    ) -> impl Iterator<Item = (&'a PeerAddress, &'a peers::Peer, wire::Tip)> {
        let tips = self.peers.connected().filter_map(|(address, peer)| Some((address, peer, peer.tip?)));
        tips.filter(move |(address, _, tip)| {
            tip.work > chain.tip().work
                && !self.shelf.holds(address, tip.hash, now.uptime_ms)
                && chain.known_invalid(&tip.hash).is_none()
        })
    }

    /// Whether a download has had its time and somebody else offers more than we have.
    fn is_anothers_turn(&mut self, download: &mut Download, chain: &Chain, now: Now) -> bool {
        if now.uptime_ms < download.turn_ends_ms {
            return false;
        }
        let waiting = self.offers(chain, now).any(|(address, ..)| *address != download.peer);
        let turn_ms = self.peers.known.get_mut(&download.peer).map_or(0, |peer| {
            peer.took_long();
            peer.turn_ms
        });
        download.turn_ends_ms = now.uptime_ms + turn_ms.max(1);
        waiting
    }

    fn end_download(&mut self, end: End, chain: &mut Chain, now: Now) {
        let Some(mut download) = self.download.take() else { return };
        let Download { peer, target, .. } = &download;
        let (peer, target) = (peer.clone(), target.hash);
        let committed = download.commit(chain);
        self.tell_reorganisation(chain);
        if committed.is_ok() {
            self.tell_taken(&mut download, chain);
        }
        chain.shelve_branches();
        self.outputs.push_back(Output::Note(format!("fetching from {peer} ended: {end}")));
        match end {
            End::Done => {
                if let Some(peer) = self.peers.known.get_mut(&peer).filter(|_| download.was_useful()) {
                    peer.forgive();
                    peer.poll_at_ms = now.uptime_ms;
                }
            }
            End::Nothing(_) => self.shelf.put(&peer, target, now.uptime_ms),
            End::Unkept(reason) => {
                self.shelf.put(&peer, target, now.uptime_ms);
                if self.peers.known.get_mut(&peer).is_some_and(|peer| peer.disappointed(now)) {
                    self.punish(&peer, format!("time and again {reason}"), now);
                }
            }
            End::Failed(_) => self.rest_until_ms = now.uptime_ms + REST_MS,
            End::Misbehaved(reason) => self.punish(&peer, reason, now),
        }
        if committed.is_err() {
            self.rest_until_ms = now.uptime_ms + REST_MS;
        }
    }

    fn poll_peers(&mut self, now: Now) {
        let due = |peer: &peers::Peer| peer.info.is_none() && peer.poll_at_ms <= now.uptime_ms;
        let due = self.peers.known.iter().filter(|(_, peer)| due(peer)).map(|(address, _)| address.clone());
        for address in due.collect::<Vec<_>>() {
            let id = self.ask(&address, Request::Info, now);
            if let Some(peer) = self.peers.known.get_mut(&address) {
                peer.info = Some(id);
            }
        }
        if self.ask_peers_at_ms <= now.uptime_ms {
            self.ask_peers_at_ms = now.uptime_ms + ASK_PEERS_MS;
            let connected: Vec<_> = self.peers.connected().map(|(address, _)| address.clone()).collect();
            self.chance = next_chance(self.chance);
            if !connected.is_empty() {
                let address = &connected[(self.chance >> 33) as usize % connected.len()];
                self.ask(address, Request::Peers, now);
            }
        }
    }

    fn push_to_all(&mut self, block: &Arc<Block>, now: Now) {
        let hash = block.hash();
        let unaware = |peer: &peers::Peer| peer.knows != Some(hash) && peer.pushes < MAX_PUSHES;
        let unaware = self.peers.connected().filter(|(_, peer)| unaware(peer)).map(|(address, _)| address.clone());
        for address in unaware.collect::<Vec<_>>() {
            self.ask(&address, Request::Push(block.clone()), now);
            if let Some(peer) = self.peers.known.get_mut(&address) {
                peer.pushes += 1;
            }
        }
    }

    fn next_id(&self) -> RequestId {
        RequestId(self.next_id)
    }

    fn ask(&mut self, peer: &PeerAddress, request: Request, now: Now) -> RequestId {
        let id = self.next_id();
        self.next_id += 1;
        let (kind, timeout_ms) = match &request {
            Request::Info => (Kind::Info, INFO_TIMEOUT_MS),
            Request::Peers => (Kind::Peers, PEERS_TIMEOUT_MS),
            Request::Headers { .. } => (Kind::Headers, HEADERS_TIMEOUT_MS),
            Request::Blocks { .. } => (Kind::Blocks, BLOCKS_TIMEOUT_MS),
            Request::Push(block) => (Kind::Push(block.hash()), PUSH_TIMEOUT_MS),
        };
        let deadline_ms = now.uptime_ms + timeout_ms;
        self.asked.insert(id, Asked { peer: peer.clone(), kind, deadline_ms });
        self.outputs.push_back(Output::Ask { id, peer: peer.clone(), request, timeout_ms });
        id
    }

    fn lose(&mut self, address: &PeerAddress, standing: Standing, now: Now) {
        let reason = match &standing {
            Standing::Unreachable(reason) | Standing::Foreign(reason) => Some(reason.clone()),
            _ => None,
        };
        if let Some(change) = self.peers.missed(address, standing, now) {
            self.tell_peer(address.clone(), change, reason);
        }
    }

    fn punish(&mut self, address: &PeerAddress, reason: String, now: Now) {
        if self.peers.known.contains_key(address) {
            self.peers.drop_for_a_while(address, reason.clone(), now);
            self.give_up_requests_to(address);
            self.tell_peer(address.clone(), PeerChange::Dropped, Some(reason));
        }
    }

    fn forget(&mut self, address: &PeerAddress) {
        self.give_up_requests_to(address);
        self.peers.remove(address);
    }

    /// Nothing that a peer was asked counts any more, nor what is being fetched from it.
    fn give_up_requests_to(&mut self, address: &PeerAddress) {
        self.asked.retain(|_, asked| asked.peer != *address);
        if let Some(peer) = self.peers.known.get_mut(address) {
            (peer.info, peer.owes_answer, peer.pushes) = (None, false, 0);
        }
        if let Some(download) = &mut self.download
            && download.peer == *address
        {
            download.abandon();
        }
    }

    fn tell_peer(&mut self, address: PeerAddress, change: PeerChange, reason: Option<String>) {
        let event = PeerEvent { address: address.to_string(), change, reason };
        self.outputs.push_back(Output::Tell(Event::Peer(event)));
    }

    fn tell_block(
        &mut self,
        block: &Block,
        best: bool,
        source: BlockSource,
        from: Option<&PeerAddress>,
        chain: &Chain,
    ) {
        let header = block.header();
        let work = chain.side_work(&block.hash()).unwrap_or(chain.tip().work);
        self.outputs.push_back(Output::Tell(Event::Block(BlockEvent {
            index: header.index,
            hash: header.hash(),
            prev_hash: header.prev_hash,
            timestamp: header.timestamp,
            difficulty: header.difficulty,
            work,
            best,
            source,
            from: from.map(ToString::to_string),
        })));
    }

    /// Tells of what a download has taken: of every block if they are few, of the newest if they are many.
    fn tell_taken(&mut self, download: &mut Download, chain: &Chain) {
        let taken = download.take_taken();
        let mut work = chain.tip().work;
        let mut events = Vec::with_capacity(taken.newest.len());
        for header in taken.newest.iter().rev() {
            let side_work = chain.side_work(&header.hash());
            events.push(BlockEvent {
                index: header.index,
                hash: header.hash(),
                prev_hash: header.prev_hash,
                timestamp: header.timestamp,
                difficulty: header.difficulty,
                work: side_work.unwrap_or(work),
                best: side_work.is_none(),
                source: BlockSource::Synced,
                from: Some(download.peer.to_string()),
            });
            work = work.saturating_sub(header.difficulty.work());
        }
        self.outputs.extend(events.into_iter().rev().map(|event| Output::Tell(Event::Block(event))));
    }

    fn tell_reorganisation(&mut self, chain: &mut Chain) {
        if let Some(reorganisation) = chain.take_reorganisation() {
            self.outputs.push_back(Output::Tell(Event::Reorg(ReorgEvent {
                fork: reorganisation.fork,
                from: reorganisation.from.tip(),
                to: reorganisation.to.tip(),
                undone: reorganisation.undone(),
                applied: reorganisation.applied(),
            })));
        }
    }
}

/// The next number of a small generator (Knuth's MMIX constants); use its high bits.
const fn next_chance(chance: u64) -> u64 {
    chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
