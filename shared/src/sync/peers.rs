//! Whom the syncer knows, what it thinks of each, and when to ask again.

use super::{Now, PeerAddress, PeerChange, RequestId};
use crate::block::{BlockHash, Timestamp};
use crate::chain::Tip;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How long an unreachable or foreign peer is left alone at the most.
const MAX_BACKOFF_MS: u64 = 60_000;
/// How long a peer is dropped for its first misbehaviour; doubles with each.
const FIRST_DROP_MS: u64 = 30_000;
const MAX_DROP_MS: u64 = 3_600_000;
/// What a peer fails to deliver of what it claimed is bad luck as often as this, in a row.
const PROMISES_BEFORE_STRIKE: u32 = 3;
/// How long a download may hold up the offers of other peers at first; doubles with each that takes longer.
const FIRST_TURN_MS: u64 = 20_000;
const MAX_TURN_MS: u64 = 3_600_000;
/// An address that never answered is forgotten after this many tries, unless it was added by hand.
const TRIES_BEFORE_FORGETTING: u32 = 8;

/// Where an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerSource {
    /// A person or the command line named it; it is never forgotten.
    Manual,
    /// The tracker lists it.
    Tracker,
    /// A peer knows it, or it has called us.
    Peers,
}

/// What we think of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PeerState {
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
    pub(super) source: PeerSource,
    pub(super) state: PeerState,
    pub(super) tip: Option<Tip>,
    pub(super) last_seen: Option<Timestamp>,
    /// Uptime at which its info is asked for next.
    pub(super) poll_at_ms: u64,
    pub(super) info: Option<RequestId>,
    pub(super) pushes: u32,
    /// The last block that it sent us or took from us.
    pub(super) knows: Option<BlockHash>,
    /// It has not answered since somebody asked for a sync of all.
    pub(super) sync_pending: bool,
    /// Number of the last download from it; 0 if there was none.
    pub(super) last_download: u64,
    /// How long the next one may hold up others.
    pub(super) turn_ms: u64,
    tries: u32,
    strikes: u32,
    broken_promises: u32,
}

impl Peer {
    fn new(source: PeerSource, now: Now) -> Self {
        Self {
            source,
            state: PeerState::New,
            tip: None,
            last_seen: None,
            poll_at_ms: now.uptime_ms,
            info: None,
            pushes: 0,
            knows: None,
            sync_pending: false,
            last_download: 0,
            turn_ms: FIRST_TURN_MS,
            tries: 0,
            strikes: 0,
            broken_promises: 0,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state == PeerState::Connected
    }

    pub(super) fn is_available(&self, now: Now) -> bool {
        !matches!(&self.state, PeerState::Dropped { until_ms, .. } if *until_ms > now.uptime_ms)
    }

    /// It behaved for a whole download, and we are the better for it: what was before is forgiven.
    pub(super) fn clear_penalties(&mut self) {
        (self.strikes, self.broken_promises, self.turn_ms) = (0, 0, FIRST_TURN_MS);
    }

    /// It had less than it claimed; answers whether that was once too often.
    pub(super) fn record_broken_promise(&mut self, now: Now) -> bool {
        (self.tip, self.poll_at_ms) = (None, now.uptime_ms);
        self.broken_promises += 1;
        let too_often = self.broken_promises >= PROMISES_BEFORE_STRIKE;
        if too_often {
            self.broken_promises = 0;
        }
        too_often
    }

    /// Its download took longer than its turn.
    pub(super) fn extend_turn(&mut self) {
        self.turn_ms = (2 * self.turn_ms).min(MAX_TURN_MS);
    }

    /// It has called us: if we thought that nobody is there, it is time to look again.
    pub(super) fn record_call(&mut self, now: Now) {
        if matches!(self.state, PeerState::Unreachable(_)) && self.tries > 0 {
            self.tries = 0;
            self.poll_at_ms = now.uptime_ms;
        }
    }
}

/// One entry of `GET /peers` on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Peer)]
pub struct PeerInfo {
    /// `host:port`.
    pub address: String,
    /// Its best block when last asked.
    pub tip: Option<Tip>,
    /// When it last answered.
    pub last_seen: Option<Timestamp>,
    /// Why nothing is exchanged with it at the moment.
    pub error: Option<String>,
}

/// All peers by address, in order, so that runs with the same seed do the same.
pub(super) struct Peers {
    pub(super) known: BTreeMap<PeerAddress, Peer>,
    /// Addresses to have nothing to do with, either way.
    pub(super) blocked: BTreeMap<PeerAddress, PeerSource>,
    max: usize,
    poll_ms: u64,
}

impl Peers {
    pub(super) fn new(max: usize, poll_ms: u64) -> Self {
        Self { known: BTreeMap::new(), blocked: BTreeMap::new(), max, poll_ms }
    }

