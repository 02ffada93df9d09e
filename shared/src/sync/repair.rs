//! Fetches blocks again whose stored rows are damaged, one after another, and lets the chain put them back.
//!
//! A damaged block is known by its hash, so any peer may deliver it, and none can deliver another one in its place.

use super::peer::Peer;
use super::requests::RequestKind;
use super::{Now, PeerAddress, PeerRequest, Syncer};
use crate::block::{Block, BlockHash, BlockId, Height};
use crate::chain::Chain;
use crate::store::StoreError;
use std::collections::BTreeSet;
use std::ops::Bound;

/// Most damaged blocks to remember; more are noticed again when they are read again.
const MAX_DAMAGED: usize = 1024;
/// Pause after a peer could not deliver a block, or while there is no peer, in milliseconds.
const RETRY_MS: u64 = 2_000;

/// Blocks that must be fetched again, in turn.
#[derive(Default)]
pub(super) struct Repairs {
    damaged: BTreeSet<(Height, BlockHash)>,
    /// Those of them that nobody was told of.
    news: Vec<BlockId>,
    /// The one that was asked for last; the next one is asked for then, so that none holds up the others.
    last: Option<(Height, BlockHash)>,
    next_at_ms: u64,
}

impl Repairs {
    /// The uptime at which the next request is due, if any is.
    pub(super) fn due_ms(&self) -> Option<u64> {
        (!self.damaged.is_empty()).then_some(self.next_at_ms)
    }

    fn next(&mut self) -> Option<(Height, BlockHash)> {
        let after = self.last.and_then(|last| self.damaged.range((Bound::Excluded(last), Bound::Unbounded)).next());
        self.last = after.or_else(|| self.damaged.first()).copied();
        self.last
    }
}

impl Syncer {
    /// Has a stored block fetched again whose rows are damaged.
    pub fn repair(&mut self, id: BlockId) {
        if self.repairs.damaged.len() < MAX_DAMAGED && self.repairs.damaged.insert((id.index, id.hash)) {
            self.repairs.news.push(id);
        }
    }

    /// Blocks that were found damaged since the last call, each once.
    pub fn take_damaged(&mut self) -> Vec<BlockId> {
        std::mem::take(&mut self.repairs.news)
    }

    /// Whether a block still waits for its repair.
    pub fn is_damaged(&self, BlockId { index, hash }: &BlockId) -> bool {
        self.repairs.damaged.contains(&(*index, *hash))
    }

    pub(super) fn is_repairing(&self) -> bool {
        self.in_flight.values().any(|in_flight| in_flight.kind == RequestKind::Repair)
    }

    pub(super) fn request_repair(&mut self, chain: &mut Chain, now: Now) {
        if self.repairs.due_ms().is_none_or(|due_ms| due_ms > now.uptime_ms) || self.is_repairing() {
            return;
        }
        self.retry_repair(now);
        let Some((index, hash)) = self.repairs.next() else { return };
        if chain.relink(BlockId { index, hash }).unwrap_or(false) {
            self.repairs.damaged.remove(&(index, hash));
            self.repairs.next_at_ms = now.uptime_ms;
            return;
        }
        let has_it = |peer: &Peer| peer.tip.is_some_and(|tip| tip.index >= index);
        let peers: Vec<PeerAddress> =
            self.peers.connected().filter(|(_, peer)| has_it(peer)).map(|(address, _)| address.clone()).collect();
        if !peers.is_empty() {
            let peer = &peers[self.random.index(peers.len())];
            let id = self.send_request(peer, PeerRequest::Blocks { hashes: vec![hash] }, now);
            if let Some(in_flight) = self.in_flight.get_mut(&id) {
                in_flight.kind = RequestKind::Repair;
            }
            self.expect_response(id, now);
        }
    }

    pub(super) fn retry_repair(&mut self, now: Now) {
        self.repairs.next_at_ms = now.uptime_ms + RETRY_MS;
    }

    pub(super) fn handle_repair(&mut self, blocks: &[Block], chain: &mut Chain) {
        let is_damaged = |block: &&Block| self.repairs.damaged.contains(&(block.index(), block.hash()));
        let Some(block) = blocks.first().filter(is_damaged) else { return };
        match chain.restore(block) {
            // A block that has left the chain meanwhile needs no repair.
            Ok(_) => {
                self.repairs.damaged.remove(&(block.index(), block.hash()));
                self.repairs.next_at_ms = 0;
            }
            Err(StoreError::DamagedBlock { id: parent, .. }) => {
                self.repair(parent);
                self.repairs.next_at_ms = 0;
            }
            // Tried again after the pause.
            Err(_) => {}
        }
    }
}
