//! Who gets a place in a full table of peers.
//!
//! Addresses cost nothing, so being first, or being many, buys nothing: addresses without a place wait, and every few
//! seconds one of them, drawn at random, replaces the peer that did least for us. Callers get at most three quarters of
//! the places; the others are for addresses that this node chose itself.

use super::net_group::NetGroup;
use super::peer::{Peer, PeerSource};
use super::peers::Peers;
use super::{Now, PeerAddress, PeerChange, Syncer};
use crate::random::Random;
use std::collections::BTreeMap;

/// Most addresses of each source that wait for a place.
const MAX_WAITING: usize = 128;
/// Time between two replacements of peers that answer.
const ROTATE_MS: u64 = 10_000;
/// Time that a peer has to deliver something before it may be replaced.
const TRIAL_MS: u64 = 30_000;
/// A machine has at most this share of the places, one in four, if others wait.
const GROUP_SHARE: usize = 4;

/// Addresses without a place, by source.
#[derive(Default)]
pub(super) struct Waiting(BTreeMap<PeerSource, Vec<PeerAddress>>);

impl Waiting {
    fn add(&mut self, address: PeerAddress, source: PeerSource, random: &mut Random) {
        let is_here = |addresses: &Vec<PeerAddress>| addresses.contains(&address);
        if self.0.values().any(is_here) {
            return;
        }
        let addresses = self.0.entry(source).or_default();
        if addresses.len() >= MAX_WAITING {
            addresses.swap_remove(random.index(addresses.len()));
        }
        addresses.push(address);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn remove(&mut self, address: &PeerAddress) {
        for addresses in self.0.values_mut() {
            addresses.retain(|waiting| waiting != address);
        }
        self.0.retain(|_, addresses| !addresses.is_empty());
    }

    /// A random address of a random source, so that no source crowds out another.
    fn draw(&mut self, random: &mut Random) -> Option<(PeerAddress, PeerSource)> {
        let sources: Vec<_> = self.0.keys().copied().collect();
        let source = *sources.get(random.index(sources.len()))?;
        let addresses = self.0.get_mut(&source)?;
        let address = addresses.swap_remove(random.index(addresses.len()));
        self.0.retain(|_, addresses| !addresses.is_empty());
        Some((address, source))
    }
}

impl Peers {
    /// Gives an address a place if one is free or it was named by hand; else it waits.
    pub(super) fn add(&mut self, address: PeerAddress, source: PeerSource, now: Now, random: &mut Random) {
        if let Some(peer) = self.known.get_mut(&address) {
            peer.source = peer.source.min(source);
        } else if self.is_welcome(&address, now) {
            if source == PeerSource::Manual || self.has_place(source) {
                self.waiting.remove(&address);
                self.insert(address, source, now);
            } else {
                self.waiting.add(address, source, random);
            }
        }
    }

    fn has_place(&self, source: PeerSource) -> bool {
        let callers = || self.known.values().filter(|peer| peer.source == PeerSource::Caller).count();
        self.known.len() < self.max && (source != PeerSource::Caller || callers() < self.max - self.max / 4)
    }

    /// The peer to replace by one of `newcomer`: one that failed; one of a group that has more than its share; one that
    /// delivered nothing.
    fn least_useful(&self, newcomer: &NetGroup, now: Now) -> Option<PeerAddress> {
        let mut groups = BTreeMap::<&NetGroup, usize>::new();
        for peer in self.known.values() {
            *groups.entry(&peer.group).or_default() += 1;
        }
        let size = |group: &NetGroup| groups.get(group).copied().unwrap_or(0);
        let share = (self.max / GROUP_SHARE).max(1);
        let rank = |peer: &Peer| {
            if peer.has_failed() {
                Some(0)
            } else if size(&peer.group) > share && size(newcomer) + 1 < size(&peer.group) {
                Some(1)
            } else if !peer.is_proven() && now.uptime_ms >= peer.added_ms + TRIAL_MS {
                Some(2)
            } else {
                None
            }
        };
        let replaceable = self.known.iter().filter(|(_, peer)| peer.source != PeerSource::Manual);
        let ranked = replaceable.filter_map(|(address, peer)| {
            // Among peers of one rank the least useful, and of those the oldest.
            Some(((rank(peer)?, peer.delivered, peer.last_seen.is_some(), peer.added_ms), address))
        });
        ranked.min().map(|(_, address)| address.clone())
    }

