//! The explorer: a whole network on web pages, live, and a wallet in the browser (docs/tour.md).
//!
//! It is a client like any other: the tracker names the nodes and mempools, `monitor` asks and listens to them,
//! `network` is what is known so far, and `pages` show it. No rule of the chain belongs here, and no private key ever
//! arrives here.

mod assets;
mod block_sizes;
mod functions;
mod header_cache;
mod monitor;
mod names;
mod network;
mod pages;
mod pending_cache;
mod recorded;
mod router;
mod routes;
mod stage;
mod state;
mod stats;
mod steering;
mod thefts;
mod upstream;
mod view;

pub use names::{BadName, BadNames, Name, NameBook};
pub use recorded::{RecordingSettings, run_recording};
pub use thefts::{GIVE_UP, Theft, TheftChoice, TheftOrders, TheftStep, Thefts};

use metrics_exporter_prometheus::PrometheusHandle;
use monitor::Monitor;
use runtime::client::{Client, Error as ClientError};
use runtime::clock::Clock;
use runtime::own_address::{InvalidAddress, OwnAddress, parse_address};
use runtime::server;
use shared::config::Config;
use shared::ledger::Address;
use state::{ExplorerState, Parts};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use steering::Splitter;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use upstream::Upstream;

/// What an explorer needs to run.
pub struct Settings {
    /// Sections `[network]`, `[explorer]` and `[http]`. The listener is already bound.
    pub config: Config,
    /// The tokens of nodes, by `host:port`. Pages of these nodes have buttons that steer them. A token is sent to no
    /// one but its node.
    pub tokens: BTreeMap<String, String>,
    /// Names of people, and letters of nodes. Owners of wallets add theirs.
    pub names: NameBook,
    /// Lets visitors of the first page start thefts, with the names that thieves get.
    pub thefts: Option<(Thefts, mpsc::Receiver<(Address, String)>)>,
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
    let Settings { config, tokens, names, thefts, metrics } = settings;
    let (thefts, thieves) = thefts.unzip();
    let bound = listener.local_addr()?;
    let own = OwnAddress::new(&config.explorer.host, None, bound)?;
    let tracker = parse_address("the tracker", &config.explorer.tracker)?;
    let clock = Clock::new(0);
    let client = Client::new(Some(config.network.network_id()), None)?;
    let letters = names.letters().clone();
    let monitor = Monitor::start(client.clone(), tracker, &config.network, letters, clock, shutdown.clone());
    let splitter = Arc::new(Splitter::new(client.clone(), monitor.clone(), clock, shutdown.clone()));
    let upstream = Upstream::new(client, &config.network, monitor.clone());
    // Programs that ask for names say for which network.
    let network = Some(config.network.network_id());
    let kit = server::Settings { metrics, network, ..server::Settings::new(&config.http, &config.explorer.host, None) };
    if !tokens.is_empty() && !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, nodes = tokens.len(), "anyone who reaches this address can steer these nodes");
    }
    tracing::info!(address = %bound, "explorer listens");
    let parts = Parts { monitor, upstream, splitter: splitter.clone(), tokens, thefts, names, clock };
    let state = Arc::new(ExplorerState::new(&config, own, parts));
    tokio::spawn(routes::live::keep(state.clone(), shutdown.clone()));
    tokio::spawn(routes::film::record(state.clone(), shutdown.clone()));
    if let Some(thieves) = thieves {
        tokio::spawn(routes::names::name_thieves(state.clone(), thieves));
    }
    let served = server::serve(listener, state, router::router(), kit, shutdown).await;
    splitter.close().await;
    Ok(served?)
}
