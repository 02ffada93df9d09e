//! A mempool: takes transactions, keeps them until they are in a block, and answers for balances and confirmations
//! (docs/protocol.md §11).
//!
//! Only what puts the parts together is here: what is a good transaction and which of them stay in the pool is `shared`'s,
//! disk, HTTP and following the chain are `runtime`'s.

mod admission;
mod committer;
mod desk;
mod following;
mod openapi;
mod passage;
mod routes;
mod service;
mod sources;
mod store;

use admission::Admissions;
use committer::Committer;
use desk::Desk;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::client::Error as ClientError;
use runtime::clock::Clock;
use runtime::data_dir::DataDir;
use runtime::follower::{Follower, FollowerError, FollowerSettings};
use runtime::own_address::{NotAnAddress, OwnAddress, address};
use runtime::registration::{self, Registration};
use runtime::server::{self, Limits};
use runtime::verifier::CachingVerifier;
use service::MempoolService;
use shared::chain::{Rules, SideLimits};
use shared::config::Config;
use shared::ledger::Amount;
use shared::params::Params;
use shared::pool::PoolLimits;
use shared::store::StoreError;
use shared::sync::{PeerAddress, PeerSource, SyncSettings};
use shared::wire::Role;
use sources::Sources;
use std::sync::Arc;
use store::PoolStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The name of the chain's file in the data directory.
const CHAIN_FILE: &str = "chain.redb";
/// The name of the pool's file.
const POOL_FILE: &str = "pool.redb";
/// Signatures that were right, remembered: a block's transactions have nearly all been pushed before.
const REMEMBERED_SIGNATURES: usize = 200_000;
/// What a bundle with a short message takes besides its transactions, in bytes.
const BUNDLE_BYTES: u64 = 200;

