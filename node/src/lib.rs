//! A node: follows the chain, serves it, and mines (docs/protocol.md §10).
//!
//! Only what puts the parts together is here: the chain and its rules are `shared`'s, disk, HTTP and threads are
//! `runtime`'s. A file in this crate that decides a rule is in the wrong room.

mod cache;
mod coinbase;
mod mempools;
mod mining;
mod offers;
mod openapi;
mod routes;
mod sender;
mod service;
mod template;

use coinbase::Coinbase;
use mempools::{Mempools, Pulling};
use metrics_exporter_prometheus::PrometheusHandle;
use mining::Mining;
use runtime::client::{Client, Error as ClientError};
use runtime::clock::Clock;
use runtime::data_dir::{DataDir, DataDirError};
use runtime::follower::{Follower, FollowerError, FollowerSettings};
use runtime::miner::{MAX_THREADS, MinerError};
use runtime::own_address::{NotAnAddress, OwnAddress, address};
use runtime::registration::{self, Registration};
use runtime::server::{self, Limits};
use runtime::verifier::CachingVerifier;
use service::NodeService;
use shared::chain::{BlockViolation, Rules, SideLimits};
use shared::config::Config;
use shared::keys::Verifier;
use shared::ledger::BadAddress;
use shared::store::StoreError;
use shared::sync::{PeerAddress, PeerSource, SyncSettings};
use shared::wire::Role;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The name of the chain's file in the data directory.
const CHAIN_FILE: &str = "chain.redb";
/// Signatures that are remembered: all that can be candidates at a time, in about 10 MiB.
const VERIFIED: usize = 50_000;

/// What a node needs to run.
#[derive(Debug)]
pub struct Settings {
    /// Sections `[network]`, `[node]` and `[http]`. The listener is bound already.
    pub config: Config,
    /// The folder that holds the chain, the token and the key; locked as long as it is held.
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
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    /// Whom to mine to.
    #[error("--miner {text:?} is no address: {source}")]
    BadMiner {
        /// What it says.
        text: String,
        /// What is wrong with it.
        source: BadAddress,
    },
    /// What the blocks that are mined here should say.
    #[error("every block of this node would be refused: {0}; change --message or --miner")]
    BadCoinbase(#[from] BlockViolation),
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
    let own = OwnAddress::new(&config.node.host, config.node.advertise.as_deref(), bound)?;
    let tracker = address("the tracker", &config.node.tracker)?;
    let token = match &config.node.token {
        Some(token) => token.expose().to_owned(),
        None => data.token()?,
    };
    let mempool = config.node.mempool.as_ref().map(|mempool| address("--mempool", mempool)).transpose()?;
    let verifier: Arc<dyn Verifier> = Arc::new(CachingVerifier::new(VERIFIED));
    let rules = Arc::new(Rules::with_verifier(config.network.clone(), verifier.clone()));
    let network = rules.params().network_id();
    let coinbase = Coinbase::new(&config.node, &rules, &data, &own.to_string())?;
    let store = Arc::new(data.open_store(CHAIN_FILE).await?);
    let follower_settings = FollowerSettings {
        rules,
        side_limits: SideLimits::default(),
        sync: SyncSettings {
            own_address: own.known.clone(),
            max_peers: config.node.max_peers,
            poll_ms: config.node.poll_ms,
        },
        clock,
        seed: getrandom::u64().map_err(NodeError::Random)?,
    };
    let (follower, thread) = Follower::start(follower_settings, store)?;
    follower.offer_peers(peers, PeerSource::Manual);
    tracing::info!(
        address = %bound,
        network = %network,
        name = config.network.name,
        height = follower.status().tip.index.0,
        "node listens"
    );

    if let Some(miner) = coinbase.miner {
        tracing::info!(%miner, "what is mined here is paid to this address");
    }

    let client = Client::new(Some(network), own.known.as_ref().map(PeerAddress::as_str))?;
    let Registration { known_as, mempools } =
        registration::start(tracker, Role::Node, own, follower.clone(), shutdown.clone())?;
    let pulling = Pulling {
        named: mempool.map_or(mempools, |mempool| watch::channel(vec![mempool]).1),
        follower: follower.clone(),
        is_regular: config.node.mine,
        room: coinbase.room(follower.rules()),
        verifier,
    };
    let mempools = if config.network.layer.has_money() {
        Mempools::start(client, &config.network, pulling, shutdown.clone())
    } else {
        Mempools::none()
    };
    let mining = Mining::start(&config.node, follower.clone(), clock, coinbase, mempools, shutdown.clone())?;
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
