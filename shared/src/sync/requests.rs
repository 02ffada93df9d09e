//! Sending requests, how long each may take, and what becomes of peers that do not respond or misbehave.

use super::PeerChange;
use super::peer::{Peer, PeerState};
use super::{Now, PeerAddress, PeerRequest, RequestId, SyncOutput, Syncer};
use crate::block::{Block, BlockHash};
use crate::json::shortened;
use std::sync::Arc;

/// Most pushes to one peer at a time; what it misses it polls.
const MAX_PUSHES: u32 = 8;
/// Time between two requests for the peers of a peer.
const DISCOVERY_MS: u64 = 20_000;

const INFO_TIMEOUT_MS: u64 = 2_000;
const PEERS_TIMEOUT_MS: u64 = 5_000;
const HEADERS_TIMEOUT_MS: u64 = 10_000;
const BLOCKS_TIMEOUT_MS: u64 = 30_000;
const PUSH_TIMEOUT_MS: u64 = 10_000;
/// Headers and blocks: longest time without a byte, from the moment that the peer has nothing else to deliver first, …
const STALL_MS: u64 = 3_000;
/// … and least rate after that time, in bytes a millisecond.
const MIN_BYTES_PER_MS: u64 = 16;

/// A request whose response is not here yet.
pub(super) struct PendingRequest {
    pub(super) peer: PeerAddress,
    pub(super) kind: RequestKind,
    pub(super) deadline_ms: u64,
    /// Uptime after which no response counts.
    timeout_ms: u64,
    /// Uptime since which the response is due, if it is.
    due_since_ms: Option<u64>,
    /// Bytes of the response that have arrived.
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestKind {
    Info,
    Peers,
    Headers,
    Blocks,
    /// A block that is stored already, but damaged.
    Repair,
    Announce(BlockHash),
    Push(BlockHash),
}

impl PendingRequest {
    /// The response is due from now on.
    fn expect(&mut self, now: Now) {
        self.due_since_ms = Some(now.uptime_ms);
        self.deadline_ms = (now.uptime_ms + STALL_MS).min(self.timeout_ms);
    }

    /// The response may arrive later by this time.
    pub(super) fn extend(&mut self, by_ms: u64) {
        self.deadline_ms += by_ms;
        self.timeout_ms += by_ms;
        self.due_since_ms = self.due_since_ms.map(|since_ms| since_ms + by_ms);
    }

    /// The first `bytes` of the response are here; returns how many of them are new.
    pub(super) fn record_bytes(&mut self, bytes: u64, now: Now) -> u64 {
        let new = bytes.saturating_sub(self.bytes);
        self.bytes += new;
        if let Some(since_ms) = self.due_since_ms.filter(|_| new > 0) {
            let at_least_rate_ms = since_ms + STALL_MS + self.bytes / MIN_BYTES_PER_MS;
            self.deadline_ms = (now.uptime_ms + STALL_MS).min(at_least_rate_ms).min(self.timeout_ms);
        }
        new
    }
}

impl Syncer {
    pub(super) fn poll_peers(&mut self, now: Now) {
        let due = |peer: &Peer| peer.info.is_none() && peer.poll_at_ms <= now.uptime_ms;
        let due = self.peers.known.iter().filter(|(_, peer)| due(peer)).map(|(address, _)| address.clone());
        for address in due.collect::<Vec<_>>() {
            let id = self.send_request(&address, PeerRequest::Info, now);
            if let Some(peer) = self.peers.known.get_mut(&address) {
                peer.info = Some(id);
            }
        }
        if self.discover_at_ms <= now.uptime_ms {
            self.discover_at_ms = now.uptime_ms + DISCOVERY_MS;
            let connected: Vec<_> = self.peers.connected().map(|(address, _)| address.clone()).collect();
            if !connected.is_empty() {
                let address = &connected[self.random.index(connected.len())];
                self.send_request(address, PeerRequest::Peers, now);
            }
        }
    }

    pub(super) fn push_to_all(&mut self, block: &Arc<Block>, now: Now) {
        self.push(block, self.peers_without(block), now);
    }

    pub(super) fn peers_without(&self, block: &Block) -> Vec<PeerAddress> {
        let unaware = |peer: &Peer| peer.knows != Some(block.hash()) && peer.pushes < MAX_PUSHES;
        self.peers.connected().filter(|(_, peer)| unaware(peer)).map(|(address, _)| address.clone()).collect()
    }

