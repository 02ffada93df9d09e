//! A mempool: accepts transactions, keeps them until they are in a block, and serves balances, histories and
//! confirmations (docs/protocol.md §11).
//!
//! This crate only connects parts: `shared` decides which transactions are valid and which stay in the pool; `runtime`
//! has disk, HTTP and following the chain.

mod admission;
mod chain_delta;
mod chain_lookups;
mod following;
mod list_cache;
mod machine;
mod past_state;
mod pool_events;
mod pool_state;
mod pool_writer;
mod program_events;
mod rate_limit;
mod reported_rivals;
mod router;
mod routes;
mod state;
mod store;
mod trace_page;

use admission::Admissions;
use machine::ProgramMachine;
use metrics_exporter_prometheus::PrometheusHandle;
use pool_state::PoolState;
use pool_writer::PoolWriter;
use rate_limit::RateLimit;
use runtime::chain_service::{ChainService, ChainServiceError, ChainSettings};
use runtime::clock::Clock;
use runtime::data_dir::DataDir;
use runtime::follower::Follower;
use runtime::own_address::{InvalidAddress, OwnAddress};
use runtime::registration::Registration;
use runtime::server::{self, Identity};
use runtime::verifier::CachingVerifier;
use shared::chain::Rules;
use shared::config::{self, Config};
use shared::ledger::Amount;
use shared::params::Params;
use shared::pool::{CoinPolicy, PoolLimits, Weights};
use shared::program::Engine;
use shared::store::StoreError;
use shared::sync::PeerAddress;
use shared::wire::Role;
use state::MempoolState;
use std::sync::Arc;
use store::{PoolStore, Stored};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The name of the pool's file in the data folder.
const POOL_FILE: &str = "pool.redb";
/// Valid signatures that the verifier caches, since nearly all transactions of a block were pushed before.
const CACHED_SIGNATURES: usize = 200_000;
/// Bytes of a bundle with a short message, besides its transactions.
const BUNDLE_BYTES: u64 = 200;

/// What a mempool needs to run.
#[derive(Debug)]
pub struct Settings {
    /// Sections `[network]`, `[mempool]` and `[http]`. The port in it is not used: the listener is bound already.
    pub config: Config,
    /// Holds the chain and the pool, and a lock on both.
    pub data: DataDir,
    /// Nodes to follow besides those that the tracker lists.
    pub peers: Vec<PeerAddress>,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

/// Why a mempool could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum MempoolError {
    #[error(
        "network {0:?} is of layer data, which has no transactions; a mempool needs layer transaction, utxo or program"
    )]
    NoTransactions(String),
    #[error("network {0:?} is of layer program, and this build has no machine that runs programs")]
    NoMachine(String),
    #[error(transparent)]
    Service(#[from] ChainServiceError),
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error("cannot open the pool: {0}")]
    Store(#[from] StoreError),
    #[error("cannot start the threads that check transactions: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The pool's thread panicked: what was durable stays so, but nothing more can be written.
    #[error("the pool's thread ended unexpectedly; restart the mempool, and please report the log above")]
    PoolEnded,
}

/// Runs a mempool on `listener` until `shutdown` is cancelled; when it returns, everything is on disk.
///
/// # Errors
/// See [`MempoolError`]. It is no error if the tracker or nodes cannot be reached.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> Result<(), MempoolError> {
    let Settings { config, data, peers, metrics } = settings;
    let config::MempoolConfig { host, advertise, tracker, .. } = &config.mempool;
    if !config.network.layer.has_money() {
        return Err(MempoolError::NoTransactions(config.network.name));
    }
    if config.network.layer.has_programs() && !cfg!(feature = "programs") {
        return Err(MempoolError::NoMachine(config.network.name));
    }
    let clock = Clock::new(0);
    let verifier = Arc::new(CachingVerifier::new(CACHED_SIGNATURES));
    let engine = engine();
    let rules = Rules::with_engine(config.network.clone(), verifier.clone(), engine.clone()).keeping_history();
    let rules = Arc::new(rules);
    let bound = listener.local_addr().map_err(ChainServiceError::from)?;
    let service = ChainService::start(ChainSettings {
        role: Role::Mempool,
        rules: rules.clone(),
        data: &data,
        clock,
        own: OwnAddress::new(host, advertise.as_deref(), bound)?,
        tracker,
        peers,
        max_peers: config.mempool.max_peers,
        poll_ms: config.mempool.poll_ms,
        shutdown: shutdown.clone(),
    })
    .await?;
    let follower = &service.follower;
    let run = getrandom::u64().map_err(ChainServiceError::Random)?;
    let pool_file = Arc::new(data.open_store(POOL_FILE).await?);
    service.health.add_store(pool_file.clone());
    let (pool_store, stored) = PoolStore::open(pool_file, &Weights::of(&config.network))?;
    let pool_state = Arc::new(open_pool(&config, stored, follower, clock)?);
    pool_state.report_to(follower.clone());
    tracing::info!(pending = pool_state.pool(|pool| pool.len()), "the pool is open");

    let pool_writer =
        PoolWriter::start(pool_state.clone(), pool_store, shutdown.clone()).map_err(ChainServiceError::from)?;
    let following = tokio::spawn(following::follow(pool_state.clone(), follower.clone(), clock, shutdown.clone()));
    let Registration { known_as, .. } = service.register(shutdown.clone())?;
    let explorer = config.explorer.address();
    let kit = server::Settings { metrics, explorer, ..server::Settings::new(&config.http, host, advertise.as_deref()) };
    let rate_limit = RateLimit::new(config.mempool.pushes_per_second, config.mempool.push_burst);
    let admissions = Admissions::new(pool_state.clone(), verifier, rules, clock, rate_limit)?;
    let identity = Identity::new("mempool", &config.network, known_as, clock.time());
    let state = MempoolState::new(
        pool_state.clone(),
        follower.clone(),
        service.health.clone(),
        admissions,
        identity,
        run,
        ProgramMachine::new(engine),
    );
    let served = service.serve(listener, Arc::new(state), router::router(), kit, shutdown).await;
    if following.await.is_err() {
        tracing::error!("the task that follows the chain panicked");
    }
    pool_state.stop();
    let is_all_written = pool_writer.join().await;
    pool_state.drop_snapshot();
    service.stop().await;
    if is_all_written { Ok(served?) } else { Err(MempoolError::PoolEnded) }
}

/// The stored pool, moved to the tip of the chain.
fn open_pool(config: &Config, stored: Stored, follower: &Follower, clock: Clock) -> Result<PoolState, StoreError> {
    let state = follower.view().snapshot()?;
    let pool_state = PoolState::open(config.network.clone(), pool_limits(config), stored, &state)?;
    following::catch_up(&pool_state, follower.view(), clock.time().as_ms())?;
    Ok(pool_state)
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
        coins: CoinPolicy { replacement: mempool.replacement, dust: mempool.dust },
    }
}

/// The machine that runs programs. A build without it refuses networks that have programs.
fn engine() -> Arc<dyn Engine> {
    #[cfg(feature = "programs")]
    return Arc::new(engine::RevmEngine::default());
    #[cfg(not(feature = "programs"))]
    Arc::new(shared::program::NoEngine)
}

/// The least fee on networks with a faucet, where money costs nothing: without a fee, one could flood the pool for
/// free.
fn min_fee(network: &Params, least: Amount) -> Amount {
    if network.new_address_balance == 0 { Amount::ZERO } else { least }
}
