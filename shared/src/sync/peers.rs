//! The table of peers: which addresses are known, blocked or dropped, and when each is polled.

use super::net_group::NetGroup;
use super::peer::{NOT_POLLED, Peer, PeerInfo, PeerSource, PeerState};
use super::places::Waiting;
use super::{Now, PeerAddress, PeerChange};
use crate::chain::Tip;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;

/// How long an unreachable or foreign peer is left alone at most.
const MAX_BACKOFF_MS: u64 = 60_000;
/// How long a peer is dropped for its first misbehaviour; doubles with each.
const FIRST_DROP_MS: u64 = 30_000;
const MAX_DROP_MS: u64 = 3_600_000;
/// An address that never answered is forgotten after this many tries, unless it was added by hand.
const TRIES_BEFORE_FORGETTING: u32 = 8;
/// Most dropped addresses that are remembered after they lost their places.
const MAX_OFFENDERS: usize = 1000;
const LOCALHOST: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// All peers by address, in order, so that runs with the same seed do the same.
pub(super) struct Peers {
    pub(super) known: BTreeMap<PeerAddress, Peer>,
    /// Addresses to have nothing to do with, either way.
    pub(super) blocked: BTreeMap<PeerAddress, Blocked>,
    /// Addresses without a place.
    pub(super) waiting: Waiting,
    offenders: BTreeMap<PeerAddress, Offender>,
    pub(super) max: usize,
    poll_ms: u64,
}

/// A peer that the operator blocked.
pub(super) struct Blocked {
    pub(super) source: PeerSource,
    ip: Option<IpAddr>,
}

/// A dropped peer that lost its place: its misbehaviour is not forgotten with it.
struct Offender {
    until_ms: u64,
    strikes: u32,
}

impl Peers {
    pub(super) fn new(max: usize, poll_ms: u64) -> Self {
        Self {
            known: BTreeMap::new(),
            blocked: BTreeMap::new(),
            waiting: Waiting::default(),
            offenders: BTreeMap::new(),
            max,
            poll_ms,
        }
    }

    /// Whether an address may become a peer.
    pub(super) fn is_welcome(&self, address: &PeerAddress, now: Now) -> bool {
        let is_offender = || self.offenders.get(address).is_some_and(|offender| offender.until_ms > now.uptime_ms);
        !self.blocked.contains_key(address) && !is_offender()
    }

    pub(super) fn insert(&mut self, address: PeerAddress, source: PeerSource, now: Now) {
        let strikes = self.offenders.remove(&address).map_or(0, |offender| offender.strikes);
        let peer = Peer::new(&address, source, strikes, now);
        self.known.insert(address, peer);
    }

    /// Removes a peer, but remembers if it was dropped. Returns whether it was connected.
    pub(super) fn replace(&mut self, address: &PeerAddress) -> bool {
        let Some(peer) = self.known.remove(address) else { return false };
        if let PeerState::Dropped { until_ms, .. } = peer.state {
            if self.offenders.len() >= MAX_OFFENDERS {
                let first = self.offenders.iter().min_by_key(|(_, offender)| offender.until_ms);
                first.map(|(address, _)| address.clone()).and_then(|first| self.offenders.remove(&first));
            }
            self.offenders.insert(address.clone(), Offender { until_ms, strikes: peer.strikes });
        }
        peer.is_connected()
    }

    /// Forgets a peer and all that it did.
    pub(super) fn remove(&mut self, address: &PeerAddress) {
        self.known.remove(address);
        self.offenders.remove(address);
        self.waiting.remove(address);
    }

    pub(super) fn block(&mut self, address: PeerAddress) {
        let peer = self.known.get(&address);
        let source = peer.map_or(PeerSource::Peers, |peer| peer.source);
        let ip = peer.and_then(|peer| peer.ip).or_else(|| address.ip());
        self.remove(&address);
        self.blocked.entry(address).or_insert(Blocked { source, ip });
    }

