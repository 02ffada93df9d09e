//! Sending requests, and what becomes of peers that do not answer them or misbehave.

use super::PeerChange;
use super::peers::{Peer, PeerState};
use super::{Now, PeerAddress, PeerRequest, PendingRequest, Relayed, RequestId, RequestKind, SyncOutput, Syncer};
use crate::block::Block;
use crate::json::shortened;
use std::sync::Arc;

/// How many pushes to one peer may be under way; what it misses it will poll.
const MAX_PUSHES: u32 = 8;
/// How many peers a block is passed on to at once; also those whom nobody else reaches wait no longer than …
const RELAYED_AT_ONCE: usize = 4;
/// … this, milliseconds.
const RELAY_REMAINING_MS: u64 = 100;
/// How often one peer is asked whom it knows.
const DISCOVERY_MS: u64 = 20_000;

const INFO_TIMEOUT_MS: u64 = 2_000;
const PEERS_TIMEOUT_MS: u64 = 5_000;
const HEADERS_TIMEOUT_MS: u64 = 15_000;
const BLOCKS_TIMEOUT_MS: u64 = 30_000;
const PUSH_TIMEOUT_MS: u64 = 10_000;

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

    /// Passes a block on that a peer has pushed: to a few peers at once, to the others only if they have not got it from
    /// somebody else a moment later. In a network where everybody knows everybody, everybody has.
    pub(super) fn relay(&mut self, block: &Arc<Block>, now: Now) {
        let mut unaware = self.peers_without(block);
        while unaware.len() > RELAYED_AT_ONCE {
            unaware.swap_remove(self.random.index(unaware.len()));
        }
        self.push(block, unaware, now);
        self.relayed = Some(Relayed { block: block.clone(), remaining_at_ms: now.uptime_ms + RELAY_REMAINING_MS });
    }

    pub(super) fn push_to_all(&mut self, block: &Arc<Block>, now: Now) {
        self.push(block, self.peers_without(block), now);
    }

    /// Pushes what was relayed to those who still do not have it, if that is due.
    pub(super) fn relay_to_remaining(&mut self, now: Now) {
        if let Some(Relayed { block, .. }) = self.relayed.take_if(|relayed| relayed.remaining_at_ms <= now.uptime_ms) {
            self.push_to_all(&block, now);
        }
    }

    fn peers_without(&self, block: &Block) -> Vec<PeerAddress> {
        let unaware = |peer: &Peer| peer.knows != Some(block.hash()) && peer.pushes < MAX_PUSHES;
        self.peers.connected().filter(|(_, peer)| unaware(peer)).map(|(address, _)| address.clone()).collect()
    }

    fn push(&mut self, block: &Arc<Block>, peers: Vec<PeerAddress>, now: Now) {
        for address in peers {
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
            PeerRequest::Push(block) => (RequestKind::Push(block.hash()), PUSH_TIMEOUT_MS),
        };
        let deadline_ms = now.uptime_ms + timeout_ms;
        self.in_flight.insert(id, PendingRequest { peer: peer.clone(), kind, deadline_ms });
        self.outputs.push_back(SyncOutput::Request { id, peer: peer.clone(), request, timeout_ms });
        id
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

    pub(super) fn penalise(&mut self, address: &PeerAddress, reason: String, now: Now) {
        if self.peers.known.contains_key(address) {
            let reason = shortened(reason);
            self.peers.drop_temporarily(address, reason.clone(), now);
            self.cancel_requests_to(address);
            self.emit_peer_event(address.clone(), PeerChange::Dropped, Some(reason));
        }
    }

    pub(super) fn forget(&mut self, address: &PeerAddress) {
        self.cancel_requests_to(address);
        self.peers.remove(address);
    }

    /// Nothing that a peer was asked counts any more, nor what is being fetched from it.
    pub(super) fn cancel_requests_to(&mut self, address: &PeerAddress) {
        self.in_flight.retain(|_, in_flight| in_flight.peer != *address);
        if let Some(peer) = self.peers.known.get_mut(address) {
            (peer.info, peer.sync_pending, peer.pushes) = (None, false, 0);
        }
        if let Some(download) = &mut self.download
            && download.peer == *address
        {
            download.abandon();
        }
    }
}