    fn has_failed_ones(&self) -> bool {
        self.known.values().any(|peer| peer.has_failed() && peer.source != PeerSource::Manual)
    }
}

impl Syncer {
    /// Gives addresses that wait the free places, those of failed peers, and now and then one more.
    pub(super) fn fill_places(&mut self, now: Now) {
        if self.peers.waiting.is_empty() {
            return;
        }
        let mut may_rotate = self.rotate_at_ms <= now.uptime_ms;
        if may_rotate {
            self.rotate_at_ms = now.uptime_ms + ROTATE_MS;
        }
        let mut unplaced = Vec::new();
        while may_rotate || self.peers.known.len() < self.peers.max || self.peers.has_failed_ones() {
            let Some((address, source)) = self.peers.waiting.draw(&mut self.random) else { break };
            if self.peers.known.contains_key(&address) || !self.peers.is_welcome(&address, now) {
                continue;
            }
            if !self.peers.has_place(source) {
                let Some(replaced) = self.peers.least_useful(&NetGroup::of_address(&address), now) else {
                    unplaced.push((address, source));
                    continue;
                };
                may_rotate = may_rotate && self.peers.known.get(&replaced).is_some_and(Peer::has_failed);
                self.cancel_requests_to(&replaced);
                if self.peers.replace(&replaced) {
                    let reason = "its place went to another peer, since it delivered nothing".to_owned();
                    self.emit_peer_event(replaced, PeerChange::Lost, Some(reason));
                }
            }
            self.peers.insert(address, source, now);
        }
        for (address, source) in unplaced {
            self.peers.waiting.add(address, source, &mut self.random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Timestamp;
    use crate::sync::{SyncSettings, Syncer};

    const fn at(uptime_ms: u64) -> Now {
        Now { time: Timestamp::EPOCH, uptime_ms }
    }

    fn address(text: &str) -> PeerAddress {
        PeerAddress::new(text).unwrap()
    }

    /// A syncer whose 8 places are offered to 40 addresses of one machine before three of others.
    fn crowded() -> (Syncer, Vec<PeerAddress>) {
        let mut syncer = Syncer::new(SyncSettings { max_peers: 8, ..SyncSettings::default() }, 1);
        syncer.add_peers((1..=40).map(|port| address(&format!("10.0.0.1:{port}"))), PeerSource::Tracker, at(0));
        let others: Vec<_> = (2..5).map(|machine| address(&format!("10.0.0.{machine}:1"))).collect();
        syncer.add_peers(others.clone(), PeerSource::Tracker, at(0));
        for peer in syncer.peers.known.values_mut() {
            peer.state = super::super::peer::PeerState::Connected;
        }
        (syncer, others)
    }

    #[test]
    fn forty_addresses_of_one_machine_do_not_keep_other_machines_out() {
        let (mut syncer, others) = crowded();
        for round in 0..3 {
            syncer.fill_places(at(round * ROTATE_MS));
        }
        let placed = |address: &&PeerAddress| syncer.peers.known.contains_key(*address);
        assert_eq!(others.iter().filter(placed).count(), 3, "each round gives one of them a place");
    }

    #[test]
    fn a_peer_that_delivers_keeps_its_place_and_one_that_delivers_nothing_loses_it() {
        let mut syncer = Syncer::new(SyncSettings { max_peers: 2, ..SyncSettings::default() }, 1);
        let [useful, idle, new] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map(address);
        syncer.add_peers([useful.clone(), idle.clone()], PeerSource::Tracker, at(0));
        syncer.peers.known.get_mut(&useful).unwrap().record_delivered(1);
        syncer.add_peers([new.clone()], PeerSource::Tracker, at(0));
        syncer.fill_places(at(TRIAL_MS - 1));
        assert!(syncer.peers.known.contains_key(&idle), "it has some time to deliver");
        syncer.fill_places(at(TRIAL_MS - 1 + ROTATE_MS));
        assert_eq!(syncer.peers.known.keys().collect::<Vec<_>>(), [&useful, &new]);
    }
}