    /// The IP addresses of blocked peers, without `own`, 127.0.0.1, ::1 and those of other peers: callers there may be
    /// others.
    pub(super) fn blocked_ips(&self, own: Option<IpAddr>) -> Vec<IpAddr> {
        let others = self.known.values().filter_map(|peer| peer.ip).chain(own);
        let shared: Vec<_> = others.map(|ip| ip.to_canonical()).chain(LOCALHOST).collect();
        let ips = self.blocked.values().filter_map(|blocked| blocked.ip).map(|ip| ip.to_canonical());
        ips.filter(|ip| !shared.contains(ip)).collect()
    }

    pub(super) fn is_connected(&self, address: &PeerAddress) -> bool {
        self.known.get(address).is_some_and(Peer::is_connected)
    }

    pub(super) fn connected(&self) -> impl Iterator<Item = (&PeerAddress, &Peer)> {
        self.known.iter().filter(|(_, peer)| peer.is_connected())
    }

    /// It answered, from `ip`, and is of our network; returns the change if there is one.
    pub(super) fn record_response(
        &mut self,
        address: &PeerAddress,
        tip: Option<Tip>,
        ip: Option<IpAddr>,
        now: Now,
    ) -> Option<PeerChange> {
        let poll_ms = self.poll_ms;
        let peer = self.known.get_mut(address)?;
        let was_connected = peer.is_connected();
        if let Some(ip) = ip {
            (peer.ip, peer.group) = (Some(ip), NetGroup::of_ip(ip));
        }
        peer.state = PeerState::Connected;
        peer.tip = tip;
        peer.last_seen = Some(now.time);
        peer.poll_at_ms = now.uptime_ms + poll_ms;
        peer.tries = 0;
        (!was_connected).then_some(PeerChange::Connected)
    }

    /// It did not answer, or is of another network; returns the change if there is one.
    pub(super) fn record_failure(&mut self, address: &PeerAddress, state: PeerState, now: Now) -> Option<PeerChange> {
        let poll_ms = self.poll_ms;
        let peer = self.known.get_mut(address)?;
        let was_connected = peer.is_connected();
        let is_news = was_connected
            || matches!((&peer.state, &state), (PeerState::New | PeerState::Unreachable(_), PeerState::Foreign(_)));
        // Several requests that fail together are one miss.
        peer.tries = if was_connected { 1 } else { peer.tries + 1 };
        peer.poll_at_ms = now.uptime_ms + (poll_ms << peer.tries.min(16)).min(MAX_BACKOFF_MS.max(poll_ms));
        peer.state = state;
        if peer.tries >= TRIES_BEFORE_FORGETTING && peer.last_seen.is_none() && peer.source != PeerSource::Manual {
            self.known.remove(address);
        }
        is_news.then_some(PeerChange::Lost)
    }

    /// Leaves a peer that misbehaved alone for a time that doubles with each; what it does meanwhile adds nothing.
    /// Returns whether it was dropped just now.
    pub(super) fn drop_temporarily(&mut self, address: &PeerAddress, reason: String, now: Now) -> bool {
        let Some(peer) = self.known.get_mut(address).filter(|peer| peer.is_available(now)) else { return false };
        let for_ms = (FIRST_DROP_MS << peer.strikes.min(16)).min(MAX_DROP_MS);
        peer.strikes += 1;
        (peer.tip, peer.delivered) = (None, 0);
        peer.state = PeerState::Dropped { until_ms: now.uptime_ms + for_ms, reason };
        peer.poll_at_ms = now.uptime_ms + for_ms;
        true
    }

