//! The tracker behind the server kit: which endpoint does what.

use crate::api::{NoQuery, RegisterQuery, Target, TrackerApi};
use crate::callback::{Callback, Found, is_of_this_machine};
use crate::members::{Caps, Full, Members, Registration};
use http::{Method, StatusCode};
use runtime::client::Error;
use runtime::server::{Request, Response, Service, problem, reply, unavailable};
use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use shared::wire::{Info, Problem, Registered, Role};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use utoipa::OpenApi;

pub(crate) struct TrackerService {
    address: SocketAddr,
    network_id: BlockHash,
    network: serde_json::Value,
    started: Timestamp,
    lease_seconds: u64,
    callback: Callback,
    /// Held for lookups and inserts only, never while waiting for anyone.
    members: Mutex<Members>,
}

impl TrackerService {
    pub(crate) fn new(
        address: SocketAddr,
        config: &shared::config::TrackerConfig,
        network: &Params,
    ) -> Result<Self, Error> {
        let caps = Caps {
            lease: Duration::from_secs(config.lease_seconds),
            total: config.max_members,
            per_source: config.max_members_per_source,
        };
        Ok(Self {
            address,
            network_id: network.network_id(),
            network: serde_json::to_value(network).unwrap_or_default(),
            started: now(),
            lease_seconds: config.lease_seconds,
            callback: Callback::new(config.allow_foreign)?,
            members: Mutex::new(Members::new(caps)),
        })
    }

    async fn register(&self, request: &Request) -> Result<Response, Problem> {
        let RegisterQuery { url, role } = request.query()?;
        let (caller, role) = (request.remote.ip(), role.unwrap_or(Role::Node));
        let Found { address, info } = self.callback.find(caller, &url, role).await?;
        let registered = address.to_string();
        let network_id = info.network_id;
        let source = (!is_of_this_machine(caller)).then_some(caller);
        let registration = Registration { address, role, network_id, tip: info.tip, source };

        let at = Instant::now();
        let mut members = self.members();
        members.register(at, now(), registration).map_err(|full| match full {
            Full::Total(_) => unavailable(full.to_string()),
            Full::Source(_) => problem(StatusCode::TOO_MANY_REQUESTS, full.to_string()),
        })?;
        let nodes = members.addresses(at, Role::Node, Some(network_id));
        let mempools = members.addresses(at, Role::Mempool, Some(network_id));
        drop(members);
        tracing::debug!(address = registered, ?role, network = network_id.short(), "registered");
        reply::json(&Registered { registered, lease_seconds: self.lease_seconds, nodes, mempools })
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // The table is never left half-changed, so one that a panic poisoned is still right.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for TrackerService {
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

    fn openapi(&self) -> utoipa::openapi::OpenApi {
        TrackerApi::openapi()
    }

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let path = request.path();
        match (&request.method, &*path.segments()) {
            (&Method::GET | &Method::POST, ["register"]) => self.register(&request).await,
            (&Method::GET, ["nodes"]) => {
                let NoQuery {} = request.query()?;
                reply::json(&self.members().addresses(Instant::now(), Role::Node, None))
            }
            (&Method::GET, ["members"]) => {
                let NoQuery {} = request.query()?;
                reply::json(&self.members().list(Instant::now()))
            }
            (&Method::GET, ["targets"]) => {
                let NoQuery {} = request.query()?;
                let members = self.members().list(Instant::now());
                reply::json(&members.into_iter().map(Target::from).collect::<Vec<_>>())
            }
            _ => Err(request.no_route()),
        }
    }
}

/// The wall clock, which only `last_seen` and `started` show; leases go by a clock that nobody sets.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
