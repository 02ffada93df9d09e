//! Settings of the HTTP kit: the service's names, token and network, and all bounds.

use crate::open_files;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::block::BlockHash;
use shared::config::HttpConfig;
use std::fmt;
use std::time::Duration;

/// Open files that a service needs beside its connections.
const SPARE_FILES: usize = 128;
/// Connections that a service has in any case.
const LEAST_CONNECTIONS: usize = 8;

/// Settings of a server.
#[derive(Clone, Default)]
pub struct Settings {
    /// Names that the `Host` of a request may have, besides IP addresses and `localhost`; with or without a port, in
    /// upper or lower case.
    pub hosts: Vec<String>,
    /// The token that steering requests must carry as `Authorization: Bearer`; without a token they are all refused.
    pub token: Option<String>,
    /// The network of the service: a request with another `Chainlab-Network` gets 409. A tracker has none.
    pub network: Option<BlockHash>,
    /// Renders `/metrics`, which is empty without it.
    pub metrics: Option<PrometheusHandle>,
    /// `host:port` of the explorer, for the page that a browser gets at `/` where the service has no page of its own.
    pub explorer: Option<String>,
    /// Bounds for each client and for all of them together.
    pub limits: Limits,
}

impl Settings {
    /// Settings from the section `[http]` of the configuration; the service goes by its configured `host`, the address
    /// that it advertises, and the names in `http.hosts`.
    pub fn new(http: &HttpConfig, host: &str, advertise: Option<&str>) -> Self {
        let names = http.hosts.iter().map(String::as_str).chain([host]).chain(advertise);
        Self { hosts: names.map(str::to_owned).collect(), limits: Limits::from(http), ..Self::default() }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret, and the handle has nothing to show.
        let Self { hosts, network, explorer, limits, .. } = self;
        f.debug_struct("Settings")
            .field("hosts", hosts)
            .field("network", network)
            .field("explorer", explorer)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

/// Bounds of a server; [`Limits::from`] takes them from the section `[http]` of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at a time; one more gets 503 and is closed.
    pub max_connections: usize,
    /// Most answers of [`reply::stream`](super::reply::stream) at a time.
    pub max_streams: usize,
    /// Most answers of [`reply::events`](super::reply::events) at a time.
    pub max_subscribers: usize,
    /// Percent of each pool (connections, streams, subscribers, bytes) that one source may take; see
    /// [`Places`](super::Places).
    pub source_percent: usize,
    /// Most bytes of answers above 64 KiB that are being sent.
    pub max_answer_bytes: usize,
    /// Longest time for the header of a request, and longest idle time between requests of a connection.
    pub header: Duration,
    /// Longest time for the body of a request.
    pub body: Duration,
    /// Longest time until an answer begins, unless its route has another deadline.
    pub request: Duration,
    /// Longest time for an answer of [`reply::stream`](super::reply::stream).
    pub stream: Duration,
    /// Longest time that a client may read nothing of its answer.
    pub stall: Duration,
    /// Longest time that an answer may take to be sent after the client has closed its sending side.
    pub half_closed: Duration,
    /// Longest time for begun answers to end after the shutdown began.
    pub grace: Duration,
}

impl Limits {
    /// The same with no more connections than this process may have: beyond the limit of open files, accepting fails
    /// instead of answering 503.
    #[must_use]
    pub(super) fn within_open_files(self) -> Self {
        let (allowed, wanted) = (open_files::raise_limit(), self.max_connections);
        let max_connections = connections_within(allowed, wanted);
        if max_connections < wanted {
            let reason = "the limit of open files allows fewer connections than max_connections (ulimit -n)";
            tracing::info!(allowed, wanted, max_connections, "{reason}");
        }
        Self { max_connections, ..self }
    }
}

/// The connections, of those `wanted`, that a process may have with `allowed` open files.
fn connections_within(allowed: u64, wanted: usize) -> usize {
    let most = usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(SPARE_FILES);
    wanted.min(most.max(LEAST_CONNECTIONS))
}

impl From<&HttpConfig> for Limits {
    fn from(http: &HttpConfig) -> Self {
        Self {
            max_connections: http.max_connections,
            max_streams: http.max_streams,
            max_subscribers: http.max_subscribers,
            source_percent: http.max_source_percent,
            max_answer_bytes: http.max_answer_bytes,
            header: Duration::from_millis(http.header_timeout_ms),
            body: Duration::from_millis(http.body_timeout_ms),
            request: Duration::from_secs(30),
            stream: Duration::from_millis(http.stream_timeout_ms),
            stall: Duration::from_secs(20),
            half_closed: Duration::from_secs(5),
            grace: Duration::from_secs(4),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&HttpConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::connections_within;

    #[test]
    fn a_low_limit_of_open_files_lowers_the_number_of_connections() {
        for (allowed, wanted, expected) in [(65_536, 1024, 1024), (1024, 1024, 896), (256, 1024, 128), (64, 1024, 8)] {
            assert_eq!(connections_within(allowed, wanted), expected, "{allowed} files");
        }
    }
}
