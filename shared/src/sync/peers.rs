//! Whom the syncer knows, what it thinks of each, and when to ask again.

use super::{Now, PeerAddress, RequestId};
use crate::block::{BlockHash, Timestamp};
use crate::wire::{self, PeerChange, Tip};
use std::collections::BTreeMap;

/// How long an unreachable or foreign peer is left alone at the most.
const MAX_BACKOFF_MS: u64 = 60_000;
/// How long a peer is dropped for its first misbehaviour; doubles with each.
const FIRST_DROP_MS: u64 = 30_000;
const MAX_DROP_MS: u64 = 3_600_000;
/// An address that never answered is forgotten after this many tries, unless it was added by hand.
const TRIES_BEFORE_FORGETTING: u32 = 8;

/// Where an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Learnt {
    /// A person or the command line named it; it is never forgotten.
    ByHand,
    /// The tracker lists it.
    FromTracker,
    /// A peer knows it, or it has called us.
    FromPeers,
}

/// What we think of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has not answered yet.
    New,
    /// It answers and is of our network.
    Connected,
    /// It does not answer.
    Unreachable(String),
    /// It is of another network.
    Foreign(String),
    /// It misbehaved and is left alone until this uptime.
    Dropped { until_ms: u64, reason: String },
}

pub(super) struct Peer {
    pub(super) learnt: Learnt,
    pub(super) standing: Standing,
    pub(super) tip: Option<Tip>,
    pub(super) last_seen: Option<Timestamp>,
    /// Uptime at which its info is asked for next.
    pub(super) poll_at_ms: u64,
    pub(super) info: Option<RequestId>,
    pub(super) pushes: u32,
    /// The last block that it sent us or took from us.
    pub(super) knows: Option<BlockHash>,
    /// It has not answered since somebody asked for a sync of all.
    pub(super) owes_answer: bool,
    tries: u32,
    strikes: u32,
}

impl Peer {
    fn new(learnt: Learnt, now: Now) -> Self {
        Self {
            learnt,
            standing: Standing::New,
            tip: None,
            last_seen: None,
            poll_at_ms: now.uptime_ms,
            info: None,
            pushes: 0,
            knows: None,
            owes_answer: false,
            tries: 0,
            strikes: 0,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.standing == Standing::Connected
    }

    pub(super) fn may_be_asked(&self, now: Now) -> bool {
        !matches!(&self.standing, Standing::Dropped { until_ms, .. } if *until_ms > now.uptime_ms)
    }

    /// It behaved for a whole download: earlier strikes are forgiven.
    pub(super) fn forgive(&mut self) {
        self.strikes = 0;
    }
}

/// All peers by address, in order, so that runs with the same seed do the same.
pub(super) struct Peers {
    pub(super) known: BTreeMap<PeerAddress, Peer>,
    /// Addresses to have nothing to do with, either way.
    pub(super) blocked: BTreeMap<PeerAddress, Learnt>,
    max: usize,
    poll_ms: u64,
}

impl Peers {
    pub(super) fn new(max: usize, poll_ms: u64) -> Self {
        Self { known: BTreeMap::new(), blocked: BTreeMap::new(), max, poll_ms }
    }

    /// Adds an address; a full table takes it only by hand or in place of one that never answered.
    pub(super) fn add(&mut self, address: PeerAddress, learnt: Learnt, now: Now) {
        if self.blocked.contains_key(&address) {
            return;
        }
        if let Some(peer) = self.known.get_mut(&address) {
            peer.learnt = peer.learnt.min(learnt);
            return;
        }
        if self.known.len() >= self.max && learnt != Learnt::ByHand {
            let silent = |peer: &Peer| peer.learnt != Learnt::ByHand && peer.tries > 0 && !peer.is_connected();
            let replaced = self.known.iter().find(|(_, peer)| silent(peer)).map(|(address, _)| address.clone());
            let Some(replaced) = replaced else { return };
            self.known.remove(&replaced);
        }
        self.known.insert(address, Peer::new(learnt, now));
    }

    /// Answers whether it was connected.
    pub(super) fn remove(&mut self, address: &PeerAddress) -> bool {
        self.known.remove(address).is_some_and(|peer| peer.is_connected())
    }

    pub(super) fn connected(&self) -> impl Iterator<Item = (&PeerAddress, &Peer)> {
        self.known.iter().filter(|(_, peer)| peer.is_connected())
    }

    /// It answered and is of our network; tells if that is new.
    pub(super) fn answered(&mut self, address: &PeerAddress, tip: Option<Tip>, now: Now) -> Option<PeerChange> {
        let poll_ms = self.poll_ms;
        let peer = self.known.get_mut(address)?;
        let was_connected = peer.is_connected();
        peer.standing = Standing::Connected;
        peer.tip = tip;
        peer.last_seen = Some(now.time);
        peer.poll_at_ms = now.uptime_ms + poll_ms;
        peer.tries = 0;
        (!was_connected).then_some(PeerChange::Connected)
    }

    /// It did not answer; tells if that is new.
    pub(super) fn missed(&mut self, address: &PeerAddress, standing: Standing, now: Now) -> Option<PeerChange> {
        let poll_ms = self.poll_ms;
        let peer = self.known.get_mut(address)?;
        let was_connected = peer.is_connected();
        peer.tries += 1;
        peer.poll_at_ms = now.uptime_ms + (poll_ms << peer.tries.min(16)).min(MAX_BACKOFF_MS.max(poll_ms));
        peer.standing = standing;
        if peer.tries >= TRIES_BEFORE_FORGETTING && peer.learnt != Learnt::ByHand {
            self.known.remove(address);
        }
        was_connected.then_some(PeerChange::Lost)
    }

    /// It broke a rule: left alone for a time that doubles with each.
    pub(super) fn drop_for_a_while(&mut self, address: &PeerAddress, reason: String, now: Now) {
        if let Some(peer) = self.known.get_mut(address) {
            let for_ms = (FIRST_DROP_MS << peer.strikes.min(16)).min(MAX_DROP_MS);
            peer.strikes += 1;
            peer.tip = None;
            peer.standing = Standing::Dropped { until_ms: now.uptime_ms + for_ms, reason };
            peer.poll_at_ms = now.uptime_ms + for_ms;
        }
    }

    pub(super) fn list(&self) -> Vec<wire::Peer> {
        let known = self.known.iter().map(|(address, peer)| {
            let error = match &peer.standing {
                Standing::New => Some("not asked yet".to_owned()),
                Standing::Connected => None,
                Standing::Unreachable(reason) => Some(reason.clone()),
                Standing::Foreign(reason) => Some(reason.clone()),
                Standing::Dropped { reason, .. } => Some(format!("left alone for a while: {reason}")),
            };
            wire::Peer { address: address.to_string(), tip: peer.tip, last_seen: peer.last_seen, error }
        });
        let blocked = self.blocked.keys().map(|address| wire::Peer {
            address: address.to_string(),
            tip: None,
            last_seen: None,
            error: Some("blocked".to_owned()),
        });
        known.chain(blocked).collect()
    }
}
