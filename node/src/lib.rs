//! A node: follows the chain, serves it, and mines (docs/protocol.md §10).
//!
//! Only what puts the parts together is here: the chain and its rules are `shared`'s, disk, HTTP and threads are
//! `runtime`'s. A file in this crate that decides a rule is in the wrong room.

mod cache;
mod mining;
mod offers;
mod openapi;
mod registration;
mod routes;
mod sender;
mod service;

use metrics_exporter_prometheus::PrometheusHandle;
use mining::Mining;
use runtime::client::Error as ClientError;
use runtime::clock::Clock;
use runtime::data_dir::{DataDir, DataDirError};
use runtime::follower::{Follower, FollowerError, FollowerSettings};
use runtime::miner::{MAX_THREADS, MinerError};
use runtime::server::{self, Limits};
use runtime::store::RedbStore;
use service::NodeService;
use shared::chain::{Rules, SideLimits};
use shared::config::Config;
use shared::store::StoreError;
use shared::sync::{Learnt, PeerAddress, SyncSettings};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The name of the chain's file in the data directory.
const CHAIN_FILE: &str = "chain.redb";

/// What a node needs to run.
#[derive(Debug)]
pub struct Settings {
    /// Sections `[network]`, `[node]` and `[http]`. The listener is bound already.
    pub config: Config,
    /// The folder that holds the chain and the token; locked as long as it is held.
    pub data: DataDir,
    /// Peers that were named on the command line.
    pub peers: Vec<PeerAddress>,
    /// How far the clock on the wall is ahead of the system's, for experiments.
    pub clock_offset_ms: i64,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

/// Why a node could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The listener has no address, or serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
    /// The chain's file.
    #[error("cannot open the chain: {0}")]
    Store(#[from] StoreError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// The chain's thread.
    #[error(transparent)]
    Follower(#[from] FollowerError),
    /// The mining threads.
    #[error(transparent)]
    Miner(#[from] MinerError),
    /// The chain's thread panicked: what was durable stays so, but nothing can be written any more.
    #[error("the chain's thread ended by itself; start the node again, and please report what the log says above")]
    ChainEnded,
    /// The HTTP client.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] ClientError),
    /// An address that was configured.
    #[error("{what} {text:?} is not an address: expected host:port")]
    Address {
        /// Which.
        what: &'static str,
        /// What it says.
        text: String,
    },
    /// No random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Runs a node on `listener` until `shutdown` is cancelled; when it returns, everything is on disk.
///
/// # Errors
/// See [`NodeError`]. A tracker or peers that are not there are no error.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> Result<(), NodeError> {
    let Settings { config, data, peers, clock_offset_ms, metrics } = settings;
    if !(1..=MAX_THREADS).contains(&config.node.threads) {
        return Err(MinerError::Threads { got: config.node.threads }.into());
    }
    let bound = listener.local_addr()?;
    let clock = Clock::new(clock_offset_ms);
    let own = own_address(&config, bound)?;
    let tracker = address("the tracker", &config.node.tracker)?;
    let token = match &config.node.token {
        Some(token) => token.expose().to_owned(),
        None => data.token()?,
    };
    let rules = Arc::new(Rules::new(config.network.clone()));
    let network = rules.params().network_id();
    let store = Arc::new(open_store(&data).await?);
    let follower_settings = FollowerSettings {
        rules,
        side_limits: SideLimits::default(),
        sync: SyncSettings { own_address: own.clone(), max_peers: config.node.max_peers, poll_ms: config.node.poll_ms },
        clock,
        seed: random()?,
    };
    let (follower, thread) = Follower::start(follower_settings, store)?;
    follower.offer_peers(peers, Learnt::ByHand);
    tracing::info!(
        address = %bound,
        network = %network,
        name = config.network.name,
        height = follower.status().tip.index.0,
        "node listens"
    );

    let mining = Mining::start(&config.node, follower.clone(), clock, shown(own.as_ref(), bound), shutdown.clone())?;
    let known_as = registration::start(tracker, own, bound, follower.clone(), shutdown.clone())?;
    let kit = server::Settings {
        hosts: config.http.hosts.iter().chain([&config.node.host]).chain(&config.node.advertise).cloned().collect(),
        token: Some(token),
        network: Some(network),
        metrics,
        limits: Limits::from(&config.http),
    };
    let service = Arc::new(NodeService::new(follower.clone(), mining.clone(), clock, known_as));
    let served = tokio::select! {
        served = server::serve(listener, service, kit, shutdown.clone()) => served.map_err(NodeError::from),
        () = follower.ended() => Err(NodeError::ChainEnded),
    };
    // However serving ended, the rest ends too, and the chain is flushed.
    shutdown.cancel();
    mining.join().await;
    follower.stop();
    thread.join().await;
    served
}

async fn open_store(data: &DataDir) -> Result<RedbStore, StoreError> {
    let path = data.path().join(CHAIN_FILE);
    let opened = tokio::task::spawn_blocking(move || RedbStore::open(path)).await;
    opened.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
}

/// What others reach this node at; not known if it listens on all addresses and nobody said.
fn own_address(config: &Config, bound: SocketAddr) -> Result<Option<PeerAddress>, NodeError> {
    if let Some(advertised) = &config.node.advertise {
        return address("--advertise", advertised).map(Some);
    }
    if bound.ip().is_unspecified() {
        return Ok(None);
    }
    let host = &config.node.host;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    address("--host", &format!("{host}:{}", bound.port())).map(Some)
}

fn address(what: &'static str, text: &str) -> Result<PeerAddress, NodeError> {
    PeerAddress::new(text).ok_or_else(|| NodeError::Address { what, text: text.to_owned() })
}

fn shown(own: Option<&PeerAddress>, bound: SocketAddr) -> String {
    own.map_or_else(|| bound.to_string(), ToString::to_string)
}

fn random() -> Result<u64, NodeError> {
    getrandom::u64().map_err(NodeError::Random)
}
