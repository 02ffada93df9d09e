//! One peer: what we think of it, and what it has done for us.

use super::backfill::Backfill;
use super::net_group::NetGroup;
use super::{Now, PeerAddress, RequestId};
use crate::block::{BlockHash, Timestamp};
use crate::chain::Tip;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a peer rests after it did not deliver what it offered; doubles each time, up to …
const FIRST_REST_MS: u64 = 2_000;
/// … this, milliseconds.
const MAX_REST_MS: u64 = 60_000;
/// A peer is dropped when it fails to deliver this many times in a row.
const UNDELIVERED_BEFORE_DROP: u32 = 3;
/// Least time between two looks at a peer because of what somebody pushed in its name.
const HINT_MS: u64 = 200;

/// Where an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerSource {
    /// A person or the command line named it; it is never forgotten.
    Manual,
    /// The tracker lists it.
    Tracker,
    /// A peer knows it.
    Peers,
    /// It has called us.
    Caller,
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
    /// The IP address that it was last reached at.
    pub(super) ip: Option<IpAddr>,
    pub(super) group: NetGroup,
    pub(super) state: PeerState,
    pub(super) tip: Option<Tip>,
    pub(super) last_seen: Option<Timestamp>,
    /// Uptime at which it got its place.
    pub(super) added_ms: u64,
    /// Uptime at which its info is requested next.
    pub(super) poll_at_ms: u64,
    pub(super) info: Option<RequestId>,
    pub(super) pushes: u32,
    /// The last block that it sent us or took from us.
    pub(super) knows: Option<BlockHash>,
    /// It has not answered since `POST /sync`.
    pub(super) sync_pending: bool,
    /// Number of the last download from it; 0 if there was none.
    pub(super) last_download: u64,
    /// Blocks that it delivered since it last failed to deliver.
    pub(super) delivered: u64,
    /// Uptime until which nothing is downloaded from it.
    pub(super) rest_until_ms: u64,
    pub(super) backfill: Backfill,
    /// Failed polls in a row.
    pub(super) tries: u32,
    /// How often it was dropped.
    pub(super) strikes: u32,
    undelivered: u32,
    hinted_ms: Option<u64>,
}

impl Peer {
    pub(super) fn new(address: &PeerAddress, source: PeerSource, strikes: u32, now: Now) -> Self {
        Self {
            source,
            ip: address.ip(),
            group: NetGroup::of_address(address),
            state: PeerState::New,
            tip: None,
            last_seen: None,
            added_ms: now.uptime_ms,
            poll_at_ms: now.uptime_ms,
            info: None,
            pushes: 0,
            knows: None,
            sync_pending: false,
            last_download: 0,
            delivered: 0,
            rest_until_ms: 0,
            backfill: Backfill::default(),
            tries: 0,
            strikes,
            undelivered: 0,
            hinted_ms: None,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state == PeerState::Connected
    }

    pub(super) fn is_available(&self, now: Now) -> bool {
        !matches!(&self.state, PeerState::Dropped { until_ms, .. } if *until_ms > now.uptime_ms)
    }

    /// Whether it has delivered since it last failed to.
    pub(super) const fn is_proven(&self) -> bool {
        self.delivered > 0
    }

    /// Whether it does not answer, or misbehaved.
    pub(super) fn has_failed(&self) -> bool {
        !self.is_connected() && (self.tries > 0 || matches!(self.state, PeerState::Dropped { .. }))
    }

    pub(super) fn record_delivered(&mut self, blocks: u64) {
        self.delivered += blocks;
    }

    /// A whole download from it brought blocks: what was before is forgiven.
    pub(super) const fn clear_penalties(&mut self) {
        (self.strikes, self.undelivered) = (0, 0);
    }

    /// It did not deliver what it offered. It rests, and this returns whether it failed too often.
    pub(super) fn record_undelivered(&mut self, now: Now) -> bool {
        self.rest_until_ms = now.uptime_ms + (FIRST_REST_MS << self.undelivered.min(16)).min(MAX_REST_MS);
        self.delivered = 0;
        self.undelivered += 1;
        self.undelivered >= UNDELIVERED_BEFORE_DROP
    }

    /// Polls it soon, since somebody pushed a block in its name.
    pub(super) fn record_hint(&mut self, now: Now) {
        if self.is_available(now) {
            let at_ms = self.hinted_ms.map_or(now.uptime_ms, |hinted_ms| (hinted_ms + HINT_MS).max(now.uptime_ms));
            self.poll_at_ms = self.poll_at_ms.min(at_ms);
            if at_ms == now.uptime_ms {
                self.hinted_ms = Some(at_ms);
            }
        }
    }

    /// It has called us: if it was unreachable, it is time to poll it again.
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
    /// Its best block when last polled.
    pub tip: Option<Tip>,
    /// When it last answered.
    pub last_seen: Option<Timestamp>,
    /// Why nothing is exchanged with it at the moment.
    pub error: Option<String>,
}

/// The error of a peer that has not been polled.
pub(super) const NOT_POLLED: &str = "not asked yet";

impl PeerInfo {
    /// Whether it can be called, as far as is known.
    pub fn may_answer(&self) -> bool {
        self.error.as_deref().is_none_or(|error| error == NOT_POLLED)
    }
}
