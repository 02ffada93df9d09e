//! Relaying a block by announcing it: its body goes only to peers that want it (docs/protocol.md §10).
//!
//! In a network where each node has many neighbours, a block would otherwise arrive from all of them. An announcement
//! is a hash and proves nothing. So others wait, for half a second, only for a machine that kept its last promise.
//! After a second and a half the block is pushed to all peers that still lack it.

use super::net_group::NetGroup;
use super::requests::RequestKind;
use super::{Now, PeerAddress, PeerRequest, Syncer};
use crate::block::{Block, BlockHash};
use crate::chain::Accepted;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use utoipa::ToSchema;

/// Peers that get a small block unasked.
const AT_ONCE: usize = 4;
/// How long a block that was asked for counts as on its way, in milliseconds.
const COMING_MS: u64 = 500;
/// Most promises that are remembered, …
const MAX_PROMISES: usize = 64;
/// … and of one machine.
const MAX_OF_MACHINE: usize = 8;
/// Most machines that are known to keep their promises.
const MAX_RELIABLE: usize = 256;
/// Most announcements that one peer has not answered yet.
const MAX_UNANSWERED: usize = 2;

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

/// The blocks that were asked for, and the machines whose announcements others wait for.
#[derive(Debug, Default)]
pub struct Announcements {
    /// The oldest first.
    promises: VecDeque<Promise>,
    /// Machines that kept their last promise, or pushed a new best block since; the newest last.
    reliable: VecDeque<NetGroup>,
}

/// A block that a machine announced and was asked for, less than half a second ago.
#[derive(Debug)]
struct Promise {
    hash: BlockHash,
    machine: NetGroup,
    until_ms: u64,
    /// The machine was reliable when it made the promise, so that others wait for it.
    is_trusted: bool,
    /// The block is here; another machine may have sent it.
    is_over: bool,
}

impl Announcements {
    /// The answer to the announcement of a block that is stored here or not, by a caller at `ip`.
    pub fn answer(&mut self, hash: BlockHash, ip: IpAddr, is_stored: bool, uptime_ms: u64) -> Interest {
        self.end_late_promises(uptime_ms);
        if is_stored {
            self.of_block(hash).for_each(|promise| promise.is_over = true);
            return Interest::Known;
        }
        if self.of_block(hash).any(|promise| promise.is_trusted && !promise.is_over) {
            return Interest::Coming;
        }
        let machine = NetGroup::of_ip(ip);
        let is_trusted = self.reliable.contains(&machine);
        let mut of_machine = self.promises.iter().enumerate().filter(|(_, promise)| promise.machine == machine);
        let oldest_of_machine = of_machine.next().map(|(place, _)| place);
        if of_machine.count() + 1 >= MAX_OF_MACHINE {
            oldest_of_machine.and_then(|place| self.promises.remove(place));
        } else if self.promises.len() >= MAX_PROMISES {
            self.promises.pop_front();
        }
        let until_ms = uptime_ms + COMING_MS;
        self.promises.push_back(Promise { hash, machine, until_ms, is_trusted, is_over: false });
        Interest::Wanted
    }

    /// A caller at `ip` has pushed a block that is stored now, as `accepted` says.
    pub fn record_push(&mut self, hash: BlockHash, ip: IpAddr, accepted: Accepted, uptime_ms: u64) {
        self.end_late_promises(uptime_ms);
        let machine = NetGroup::of_ip(ip);
        let mut was_promised = false;
        for promise in self.of_block(hash) {
            promise.is_over = true;
            was_promised |= promise.machine == machine;
        }
        if was_promised || accepted == Accepted::Best {
            self.promises.retain(|promise| promise.hash != hash || promise.machine != machine);
            self.reliable.retain(|reliable| *reliable != machine);
            if self.reliable.len() >= MAX_RELIABLE {
                self.reliable.pop_front();
            }
            self.reliable.push_back(machine);
        }
    }

    fn of_block(&mut self, hash: BlockHash) -> impl Iterator<Item = &mut Promise> {
        self.promises.iter_mut().filter(move |promise| promise.hash == hash)
    }

    /// Machines that did not send in time what they announced are not reliable any more, unless it is here.
    fn end_late_promises(&mut self, uptime_ms: u64) {
        let Self { promises, reliable } = self;
        promises.retain(|promise| {
            let is_late = promise.until_ms <= uptime_ms;
            if is_late && !promise.is_over {
                reliable.retain(|reliable| *reliable != promise.machine);
            }
            !is_late
        });
    }
}

/// A block that is being relayed.
pub(super) struct Relayed {
    block: Arc<Block>,
    began_ms: u64,
    step: RelayStep,
}

