//! Relaying a block by announcing it: its body goes only to peers that want it (docs/protocol.md §10).
//!
//! In a network where each node has many neighbours, a block would otherwise arrive from all of them. An announcement
//! is a hash and proves nothing, so it counts for half a second: a peer that asked for a block and does not get it asks
//! the next peer that announces it. After a second and a half the block is pushed to all peers that still lack it.

use super::requests::RequestKind;
use super::{Now, PeerAddress, PeerRequest, Syncer};
use crate::block::{Block, BlockHash};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use utoipa::ToSchema;

/// Peers that hear of a block at once.
const AT_ONCE: usize = 4;
/// When it is announced to those that still lack it, in milliseconds after that: once to all, and once more to those to
/// which another has promised it.
const ANNOUNCED_AGAIN_MS: [u64; 2] = [100, 700];
/// When it is pushed to those that still lack it.
const PUSHED_ANYWAY_MS: u64 = 1_500;
/// How long a block that was asked for counts as on its way, in milliseconds.
const COMING_MS: u64 = 500;
/// Most blocks that are on their way.
const MAX_COMING: usize = 64;

/// A node's answer to an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interest {
    /// Send it.
    Wanted,
    /// Another is about to send it.
    Coming,
    /// It is stored here.
    Known,
}

/// The blocks that were asked for and are not here yet.
#[derive(Debug, Default)]
pub struct Announcements {
    /// Each with the uptime until which it counts, the oldest first.
    coming: VecDeque<(BlockHash, u64)>,
}

impl Announcements {
    /// The answer to the announcement of a block that is stored here or not; one that it wants is on its way now.
    pub fn answer(&mut self, hash: BlockHash, is_stored: bool, uptime_ms: u64) -> Interest {
        self.coming.retain(|(coming, until_ms)| *until_ms > uptime_ms && !(is_stored && *coming == hash));
        if is_stored {
            return Interest::Known;
        }
        if self.coming.iter().any(|(coming, _)| *coming == hash) {
            return Interest::Coming;
        }
        if self.coming.len() >= MAX_COMING {
            self.coming.pop_front();
        }
        self.coming.push_back((hash, uptime_ms + COMING_MS));
        Interest::Wanted
    }
}

/// A block that is being relayed.
pub(super) struct Relayed {
    block: Arc<Block>,
    began_ms: u64,
    /// How often it was announced to all that lack it.
    rounds: usize,
}

impl Relayed {
    /// The uptime of the next step.
    pub(super) fn due_ms(&self) -> u64 {
        self.began_ms + ANNOUNCED_AGAIN_MS.get(self.rounds).copied().unwrap_or(PUSHED_ANYWAY_MS)
    }
}

impl Syncer {
    /// Relays a block that a peer pushed: announces it to a few peers at once, or pushes a small one, and announces it
    /// to the others if they still lack it a moment later. In a network where all nodes know each other, none does.
    pub(super) fn relay(&mut self, block: &Arc<Block>, now: Now) {
        let mut unaware = self.peers_without(block);
        while unaware.len() > AT_ONCE {
            unaware.swap_remove(self.random.index(unaware.len()));
        }
        if block.data().len() <= self.settings.unasked_bytes {
            self.push(block, unaware, now);
        } else {
            self.announce(block.hash(), unaware, now);
        }
        self.relayed = Some(Relayed { block: block.clone(), began_ms: now.uptime_ms, rounds: 0 });
    }

    /// Takes the next steps of relaying that are due.
    pub(super) fn continue_relay(&mut self, now: Now) {
        while let Some(mut relayed) = self.relayed.take_if(|relayed| relayed.due_ms() <= now.uptime_ms) {
            if relayed.rounds == ANNOUNCED_AGAIN_MS.len() {
                return self.push_to_all(&relayed.block, now);
            }
            relayed.rounds += 1;
            self.announce(relayed.block.hash(), self.peers_without(&relayed.block), now);
            self.relayed = Some(relayed);
        }
    }

    /// Announces a block to those of `peers` to which it is not announced or on its way already.
    fn announce(&mut self, hash: BlockHash, peers: Vec<PeerAddress>, now: Now) {
        for address in peers {
            let is_about = |kind| kind == RequestKind::Announce(hash) || kind == RequestKind::Push(hash);
            if !self.in_flight.values().any(|sent| sent.peer == address && is_about(sent.kind)) {
                self.send_request(&address, PeerRequest::Announce(hash), now);
            }
        }
    }

    /// Takes a peer's answer to an announcement. A block that is no longer relayed has a successor that is.
    pub(super) fn handle_interest(&mut self, address: &PeerAddress, hash: BlockHash, interest: Interest, now: Now) {
        match interest {
            Interest::Wanted => {
                let relayed = self.relayed.as_ref().map(|relayed| relayed.block.clone());
                let relayed = relayed.filter(|block| block.hash() == hash);
                if let Some(block) = relayed.filter(|block| self.peers_without(block).contains(address)) {
                    self.push(&block, vec![address.clone()], now);
                }
            }
            Interest::Coming => {}
            Interest::Known => {
                if let Some(peer) = self.peers.known.get_mut(address) {
                    peer.knows = Some(hash);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> BlockHash {
        BlockHash::from_bytes([number; 32])
    }

    #[test]
    fn a_block_is_asked_for_once_until_it_is_late() {
        let mut announcements = Announcements::default();
        assert_eq!(announcements.answer(hash(1), false, 1000), Interest::Wanted);
        assert_eq!(announcements.answer(hash(1), false, 1499), Interest::Coming);
        assert_eq!(announcements.answer(hash(2), false, 1499), Interest::Wanted);
        assert_eq!(
            announcements.answer(hash(1), false, 1500),
            Interest::Wanted,
            "the first one has broken its promise"
        );
        assert_eq!(announcements.answer(hash(1), true, 1501), Interest::Known);
        assert_eq!(announcements.answer(hash(1), false, 1502), Interest::Wanted, "it was removed, being invalid");
    }

    #[test]
    fn what_strangers_announce_is_bounded() {
        let mut announcements = Announcements::default();
        for number in 0..=u8::MAX {
            assert_eq!(announcements.answer(hash(number), false, 0), Interest::Wanted);
        }
        assert_eq!(announcements.coming.len(), MAX_COMING);
    }
}