    /// Adds an address; a full table takes it only by hand or in place of one that never answered.
    pub(super) fn add(&mut self, address: PeerAddress, source: PeerSource, now: Now) {
        if self.blocked.contains_key(&address) {
            return;
        }
        if let Some(peer) = self.known.get_mut(&address) {
            peer.source = peer.source.min(source);
            return;
        }
        if self.known.len() >= self.max && source != PeerSource::Manual {
            let silent = |peer: &Peer| {
                let has_failed = peer.tries > 0 || matches!(peer.state, PeerState::Dropped { .. });
                peer.source != PeerSource::Manual && has_failed && !peer.is_connected()
            };
            let silent = self.known.iter().filter(|(_, peer)| silent(peer));
            // First those that never answered, then those silent for longest.
            let worst = silent.max_by_key(|(_, peer)| (peer.last_seen.is_none(), peer.tries));
            let Some(replaced) = worst.map(|(address, _)| address.clone()) else { return };
            self.known.remove(&replaced);
        }
        self.known.insert(address, Peer::new(source, now));
    }

    /// Answers whether it was connected.
    pub(super) fn remove(&mut self, address: &PeerAddress) -> bool {
        self.known.remove(address).is_some_and(|peer| peer.is_connected())
    }

    pub(super) fn is_connected(&self, address: &PeerAddress) -> bool {
        self.known.get(address).is_some_and(Peer::is_connected)
    }

    pub(super) fn connected(&self) -> impl Iterator<Item = (&PeerAddress, &Peer)> {
        self.known.iter().filter(|(_, peer)| peer.is_connected())
    }

    /// It answered and is of our network; tells if that is new.
    pub(super) fn record_response(&mut self, address: &PeerAddress, tip: Option<Tip>, now: Now) -> Option<PeerChange> {
        let poll_ms = self.poll_ms;
        let peer = self.known.get_mut(address)?;
        let was_connected = peer.is_connected();
        peer.state = PeerState::Connected;
        peer.tip = tip;
        peer.last_seen = Some(now.time);
        peer.poll_at_ms = now.uptime_ms + poll_ms;
        peer.tries = 0;
        (!was_connected).then_some(PeerChange::Connected)
    }

    /// It did not answer, or is of another network; tells if that is news.
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

    /// It broke a rule: left alone for a time that doubles with each.
    pub(super) fn drop_temporarily(&mut self, address: &PeerAddress, reason: String, now: Now) {
        if let Some(peer) = self.known.get_mut(address) {
            let for_ms = (FIRST_DROP_MS << peer.strikes.min(16)).min(MAX_DROP_MS);
            peer.strikes += 1;
            peer.tip = None;
            peer.state = PeerState::Dropped { until_ms: now.uptime_ms + for_ms, reason };
            peer.poll_at_ms = now.uptime_ms + for_ms;
        }
    }

    pub(super) fn list(&self) -> Vec<PeerInfo> {
        let known = self.known.iter().map(|(address, peer)| {
            let error = match &peer.state {
                PeerState::New => Some("not asked yet".to_owned()),
                PeerState::Connected => None,
                PeerState::Unreachable(reason) => Some(reason.clone()),
                PeerState::Foreign(reason) => Some(reason.clone()),
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
