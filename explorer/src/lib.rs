//! The explorer: a whole network on web pages, live, and a wallet in the browser (README, "Look at it").
//!
//! It is a client like any other: the tracker names the nodes and mempools, `network` keeps a picture of them, `pages`
//! show it. No rule of the chain belongs here; keys never come here.

mod api;
mod assets;
mod block_sizes;
mod header_cache;
mod network;
mod openapi;
mod pages;
mod pending_cache;
mod service;
mod stats;
mod steering;
mod upstream;
mod view;

use metrics_exporter_prometheus::PrometheusHandle;
use network::Watch;
use runtime::client::{Client, Error as ClientError};
use runtime::clock::Clock;
use runtime::own_address::{InvalidAddress, OwnAddress, parse_address};
use runtime::server;
use service::Explorer;
use shared::config::Config;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use steering::split::Splitter;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use upstream::Upstream;

/// What an explorer needs to run.
pub struct Settings {
    /// Sections `[network]`, `[explorer]` and `[http]`. The listener is bound already.
    pub config: Config,
    /// What steering each node needs, by its `host:port`: with it the pages have buttons. They never leave this process
    /// but for the node they belong to.
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

/// Why an explorer could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ExplorerError {
    /// The listener has no address, or serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
    /// The HTTP client.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] ClientError),
    /// An address that was configured.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
}

/// Serves the pages on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// See [`ExplorerError`]. A tracker, nodes or mempools that are not there are no error: the pages say so.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> Result<(), ExplorerError> {
    let Settings { config, tokens, metrics } = settings;
    let bound = listener.local_addr()?;
    let own = OwnAddress::new(&config.explorer.host, None, bound)?;
    let tracker = parse_address("the tracker", &config.explorer.tracker)?;
    let clock = Clock::new(0);
    let client = Client::new(Some(config.network.network_id()), None)?;
    let watch = Watch::start(client.clone(), tracker, &config.network, clock, shutdown.clone());
    let splitter = Arc::new(Splitter::new(client.clone(), watch.clone(), clock, shutdown.clone()));
    let upstream = Upstream::new(client, &config.network, watch.clone());
    let kit = server::Settings { metrics, ..server::Settings::new(&config.http, &config.explorer.host, None) };
    if !tokens.is_empty() && !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, nodes = tokens.len(), "whoever reaches this address can steer the nodes whose tokens were given");
    }
    tracing::info!(address = %bound, "explorer listens");
    let service = Explorer::new(&config, own, watch, upstream, splitter.clone(), tokens, clock);
    let served = server::serve(listener, Arc::new(service), service::router(), kit, shutdown).await;
    splitter.close().await;
    Ok(served?)
}
