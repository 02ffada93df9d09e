//! What the tracker's handlers share: its table of members, and who it is.

use crate::callback::Callback;
use crate::members::{MemberLimits, MemberTable};
use runtime::client::Error;
use runtime::clock::Clock;
use runtime::server::Service;
use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use shared::wire::Info;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) struct TrackerState {
    address: SocketAddr,
    network_id: BlockHash,
    network: serde_json::Value,
    /// For `started` and `last_seen` only; leases go by a clock that nobody sets.
    pub(crate) clock: Clock,
    started: Timestamp,
    pub(crate) lease_seconds: u64,
    pub(crate) callback: Callback,
    /// Locked for lookups and inserts only, never across an await.
    members: Mutex<MemberTable>,
}

impl TrackerState {
    pub(crate) fn new(address: SocketAddr, config: &shared::config::Tracker, network: &Params) -> Result<Self, Error> {
        let limits = MemberLimits {
            lease: Duration::from_secs(config.lease_seconds),
            total: config.max_members,
            per_source: config.max_members_per_source,
        };
        let clock = Clock::new(0);
        Ok(Self {
            address,
            network_id: network.network_id(),
            network: serde_json::to_value(network).unwrap_or_default(),
            clock,
            started: clock.time(),
            lease_seconds: config.lease_seconds,
            callback: Callback::new(config.allow_foreign)?,
            members: Mutex::new(MemberTable::new(limits)),
        })
    }

    pub(crate) fn members(&self) -> MutexGuard<'_, MemberTable> {
        // The table is never left half-changed, so a lock that a panic poisoned is still usable.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for TrackerState {
    fn info(&self) -> Info {
        Info {
            service: "tracker".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: self.network_id,
            network: self.network.clone(),
            address: self.address.to_string(),
            started: self.started,
            tip: None,
            peers: None,
            mining: None,
            pool: None,
            members: Some(self.members().count(Instant::now()) as u64),
        }
    }
}