    /// Pushes a block to those of `peers` that it is not on its way to already.
    pub(super) fn push(&mut self, block: &Arc<Block>, peers: Vec<PeerAddress>, now: Now) {
        let kind = RequestKind::Push(block.hash());
        for address in peers {
            if self.in_flight.values().any(|sent| sent.kind == kind && sent.peer == address) {
                continue;
            }
            self.send_request(&address, PeerRequest::Push(block.clone()), now);
            if let Some(peer) = self.peers.known.get_mut(&address) {
                peer.pushes += 1;
            }
        }
    }

    pub(super) fn next_id(&self) -> RequestId {
        RequestId(self.next_id)
    }

    pub(super) fn send_request(&mut self, peer: &PeerAddress, request: PeerRequest, now: Now) -> RequestId {
        let id = self.next_id();
        self.next_id += 1;
        let (kind, timeout_ms) = match &request {
            PeerRequest::Info => (RequestKind::Info, INFO_TIMEOUT_MS),
            PeerRequest::Peers => (RequestKind::Peers, PEERS_TIMEOUT_MS),
            PeerRequest::Headers { .. } => (RequestKind::Headers, HEADERS_TIMEOUT_MS),
            PeerRequest::Blocks { .. } => (RequestKind::Blocks, BLOCKS_TIMEOUT_MS),
            PeerRequest::Announce(hash) => (RequestKind::Announce(*hash), INFO_TIMEOUT_MS),
            PeerRequest::Push(block) => (RequestKind::Push(block.hash()), PUSH_TIMEOUT_MS),
        };
        let deadline_ms = now.uptime_ms + timeout_ms;
        let pending = PendingRequest {
            peer: peer.clone(),
            kind,
            deadline_ms,
            timeout_ms: deadline_ms,
            due_since_ms: None,
            bytes: 0,
        };
        self.in_flight.insert(id, pending);
        self.outputs.push_back(SyncOutput::Request { id, peer: peer.clone(), request, timeout_ms });
        id
    }

    /// The peer has nothing else to deliver before the response to this request.
    pub(super) fn expect_response(&mut self, id: RequestId, now: Now) {
        if let Some(pending) = self.in_flight.get_mut(&id) {
            pending.expect(now);
        }
    }

    pub(super) fn disconnect(&mut self, address: &PeerAddress, state: PeerState, now: Now) {
        let reason = match &state {
            PeerState::Unreachable(reason) | PeerState::Foreign(reason) => Some(reason.clone()),
            _ => None,
        };
        if let Some(change) = self.peers.record_failure(address, state, now) {
            self.emit_peer_event(address.clone(), change, reason);
        }
    }

    /// Drops a peer that broke a rule. What it does while it is dropped adds nothing.
    pub(super) fn penalise(&mut self, address: &PeerAddress, reason: String, now: Now) {
        let reason = shortened(reason);
        if self.peers.drop_temporarily(address, reason.clone(), now) {
            self.cancel_requests_to(address);
            self.emit_peer_event(address.clone(), PeerChange::Dropped, Some(reason));
        }
    }

    pub(super) fn forget(&mut self, address: &PeerAddress) {
        self.cancel_requests_to(address);
        self.peers.remove(address);
    }

    /// Cancels all requests to a peer, and abandons the download from it.
    pub(super) fn cancel_requests_to(&mut self, address: &PeerAddress) {
        self.cancel_requests(|_, pending| pending.peer == *address);
        if let Some(peer) = self.peers.known.get_mut(address) {
            (peer.info, peer.sync_pending, peer.pushes) = (None, false, 0);
        }
        for download in self.downloads.iter_mut().filter(|download| download.peer == *address) {
            download.abandon();
        }
    }

    pub(super) fn cancel_requests(&mut self, is_meant: impl Fn(RequestId, &PendingRequest) -> bool) {
        let outputs = &mut self.outputs;
        self.in_flight.retain(|id, pending| {
            let cancelled = is_meant(*id, pending);
            if cancelled {
                outputs.push_back(SyncOutput::Cancel(*id));
            }
            !cancelled
        });
    }
}
