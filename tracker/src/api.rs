//! The tracker's endpoints as OpenAPI; the kit adds the common ones. Only descriptions.

use serde::{Deserialize, Serialize};
use shared::wire::{Member, Problem, Registered, Role};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// What `/register` is told.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisterQuery {
    /// `host:port` that the caller is reached at; an empty host, as in `:8100`, means where the request comes from.
    #[param(example = ":8100")]
    pub(crate) url: String,
    /// What the caller is; `node` if not given.
    #[param(inline)]
    pub(crate) role: Option<Role>,
}

/// `GET /nodes`, `GET /members` and `GET /targets` take no parameters; a misspelt one is refused rather than ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyQuery {}

/// A member as Prometheus wants to be told of it (its `http_sd_config`).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScrapeTarget {
    /// Its one address.
    targets: [String; 1],
    labels: Labels,
}

#[derive(Debug, Serialize, ToSchema)]
struct Labels {
    role: Role,
    /// The first digits of its network's id.
    network: String,
}

impl From<Member> for ScrapeTarget {
    fn from(member: Member) -> Self {
        let labels = Labels { role: member.role, network: member.network_id.short() };
        Self { targets: [member.address], labels }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Chainlab tracker", description = "Where nodes and mempools find one another (docs/protocol.md §9)."),
    paths(register, register_post, nodes, members, targets),
    components(schemas(Problem))
)]
pub(crate) struct TrackerApi;

macro_rules! described {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[expect(dead_code, reason = "carries the description of an endpoint")]
        const fn $name() {}
    };
}

described! {
    /// Lists the caller, or renews its entry, after calling its `/info` back within 2 seconds.
    #[utoipa::path(get, path = "/register", params(RegisterQuery), responses(
        (status = 200, body = Registered),
        (status = 400, body = Problem, description = "The url or role is malformed"),
        (status = 403, body = Problem, description = "The host is not the caller's"),
        (status = 422, body = Problem, description = "The call back failed, or found something else (`rule` says which)"),
        (status = 429, body = Problem, description = "Too many members of one remote address"),
        (status = 503, body = Problem, description = "Full, or too busy"),
    ))]
    register
}
described! {
    /// The same as `GET /register`.
    #[utoipa::path(post, path = "/register", params(RegisterQuery), responses((status = 200, body = Registered)))]
    register_post
}
described! {
    /// `host:port` of the live nodes of all networks; at most as many as the tracker lists members (1000 by default).
    #[utoipa::path(get, path = "/nodes", responses((status = 200, body = Vec<String>)))]
    nodes
}
described! {
    /// Everyone who is listed, with role, network, tip and when it last registered.
    #[utoipa::path(get, path = "/members", responses((status = 200, body = Vec<Member>)))]
    members
}
described! {
    /// Everyone who is listed, as Prometheus reads it, so that it asks all of them for `/metrics`.
    #[utoipa::path(get, path = "/targets", responses((status = 200, body = Vec<ScrapeTarget>)))]
    targets
}