/// The block that was relayed last, also after its last step.
pub(super) struct LastRelay {
    hash: BlockHash,
    /// A peer that lacked it took it from us.
    was_taken: bool,
}

/// What happens next with a relayed block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RelayStep {
    /// A few peers get it unasked, …
    PushToFew,
    /// … a moment later if no peer took the last block from us: where all nodes know each other, the miner has pushed
    /// it to all of them, and more pushes at that moment would only delay those.
    PushToFewLater,
    /// It is announced to those that lack it, …
    Announce,
    /// … once more, also to those to which another has promised it, …
    AnnounceAgain,
    /// … and then it is pushed to them.
    PushToAll,
}

impl RelayStep {
    /// Milliseconds after the block arrived.
    const fn after_ms(self) -> u64 {
        match self {
            Self::PushToFew => 0,
            Self::PushToFewLater => 10,
            Self::Announce => 100,
            Self::AnnounceAgain => 700,
            Self::PushToAll => 1_500,
        }
    }
}

impl Relayed {
    /// The uptime of the next step.
    pub(super) fn due_ms(&self) -> u64 {
        self.began_ms + self.step.after_ms()
    }
}

impl Syncer {
    /// Relays a block that a peer pushed: announces a large one to all peers that lack it. A small one costs no more
    /// than the question, so that a few peers get it unasked, and the others hear of it later if they still lack it.
    pub(super) fn relay(&mut self, block: &Arc<Block>, now: Now) {
        let is_small = block.data().len() <= self.settings.unasked_bytes;
        if !is_small {
            self.announce(block.hash(), self.peers_without(block), now);
        }
        let was_useless = self.last_relay.as_ref().is_some_and(|last| !last.was_taken);
        let step = match (is_small, was_useless) {
            (true, false) => RelayStep::PushToFew,
            (true, true) => RelayStep::PushToFewLater,
            (false, _) => RelayStep::AnnounceAgain,
        };
        self.last_relay = Some(LastRelay { hash: block.hash(), was_taken: false });
        self.relayed = Some(Relayed { block: block.clone(), began_ms: now.uptime_ms, step });
        self.continue_relay(now);
    }

    /// Takes the next steps of relaying that are due.
    pub(super) fn continue_relay(&mut self, now: Now) {
        while let Some(mut relayed) = self.relayed.take_if(|relayed| relayed.due_ms() <= now.uptime_ms) {
            let mut unaware = self.peers_without(&relayed.block);
            relayed.step = match relayed.step {
                RelayStep::PushToFew | RelayStep::PushToFewLater => {
                    while unaware.len() > AT_ONCE {
                        unaware.swap_remove(self.random.index(unaware.len()));
                    }
                    self.push(&relayed.block, unaware, now);
                    RelayStep::Announce
                }
                RelayStep::Announce | RelayStep::AnnounceAgain => {
                    self.announce(relayed.block.hash(), unaware, now);
                    if relayed.step == RelayStep::Announce { RelayStep::AnnounceAgain } else { RelayStep::PushToAll }
                }
                RelayStep::PushToAll => return self.push(&relayed.block, unaware, now),
            };
            self.relayed = Some(relayed);
        }
    }

    /// A peer took a block that it lacked.
    pub(super) fn record_taken(&mut self, hash: BlockHash) {
        if let Some(last) = self.last_relay.as_mut().filter(|last| last.hash == hash) {
            last.was_taken = true;
        }
    }

