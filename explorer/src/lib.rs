//! The explorer: a whole network on web pages, live, and a wallet in the browser (docs/tour.md).
//!
//! It is a client like any other: the tracker names the nodes and mempools, `monitor` asks and listens to them,
//! `network` is what is known so far, and `pages` show it. No rule of the chain belongs here, and no private key ever
//! arrives here.

mod assets;
mod block_sizes;
mod header_cache;
mod monitor;
mod network;
mod pages;
mod pending_cache;
mod router;
mod routes;
mod state;
mod stats;
mod steering;
mod upstream;
mod view;

use metrics_exporter_prometheus::PrometheusHandle;
use monitor::Monitor;
use runtime::client::{Client, Error as ClientError};
use runtime::clock::Clock;
use runtime::own_address::{InvalidAddress, OwnAddress, parse_address};
use runtime::server;
use shared::config::Config;
use state::ExplorerState;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use steering::Splitter;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use upstream::Upstream;

/// What an explorer needs to run.
pub struct Settings {
    /// Sections `[network]`, `[explorer]` and `[http]`. The listener is already bound.
    pub config: Config,
    /// The tokens of nodes, by `host:port`. Pages of these nodes have buttons that steer them. A token is sent to no
    /// one but its node.
    pub tokens: BTreeMap<String, String>,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are secrets.
        f.debug_struct("Settings").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Why an explorer could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ExplorerError {
    /// The listener has no address, or serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
    /// The HTTP client could not be created.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] ClientError),
    /// A configured address is malformed.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
}

/// Serves the pages on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// See [`ExplorerError`]. A missing tracker, node or mempool is no error: the pages say what is missing.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> Result<(), ExplorerError> {
    let Settings { config, tokens, metrics } = settings;
    let bound = listener.local_addr()?;
    let own = OwnAddress::new(&config.explorer.host, None, bound)?;
    let tracker = parse_address("the tracker", &config.explorer.tracker)?;
    let clock = Clock::new(0);
    let client = Client::new(Some(config.network.network_id()), None)?;
    let monitor = Monitor::start(client.clone(), tracker, &config.network, clock, shutdown.clone());
    let splitter = Arc::new(Splitter::new(client.clone(), monitor.clone(), clock, shutdown.clone()));
    let upstream = Upstream::new(client, &config.network, monitor.clone());
    let kit = server::Settings { metrics, ..server::Settings::new(&config.http, &config.explorer.host, None) };
    if !tokens.is_empty() && !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, nodes = tokens.len(), "anyone who reaches this address can steer these nodes");
    }
    tracing::info!(address = %bound, "explorer listens");
    let state = ExplorerState::new(&config, own, monitor, upstream, splitter.clone(), tokens, clock);
    let served = server::serve(listener, Arc::new(state), router::router(), kit, shutdown).await;
    splitter.close().await;
    Ok(served?)
}
