//! The tracker's handlers.

use crate::callback;
use crate::members::{NewMember, TableFull};
use crate::state::TrackerState;
use http::StatusCode;
use runtime::server::{Request, Response, problem, reply, unavailable};
use serde::{Deserialize, Serialize};
use shared::wire::{Member, Problem, Registered, Role};
use std::sync::Arc;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterQuery {
    /// `host:port` of the caller; `:8100`, without a host, means the address that the request comes from.
    #[param(
        example = ":8100",
        pattern = "^([0-9A-Za-z_][0-9A-Za-z_-]{0,62}([.][A-Za-z_][0-9A-Za-z_-]{0,62}){0,3}\
                   |[0-9]{1,3}([.][0-9]{1,3}){3}|\\[[0-9a-fA-F:.]{2,45}\\])?:[1-9][0-9]{0,4}$"
    )]
    url: String,
    /// The kind of service that the caller is; `node` if not given.
    #[param(inline, nullable = false)]
    role: Option<Role>,
}

/// No parameters: a misspelt one is refused rather than ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyQuery {}

/// One member in the form of Prometheus' `http_sd_config`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScrapeTarget {
    /// Always one `host:port`.
    targets: [String; 1],
    labels: Labels,
}

#[derive(Debug, Serialize, ToSchema)]
struct Labels {
    role: Role,
    /// The first 8 hex digits of the network id.
    network: String,
}

impl From<Member> for ScrapeTarget {
    fn from(member: Member) -> Self {
        let labels = Labels { role: member.role, network: member.network_id.short() };
        Self { targets: [member.address], labels }
    }
}

pub(crate) async fn register(tracker: Arc<TrackerState>, request: Request) -> Result<Response, Problem> {
    let RegisterQuery { url, role } = request.query()?;
    let (caller, source, role) = (request.remote.ip(), request.source, role.unwrap_or(Role::Node));
    let address = callback::address(caller, &url)?;
    let is_renewal = tracker.members().is_reliable(Instant::now(), &address, source);
    let checked = tracker.callback.verify(caller, source, &address, role, is_renewal).await;
    let info = checked.inspect_err(|problem| {
        if problem.rule.is_some() {
            tracker.members().note_silence(&address, source);
        }
    })?;
    let registered = address.to_string();
    let network_id = info.network_id;
    let member = NewMember { address, role, network_id, tip: info.tip, source };

    let (now, time) = (Instant::now(), tracker.clock.time());
    let (nodes, mempools) = {
        let mut members = tracker.members();
        members.register(now, time, member).map_err(|full| match full {
            TableFull::Total(_) => unavailable(full.to_string()),
            TableFull::Source(_) => problem(StatusCode::TOO_MANY_REQUESTS, full.to_string()),
        })?;
        let of_role = |role| members.addresses(now, role, Some(network_id));
        (of_role(Role::Node), of_role(Role::Mempool))
    };
    tracing::debug!(address = registered, ?role, network = network_id.short(), "registered");
    reply::json(&Registered { registered, lease_seconds: tracker.lease_seconds, nodes, mempools })
}

pub(crate) async fn nodes(tracker: Arc<TrackerState>, request: Request) -> Result<Response, Problem> {
    let EmptyQuery {} = request.query()?;
    reply::json(&tracker.members().addresses(Instant::now(), Role::Node, None))
}

pub(crate) async fn members(tracker: Arc<TrackerState>, request: Request) -> Result<Response, Problem> {
    let EmptyQuery {} = request.query()?;
    reply::json(&tracker.members().list(Instant::now()))
}

pub(crate) async fn targets(tracker: Arc<TrackerState>, request: Request) -> Result<Response, Problem> {
    let EmptyQuery {} = request.query()?;
    let members = tracker.members().list(Instant::now());
    reply::json(&members.into_iter().map(ScrapeTarget::from).collect::<Vec<_>>())
}