    pub(super) fn list(&self) -> Vec<PeerInfo> {
        let known = self.known.iter().map(|(address, peer)| {
            let error = match &peer.state {
                PeerState::New => Some(NOT_POLLED.to_owned()),
                PeerState::Connected => None,
                PeerState::Unreachable(reason) | PeerState::Foreign(reason) => Some(reason.clone()),
                PeerState::Dropped { reason, .. } => Some(format!("left alone for a while: {reason}")),
            };
            PeerInfo { address: address.to_string(), tip: peer.tip, last_seen: peer.last_seen, error }
        });
        let blocked = self.blocked.keys().map(|address| PeerInfo {
            address: address.to_string(),
            tip: None,
            last_seen: None,
            error: Some("blocked".to_owned()),
        });
        known.chain(blocked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Timestamp;
    use crate::random::Random;

    const fn at(uptime_ms: u64) -> Now {
        Now { time: Timestamp::EPOCH, uptime_ms }
    }

    fn address(text: &str) -> PeerAddress {
        PeerAddress::new(text).unwrap()
    }

    fn with(addresses: &[&str], max: usize) -> Peers {
        let (mut peers, mut random) = (Peers::new(max, 3000), Random::new(1));
        for text in addresses {
            peers.add(address(text), PeerSource::Tracker, at(0), &mut random);
        }
        peers
    }

    #[test]
    fn the_ip_of_a_blocked_peer_is_blocked_unless_another_peer_shares_it() {
        let all = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.2:2", "127.0.0.1:1", "127.0.0.2:1", "name:1"];
        let mut peers = with(&all, 32);
        peers.record_response(&address("name:1"), None, Some("10.0.0.3".parse().unwrap()), at(0));
        for blocked in ["10.0.0.1:1", "10.0.0.2:1", "127.0.0.1:1", "127.0.0.2:1", "name:1"] {
            peers.block(address(blocked));
        }
        let blocked = ["10.0.0.1", "127.0.0.2", "10.0.0.3"].map(|ip| ip.parse::<IpAddr>().unwrap());
        assert_eq!(peers.blocked_ips(None), blocked);
        assert_eq!(peers.blocked_ips(Some(blocked[0])), blocked[1..], "callers from our own address may be anyone");
    }

    #[test]
    fn an_offence_while_a_peer_is_dropped_adds_nothing() {
        let (mut peers, bad) = (with(&["10.0.0.1:1"], 32), address("10.0.0.1:1"));
        assert!(peers.drop_temporarily(&bad, "it lied".to_owned(), at(0)));
        for _ in 0..18 {
            assert!(!peers.drop_temporarily(&bad, "it lied again".to_owned(), at(1)));
        }
        assert!(peers.known[&bad].is_available(at(FIRST_DROP_MS)), "it is dropped for longer than once");
        assert!(peers.drop_temporarily(&bad, "and again".to_owned(), at(FIRST_DROP_MS)));
        assert!(!peers.known[&bad].is_available(at(2 * FIRST_DROP_MS)), "a second offence counts double");
    }

    #[test]
    fn a_dropped_peer_that_lost_its_place_is_not_welcome_and_not_forgiven() {
        let (mut peers, bad) = (with(&["10.0.0.1:1"], 32), address("10.0.0.1:1"));
        peers.drop_temporarily(&bad, "it lied".to_owned(), at(0));
        peers.replace(&bad);
        assert!(!peers.is_welcome(&bad, at(FIRST_DROP_MS - 1)) && peers.is_welcome(&bad, at(FIRST_DROP_MS)));
        peers.insert(bad.clone(), PeerSource::Peers, at(FIRST_DROP_MS));
        assert_eq!(peers.known[&bad].strikes, 1);
    }

    #[test]
    fn callers_get_three_quarters_of_the_places_and_no_more() {
        let (mut peers, mut random) = (Peers::new(8, 3000), Random::new(1));
        for number in 0..20 {
            peers.add(address(&format!("10.0.0.{number}:1")), PeerSource::Caller, at(0), &mut random);
        }
        assert_eq!(peers.known.len(), 6);
        peers.add(address("10.0.1.1:1"), PeerSource::Tracker, at(0), &mut random);
        assert!(peers.known.contains_key(&address("10.0.1.1:1")));
    }
}