    /// Announces a block to those of `peers` to which it is not announced or on its way already. One that answers no
    /// announcements gets no further ones for now.
    fn announce(&mut self, hash: BlockHash, peers: Vec<PeerAddress>, now: Now) {
        for address in peers {
            let sent = || self.in_flight.values().filter(|sent| sent.peer == address).map(|sent| sent.kind);
            let is_about = |kind| kind == RequestKind::Announce(hash) || kind == RequestKind::Push(hash);
            let unanswered = sent().filter(|kind| matches!(kind, RequestKind::Announce(_))).count();
            if unanswered < MAX_UNANSWERED && !sent().any(is_about) {
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

    fn machine(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    /// The first two machines have delivered blocks.
    fn announcements() -> Announcements {
        let mut announcements = Announcements::default();
        for number in [1, 2] {
            announcements.record_push(hash(100), machine(number), Accepted::Best, 0);
        }
        announcements
    }

    #[test]
    fn a_block_is_asked_for_once_until_it_is_late() {
        let mut announcements = announcements();
        assert_eq!(announcements.answer(hash(1), machine(1), false, 1000), Interest::Wanted);
        assert_eq!(announcements.answer(hash(1), machine(2), false, 1499), Interest::Coming);
        assert_eq!(announcements.answer(hash(2), machine(2), false, 1499), Interest::Wanted);
        assert_eq!(
            announcements.answer(hash(1), machine(2), false, 1500),
            Interest::Wanted,
            "the first one has broken its promise"
        );
        announcements.record_push(hash(1), machine(2), Accepted::Best, 1501);
        assert_eq!(announcements.answer(hash(1), machine(3), true, 1501), Interest::Known);
        assert_eq!(announcements.answer(hash(1), machine(2), false, 1502), Interest::Wanted, "it was removed");
    }

    #[test]
    fn nobody_waits_for_a_stranger() {
        let mut announcements = announcements();
        for uptime_ms in 0..10 {
            assert_eq!(announcements.answer(hash(1), machine(66), false, uptime_ms), Interest::Wanted);
        }
        assert_eq!(announcements.answer(hash(1), machine(1), false, 10), Interest::Wanted, "nobody is waited for");
        assert_eq!(announcements.answer(hash(1), machine(66), false, 11), Interest::Coming);
    }

    #[test]
    fn a_stranger_that_sends_what_it_announced_is_a_stranger_no_more() {
        let mut announcements = announcements();
        assert_eq!(announcements.answer(hash(1), machine(3), false, 0), Interest::Wanted);
        assert_eq!(announcements.answer(hash(1), machine(1), false, 1), Interest::Wanted);
        announcements.record_push(hash(1), machine(1), Accepted::Best, 2);
        announcements.record_push(hash(1), machine(3), Accepted::Known, 3);
        // One that sends what everybody has, without being asked, is still one.
        announcements.record_push(hash(1), machine(66), Accepted::Known, 4);
        announcements.record_push(hash(5), machine(66), Accepted::Side, 4);
        assert_eq!(announcements.answer(hash(2), machine(66), false, 10), Interest::Wanted);
        assert_eq!(announcements.answer(hash(2), machine(3), false, 10), Interest::Wanted);
        assert_eq!(announcements.answer(hash(2), machine(1), false, 11), Interest::Coming);
    }

    #[test]
    fn a_machine_that_does_not_send_what_it_announced_delays_no_second_block() {
        let mut announcements = announcements();
        assert_eq!(announcements.answer(hash(1), machine(1), false, 0), Interest::Wanted);
        assert_eq!(announcements.answer(hash(1), machine(2), false, 500), Interest::Wanted);
        announcements.record_push(hash(1), machine(2), Accepted::Best, 510);
        assert_eq!(announcements.answer(hash(2), machine(1), false, 1000), Interest::Wanted);
        assert_eq!(announcements.answer(hash(2), machine(2), false, 1001), Interest::Wanted, "no time was lost");
        announcements.record_push(hash(2), machine(2), Accepted::Best, 1010);
        // Its own push was slow, but it shows it as reliable again.
        announcements.record_push(hash(2), machine(1), Accepted::Known, 1100);
        assert_eq!(announcements.answer(hash(3), machine(1), false, 2000), Interest::Wanted);
        assert_eq!(announcements.answer(hash(3), machine(2), false, 2001), Interest::Coming);
    }

    #[test]
    fn a_promise_that_another_was_faster_to_keep_is_not_broken() {
        let mut announcements = announcements();
        assert_eq!(announcements.answer(hash(1), machine(1), false, 0), Interest::Wanted);
        announcements.record_push(hash(1), machine(2), Accepted::Best, 400);
        assert_eq!(announcements.answer(hash(2), machine(1), false, 1000), Interest::Wanted);
        assert_eq!(announcements.answer(hash(2), machine(2), false, 1001), Interest::Coming);
    }

    #[test]
    fn what_strangers_announce_and_deliver_is_bounded_and_takes_no_room_of_others() {
        let mut announcements = announcements();
        assert_eq!(announcements.answer(hash(1), machine(1), false, 0), Interest::Wanted);
        for number in 2..=u8::MAX {
            assert_eq!(announcements.answer(hash(number), machine(66), false, 0), Interest::Wanted);
        }
        assert_eq!(announcements.promises.len(), 1 + MAX_OF_MACHINE);
        assert_eq!(announcements.answer(hash(1), machine(66), false, 0), Interest::Coming);
        for number in 100..1000 {
            assert_eq!(announcements.answer(hash(2), machine(number), false, 0), Interest::Wanted);
            announcements.record_push(hash(1), machine(number), Accepted::Best, 0);
        }
        assert_eq!((announcements.promises.len(), announcements.reliable.len()), (MAX_PROMISES, MAX_RELIABLE));
    }
}
