//! Sections `[tracker]`, `[user]`, `[http]` and `[simulator]`.

use super::Hashrate;
use serde::Deserialize;

/// Section `[tracker]`: settings of the tracker (docs/protocol.md §9).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackerConfig {
    /// Name or address that it listens on.
    pub host: String,
    /// The first port to try; the flag `--port` names the only one.
    pub port: u16,
    /// Seconds until a registration ends unless it is renewed.
    pub lease_seconds: u64,
    /// Whether a caller may register an address that is not its own.
    pub allow_foreign: bool,
    /// Most members listed.
    pub max_members: usize,
    /// Most members listed that registered from one remote address.
    pub max_members_per_source: usize,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8090,
            lease_seconds: 60,
            allow_foreign: false,
            max_members: 1000,
            max_members_per_source: 64,
        }
    }
}

/// Section `[user]`: settings of the command line program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// `host:port` of the tracker that knows the mempools.
    pub tracker: String,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self { tracker: "127.0.0.1:8090".to_owned() }
    }
}

/// Section `[http]`: limits of HTTP in every service (docs/protocol.md §8).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Most connections at a time.
    pub max_connections: usize,
    /// Percent of the connections, streams, listeners and bytes that one source address may take; three quarters, or
    /// this if it is more, for an address of the service's own machine.
    pub max_source_percent: usize,
    /// Most bytes of long answers that are sent at a time.
    pub max_answer_bytes: usize,
    /// Milliseconds that the header of a request may take to arrive.
    pub header_timeout_ms: u64,
    /// Milliseconds that the body of a request may take to arrive.
    pub body_timeout_ms: u64,
    /// Most whole-chain answers streamed at a time.
    pub max_streams: usize,
    /// Milliseconds that one whole-chain answer may take in total.
    pub stream_timeout_ms: u64,
    /// Most subscribers to server-sent events at a time.
    pub max_subscribers: usize,
    /// Names that a request's `Host` may have, besides those that are always allowed.
    pub hosts: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_source_percent: 25,
            max_answer_bytes: 256 << 20,
            header_timeout_ms: 5000,
            body_timeout_ms: 10_000,
            max_streams: 16,
            stream_timeout_ms: 600_000,
            max_subscribers: 64,
            hosts: Vec::new(),
        }
    }
}

/// Section `[simulator]`: settings of the simulator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatorConfig {
    /// Name or address that its nodes and pages listen on.
    pub host: String,
    /// How many nodes it starts.
    pub nodes: usize,
    /// Hash rate of each node.
    pub hashrate: Hashrate,
    /// How many members do not mine; only on layers with money.
    pub members: usize,
    /// Payments per second of all members together; 0 = none.
    pub rate: u32,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        let hashrate = Hashrate::PerSecond(50_000);
        Self { host: "127.0.0.1".to_owned(), nodes: 4, hashrate, members: 4, rate: 1 }
    }
}
