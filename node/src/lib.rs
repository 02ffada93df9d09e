//! A node: follows the chain, serves it, and mines (docs/protocol.md §10).
//!
//! This crate only puts parts together: the chain and its rules are `shared`'s; disk, HTTP and threads are `runtime`'s.
//! A file here that decides a rule is in the wrong crate.

mod block_cache;
mod coinbase;
mod mempools;
mod mining;
mod push_guard;
mod router;
mod routes;
mod sender;
mod state;
mod template;
mod work_offers;

use coinbase::Coinbase;
use mempools::{Mempools, PullSettings};
use metrics_exporter_prometheus::PrometheusHandle;
use mining::Mining;
use runtime::chain_service::{ChainService, ChainServiceError, ChainSettings};
use runtime::clock::Clock;
use runtime::data_dir::{DataDir, DataDirError};
use runtime::miner::{MAX_THREADS, MinerError};
use runtime::own_address::{InvalidAddress, OwnAddress, parse_address};
use runtime::registration::Registration;
use runtime::server;
use runtime::verifier::CachingVerifier;
use shared::chain::{BlockViolation, Rules};
use shared::config::{self, Config};
use shared::keys::Verifier;
use shared::ledger::BadAddress;
use shared::program::Engine;
use shared::sync::PeerAddress;
use shared::wire::Role;
use state::NodeState;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Signatures that the verifier remembers: as many as can be candidates for a block at a time, in about 10 MiB.
const REMEMBERED_SIGNATURES: usize = 50_000;

/// What a node needs to run.
#[derive(Debug)]
pub struct Settings {
    /// Sections `[network]`, `[node]` and `[http]`. The port in it is not used: the listener is bound already.
    pub config: Config,
    /// Holds the chain, the token and the key, and a lock on all of them.
    pub data: DataDir,
    /// Peers to talk to besides those that the tracker names.
    pub peers: Vec<PeerAddress>,
    /// How far the wall clock is ahead of the system's, for experiments.
    pub clock_offset_ms: i64,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

/// Why a node could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Service(#[from] ChainServiceError),
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error(transparent)]
    Miner(#[from] MinerError),
    #[error("network {0:?} is of layer program, and this build has no machine that runs programs")]
    NoMachine(String),
    #[error("--miner {text:?} is not an address: {source}")]
    BadMiner { text: String, source: BadAddress },
    #[error("every block of this node would be refused: {0}; change --message or --miner")]
    BadCoinbase(Box<BlockViolation>),
}

/// Runs a node on `listener` until `shutdown` is cancelled; when it returns, everything is on disk.
///
/// # Errors
/// See [`NodeError`]. It is no error if the tracker or peers cannot be reached.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> Result<(), NodeError> {
    let Settings { config, data, peers, clock_offset_ms, metrics } = settings;
    let config::NodeConfig { host, advertise, threads, .. } = &config.node;
    if config.network.layer.has_programs() && !cfg!(feature = "programs") {
        return Err(NodeError::NoMachine(config.network.name));
    }
    if !(1..=MAX_THREADS).contains(threads) {
        return Err(MinerError::Threads { got: *threads }.into());
    }
    let token = match &config.node.token {
        Some(token) => token.expose().to_owned(),
        None => data.token()?,
    };
    let mempool = config.node.mempool.as_ref().map(|mempool| parse_address("--mempool", mempool)).transpose()?;
    let verifier: Arc<dyn Verifier> = Arc::new(CachingVerifier::new(REMEMBERED_SIGNATURES));
    let rules = Arc::new(Rules::with_engine(config.network.clone(), verifier.clone(), engine()));
    let clock = Clock::new(clock_offset_ms);
    let bound = listener.local_addr().map_err(ChainServiceError::from)?;
    let own = OwnAddress::new(host, advertise.as_deref(), bound)?;
    let coinbase = Coinbase::new(&config.node, &rules, &data, &own.to_string())?;
    let service = ChainService::start(ChainSettings {
        role: Role::Node,
        rules,
        data: &data,
        clock,
        own,
        tracker: &config.node.tracker,
        peers,
        max_peers: config.node.max_peers,
        poll_ms: config.node.poll_ms,
        shutdown: shutdown.clone(),
    })
    .await?;
    if let Some(miner) = coinbase.miner {
        tracing::info!(%miner, "blocks that are mined here pay this address");
    }

    let Registration { known_as, mempools } = service.register(shutdown.clone())?;
    let mempools = if config.network.layer.has_money() {
        let settings = PullSettings {
            named: mempool.map_or(mempools, |mempool| watch::channel(vec![mempool]).1),
            follower: service.follower.clone(),
            is_regular: config.node.mine,
            room: coinbase.room_for_transactions(service.follower.rules()),
            verifier,
        };
        Mempools::start(service.client()?, &config.network, settings, shutdown.clone())
    } else {
        Mempools::none()
    };
    let chain = (service.follower.clone(), service.health.clone());
    let mining = Mining::start(&config.node, chain, clock, coinbase, mempools, shutdown.clone())?;
    let kit = server::Settings {
        token: Some(token),
        metrics,
        explorer: config.explorer.address(),
        ..server::Settings::new(&config.http, host, advertise.as_deref())
    };
    let source_percent = config.http.max_source_percent;
    let (follower, health) = (service.follower.clone(), service.health.clone());
    let state = NodeState::new(follower, health, mining.clone(), clock, known_as, source_percent);
    let served = service.serve(listener, Arc::new(state), router::router(), kit, shutdown).await;
    mining.join().await;
    service.stop().await;
    Ok(served?)
}

/// The machine that runs programs. A build without it refuses networks that have programs.
fn engine() -> Arc<dyn Engine> {
    #[cfg(feature = "programs")]
    return Arc::new(engine::RevmEngine::default());
    #[cfg(not(feature = "programs"))]
    Arc::new(shared::program::NoEngine)
}