/// What a mempool needs to run.
#[derive(Debug)]
pub struct Settings {
    /// Sections `[network]`, `[mempool]` and `[http]`. The listener is bound already.
    pub config: Config,
    /// The folder that holds the chain and the pool; locked as long as it is held.
    pub data: DataDir,
    /// Nodes to follow besides those that the tracker names.
    pub peers: Vec<PeerAddress>,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

/// Why a mempool could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum MempoolError {
    /// The network has no transactions.
    #[error("network {0:?} is of layer data, which has no transactions to take; a mempool needs layer transaction")]
    NoTransactions(String),
    /// The listener has no address, serving failed, or a thread could not be had.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
    /// The chain's file or the pool's.
    #[error("cannot open the chain or the pool: {0}")]
    Store(#[from] StoreError),
    /// The chain's thread.
    #[error(transparent)]
    Follower(#[from] FollowerError),
    /// The chain's thread panicked: what was durable stays so, but nothing can be written any more.
    #[error("the chain's thread ended by itself; start the mempool again, and please report what the log says above")]
    ChainEnded,
    /// The pool's thread panicked: what was durable stays so, but nothing can be written any more.
    #[error("the pool's thread ended by itself; start the mempool again, and please report what the log says above")]
    PoolEnded,
    /// The HTTP client.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] ClientError),
    /// An address that was configured.
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    /// No random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Runs a mempool on `listener` until `shutdown` is cancelled; when it returns, everything is on disk.
///
/// # Errors
/// See [`MempoolError`]. A tracker or nodes that are not there are no error.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> Result<(), MempoolError> {
    let Settings { config, data, peers, metrics } = settings;
    if !config.network.layer.has_money() {
        return Err(MempoolError::NoTransactions(config.network.name));
    }
    let bound = listener.local_addr()?;
    let clock = Clock::new(0);
    let own = OwnAddress::new(&config.mempool.host, config.mempool.advertise.as_deref(), bound)?;
    let tracker = address("the tracker", &config.mempool.tracker)?;
    let verifier = Arc::new(CachingVerifier::new(REMEMBERED_SIGNATURES));
    let rules = Arc::new(Rules::with_verifier(config.network.clone(), verifier.clone()).keeping_history());
    let network = rules.params().network_id();
    let random = || getrandom::u64().map_err(MempoolError::Random);

    let chain_file = Arc::new(data.open_store(CHAIN_FILE).await?);
    let pool_store = PoolStore::new(Arc::new(data.open_store(POOL_FILE).await?));
    let follower_settings = FollowerSettings {
        rules,
        side_limits: SideLimits::default(),
        // Without an address of its own no node pushes blocks to it: it has nothing to answer them with.
        sync: SyncSettings { own_address: None, max_peers: config.mempool.max_peers, poll_ms: config.mempool.poll_ms },
        clock,
        seed: random()?,
    };
    let (follower, thread) = Follower::start(follower_settings, chain_file)?;
    follower.offer_peers(peers, PeerSource::Manual);
    let desk = open_desk(&config, &pool_store, &follower, clock)?;
    let desk = Arc::new(desk);
    tracing::info!(
        address = %bound,
        network = %network,
        name = config.network.name,
        height = follower.status().tip.index.0,
        pending = desk.pool(|pool| pool.len()),
        "mempool listens"
    );

    let committer = Committer::start(desk.clone(), pool_store, shutdown.clone())?;
    let following = tokio::spawn(following::follow(desk.clone(), follower.clone(), clock, shutdown.clone()));
    let Registration { known_as, .. } =
        registration::start(tracker, Role::Mempool, own, follower.clone(), shutdown.clone())?;
    let kit = server::Settings {
        hosts: config
            .http
            .hosts
            .iter()
            .chain([&config.mempool.host])
            .chain(&config.mempool.advertise)
            .cloned()
            .collect(),
        token: None,
        network: Some(network),
        metrics,
        limits: Limits::from(&config.http),
    };
    let sources = Sources::new(config.mempool.pushes_per_second, config.mempool.push_burst);
    let admissions = Admissions::new(desk.clone(), verifier, clock, sources);
    let service = MempoolService::new(desk.clone(), follower.clone(), admissions, known_as, clock.time(), random()?);
    let served = tokio::select! {
        served = server::serve(listener, Arc::new(service), kit, shutdown.clone()) => served.map_err(MempoolError::from),
        () = follower.ended() => Err(MempoolError::ChainEnded),
    };
    // However serving ended, the rest ends too, and all is on disk.
    shutdown.cancel();
    if following.await.is_err() {
        tracing::error!("following the chain panicked");
    }
    desk.end();
    let is_all_written = committer.join().await;
    desk.let_go();
    follower.stop();
    thread.join().await;
    if is_all_written { served } else { Err(MempoolError::PoolEnded) }
}

/// The pool as it was left, moved to where the chain is now.
fn open_desk(config: &Config, store: &PoolStore, follower: &Follower, clock: Clock) -> Result<Desk, MempoolError> {
    let state = follower.view().snapshot()?;
    let desk = Desk::open(config.network.clone(), pool_limits(config), store, &state)?;
    following::catch_up(&desk, follower.view(), clock.time().as_ms())?;
    Ok(desk)
}

fn pool_limits(config: &Config) -> PoolLimits {
    let Config { mempool, network, .. } = config;
    PoolLimits {
        max_count: mempool.max_count,
        max_bytes: mempool.max_bytes,
        max_per_sender: mempool.max_per_sender,
        max_transaction_bytes: usize::try_from(network.max_data_bytes - BUNDLE_BYTES).unwrap_or(usize::MAX),
        max_age_ms: mempool.max_age_seconds.saturating_mul(1000),
        min_fee: min_fee(network, mempool.min_fee),
    }
}

/// A fee is demanded where money costs nothing: there an address alone is worth a flood.
fn min_fee(network: &Params, least: Amount) -> Amount {
    if network.new_address_balance == 0 { Amount::ZERO } else { least }
}
