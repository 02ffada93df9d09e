//! What a service tells the HTTP kit at start: names it goes by, its token and network, and every bound.
//!
//! Only values. Where they come from (file, environment, flags) is `runtime::config`'s.

use metrics_exporter_prometheus::PrometheusHandle;
use shared::block::BlockHash;
use shared::config::HttpConfig;
use std::fmt;
use std::time::Duration;

/// What the kit needs to know about the service that it serves.
#[derive(Clone, Default)]
pub struct Settings {
    /// Names that a request's `Host` may have besides addresses and `localhost`: the bound and advertised names and
    /// the config's list. With or without a port; upper or lower case.
    pub hosts: Vec<String>,
    /// What requests that steer the service must carry as `Authorization: Bearer`; without one, none may steer.
    pub token: Option<String>,
    /// The network of this service: a request whose `Chainlab-Network` differs gets 409. A tracker has none.
    pub network: Option<BlockHash>,
    /// Renders `/metrics`; without one it is empty.
    pub metrics: Option<PrometheusHandle>,
    /// Bounds on what one client and all of them together may take.
    pub limits: Limits,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret and the handle says nothing.
        let Self { hosts, network, limits, .. } = self;
        f.debug_struct("Settings")
            .field("hosts", hosts)
            .field("network", network)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

/// Bounds of a server; [`Limits::from`] reads them from the config's section `[http]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at a time; one more is told 503 and closed.
    pub max_connections: usize,
    /// Most answers of [`reply::stream`](super::reply::stream) at a time.
    pub max_streams: usize,
    /// Most answers of [`reply::events`](super::reply::events) at a time.
    pub max_subscribers: usize,
    /// How long a request's header may take, and how long a connection may idle between requests.
    pub header: Duration,
    /// How long a request's body may take in all.
    pub body: Duration,
    /// How long a handler may take until its answer begins; a service may say otherwise for a request.
    pub request: Duration,
    /// How long an answer of [`reply::stream`](super::reply::stream) may take in all.
    pub stream: Duration,
    /// How long a client may refuse to read anything of its answer.
    pub stall: Duration,
    /// How long answers that have begun may take to end after the shutdown began.
    pub grace: Duration,
}

impl From<&HttpConfig> for Limits {
    fn from(http: &HttpConfig) -> Self {
        Self {
            max_connections: http.max_connections,
            max_streams: http.max_streams,
            max_subscribers: http.max_subscribers,
            header: Duration::from_millis(http.header_timeout_ms),
            body: Duration::from_millis(http.body_timeout_ms),
            request: Duration::from_secs(30),
            stream: Duration::from_millis(http.stream_timeout_ms),
            stall: Duration::from_secs(20),
            grace: Duration::from_secs(4),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&HttpConfig::default())
    }
}
