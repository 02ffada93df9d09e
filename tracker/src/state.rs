//! What the tracker's handlers share: its table of members, and who it is.

use crate::callback::Callback;
use crate::members::{MemberLimits, MemberTable};
use runtime::client::Error;
use runtime::clock::Clock;
use runtime::server::{Identity, LOCAL_PERCENT, Service};
use shared::params::Params;
use shared::wire::Info;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) struct TrackerState {
    identity: Identity,
    /// For `started` and `last_seen`; leases use a monotonic clock.
    pub(crate) clock: Clock,
    pub(crate) lease_seconds: u64,
    pub(crate) callback: Callback,
    /// Locked for lookups and inserts only, never across an await.
    members: Mutex<MemberTable>,
}

impl TrackerState {
    pub(crate) fn new(
        address: SocketAddr,
        config: &shared::config::TrackerConfig,
        source_percent: usize,
        network: &Params,
    ) -> Result<Self, Error> {
        let limits = MemberLimits {
            lease: Duration::from_secs(config.lease_seconds),
            total: config.max_members,
            per_source: config.max_members_per_source,
            per_local_source: (config.max_members * LOCAL_PERCENT).div_ceil(100).max(config.max_members_per_source),
        };
        let clock = Clock::new(0);
        Ok(Self {
            identity: Identity::at("tracker", network, address, clock.time()),
            clock,
            lease_seconds: config.lease_seconds,
            callback: Callback::new(config.allow_foreign, source_percent)?,
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
        Info { members: Some(self.members().count(Instant::now()) as u64), ..self.identity.info() }
    }
}
