//! What a node and a mempool start, serve and stop in the same way: the chain's thread, the registration at the
//! tracker, and HTTP that ends when the chain's thread does.
//!
//! Only the order of things is here; each thing is another module's.

use crate::client::{Client, Error as ClientError, role_name};
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::follower::{Follower, FollowerError, FollowerSettings, FollowerThread};
use crate::own_address::{InvalidAddress, OwnAddress, parse_address};
use crate::registration::{self, Registration};
use crate::server::{self, Router, Service};
use crate::service_health::ServiceHealth;
use shared::chain::{Rules, SideLimits};
use shared::params::Params;
use shared::store::StoreError;
use shared::sync::{PeerAddress, PeerSource, SyncSettings};
use shared::wire::Role;
use std::io;
use std::sync::{Arc, Once};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The name of the chain's file in the data folder.
const CHAIN_FILE: &str = "chain.redb";

/// What a service needs to follow the chain.
pub struct ChainSettings<'a> {
    /// What the tracker lists it as. Peers push blocks to nodes only.
    pub role: Role,
    /// The rules of the network.
    pub rules: Arc<Rules>,
    /// Holds the chain's file.
    pub data: &'a DataDir,
    /// The clock that timestamps are judged by.
    pub clock: Clock,
    /// The service's own address.
    pub own: OwnAddress,
    /// `host:port` of the tracker.
    pub tracker: &'a str,
    /// Peers that were named on the command line.
    pub peers: Vec<PeerAddress>,
    /// Most peers to keep up with.
    pub max_peers: usize,
    /// Milliseconds between two looks at each peer's tip.
    pub poll_ms: u64,
    /// Ends the looks at the service's health.
    pub shutdown: CancellationToken,
}

/// Why a service that follows the chain could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ChainServiceError {
    /// The listener has no address, a thread could not be had, or serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
    /// The chain's file cannot be opened.
    #[error("cannot open the chain: {0}")]
    Store(#[from] StoreError),
    /// The chain's file can be opened, but not used.
    #[error(
        "cannot use the chain in {file}: {source}; put the file back from a copy, or move it and {file}.used away, and \
         the next start fetches the chain from other nodes"
    )]
    UnusableChain {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: Box<StoreError>,
    },
    /// The chain's thread could not start.
    #[error(transparent)]
    Follower(#[from] FollowerError),
    /// The chain's thread panicked: what was durable stays so, but nothing more can be written.
    #[error("the chain's thread ended unexpectedly; restart the service, and please report the log above")]
    ChainEnded,
    /// The HTTP client.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] ClientError),
    /// A configured address.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// A service that follows the chain.
pub struct ChainService {
    /// The chain.
    pub follower: Follower,
    /// The service's own address.
    pub own: OwnAddress,
    /// What keeps the service from its work.
    pub health: ServiceHealth,
    role: Role,
    tracker: PeerAddress,
    thread: FollowerThread,
}

/// Whether the chain itself found the damage; the store names its file, and what to do, by itself.
fn is_damage(error: &StoreError, file: &str) -> bool {
    match error {
        StoreError::DamagedBlock { .. } => true,
        StoreError::Damaged(reason) => !reason.contains(file),
        StoreError::Failed(_) | StoreError::OtherNetwork { .. } => false,
    }
}

impl ChainService {
    /// Opens the chain and starts to follow the named peers. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// See [`ChainServiceError`].
    pub async fn start(settings: ChainSettings<'_>) -> Result<Self, ChainServiceError> {
        let ChainSettings { role, rules, data, clock, own, tracker, peers, .. } = settings;
        let tracker = parse_address("the tracker", tracker)?;
        let store = Arc::new(data.open_store(CHAIN_FILE).await?);
        let sync = SyncSettings {
            // Peers push blocks to a service whose address they know; a mempool has no blocks to give in return.
            own_address: own.known.clone().filter(|_| role == Role::Node),
            max_peers: settings.max_peers,
            poll_ms: rules.params().poll_ms(settings.poll_ms),
            ..SyncSettings::default()
        };
        warn_of_wide_future(rules.params());
        let (network, name) = (rules.params().network_id(), rules.params().name.clone());
        let seed = getrandom::u64().map_err(ChainServiceError::Random)?;
        let file = store.path().unwrap_or(data.path()).display().to_string();
        let follower_settings =
            FollowerSettings { rules, side_limits: SideLimits::default(), sync, clock, seed, file: file.clone() };
        let (follower, thread) = Follower::start(follower_settings, store.clone()).map_err(|error| match error {
            FollowerError::Store(source) if is_damage(&source, &file) => {
                ChainServiceError::UnusableChain { file, source: Box::new(source) }
            }
            error => error.into(),
        })?;
        let health = ServiceHealth::start(follower.clone(), clock, store, settings.shutdown);
        follower.offer_peers(peers, PeerSource::Manual);
        let height = follower.status().tip.index.0;
        tracing::info!(address = %own.bound, %network, name, height, "{} listens", role_name(role));
        Ok(Self { follower, own, health, role, tracker, thread })
    }

    /// A client whose requests name this service and its network.
    ///
    /// # Errors
    /// If none can be made.
    pub fn client(&self) -> Result<Client, ChainServiceError> {
        Ok(Client::new(Some(self.follower.network_id()), self.own.known.as_ref().map(PeerAddress::as_str))?)
    }

    /// Starts to register at the tracker, until `shutdown` is cancelled.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn register(&self, shutdown: CancellationToken) -> Result<Registration, ChainServiceError> {
        let (tracker, own, follower) = (self.tracker.clone(), self.own.clone(), self.follower.clone());
        Ok(registration::start(tracker, self.role, own, follower, shutdown)?)
    }

    /// Serves until `shutdown` is cancelled or the chain's thread ends; however it ends, `shutdown` is cancelled then.
    ///
    /// # Errors
    /// If serving fails, or the chain's thread ends first.
    pub async fn serve<S: Service>(
        &self,
        listener: TcpListener,
        state: Arc<S>,
        router: Router<S>,
        settings: server::Settings,
        shutdown: CancellationToken,
    ) -> Result<(), ChainServiceError> {
        let settings = server::Settings { network: Some(self.follower.network_id()), ..settings };
        let served = tokio::select! {
            served = server::serve(listener, state, router, settings, shutdown.clone()) => served.map_err(Into::into),
            () = self.follower.ended() => Err(ChainServiceError::ChainEnded),
        };
        shutdown.cancel();
        served
    }

    /// Ends the chain's thread; when this returns, the chain is on disk.
    pub async fn stop(self) {
        self.follower.stop();
        self.thread.join().await;
    }
}

/// Warns, once in a process, of parameters that are sound alone but not together.
fn warn_of_wide_future(params: &Params) {
    static WARNED: Once = Once::new();
    let Params { max_future_ms, block_interval_ms, .. } = *params;
    if params.is_future_too_wide() {
        WARNED.call_once(|| {
            tracing::warn!(
                max_future_ms,
                block_interval_ms,
                "miners who date their blocks ahead can slow this network down; for a new network, set max_future_ms \
                 in [network] to at most {} (3 intervals)",
                Params::sound_future_ms(block_interval_ms)
            );
        });
    }
}
