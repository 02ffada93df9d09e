//! Drives `shared::sync` over HTTP: what every service does that follows the chain.
//!
//! The chain and its syncer live on one thread, the only writer, and take their inputs from a bounded queue
//! (`writer`); requests to peers are carried out on tokio and come back as inputs (`courier`). Readers use snapshots
//! and never wait for the writer. No rule is decided here.

mod courier;
mod writer;

use crate::client::{Client, Error as ClientError};
use crate::clock::Clock;
use shared::block::{Block, BlockHash};
use shared::chain::{Accepted, BlockError, BranchTip, Chain, ChainEntry, ChainView, Rules, SideLimits};
use shared::store::{Store, StoreError};
use shared::sync::{PeerAddress, PeerSource, SyncSettings, Syncer};
use shared::wire::{BlockSource, NodeEvent, PeerInfo, PeersUpdate, SyncReport};
use shared::work::Difficulty;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::{broadcast, oneshot, watch};
use writer::{Input, Writer};

/// Inputs that may wait for the chain's thread.
const QUEUE: usize = 1024;
/// Events that a slow listener may fall behind.
const EVENTS: usize = 1024;

/// What a follower needs to start.
pub struct FollowerSettings {
    /// The rules of the network.
    pub rules: Arc<Rules>,
    /// Bounds on what is kept beside the best chain.
    pub side_limits: SideLimits,
    /// Peers and polling.
    pub sync: SyncSettings,
    /// The clock that timestamps are judged by.
    pub clock: Clock,
    /// Decides what is left to chance.
    pub seed: u64,
}

/// What is known of the chain at a moment; published whenever it changes.
#[derive(Debug, Clone)]
pub struct Status {
    /// The best chain's last block; durable.
    pub tip: ChainEntry,
    /// The difficulty that the next block must have.
    pub next_difficulty: Difficulty,
    /// Whether a better chain is being fetched: mining on this one would be a waste.
    pub is_syncing: bool,
    /// How often the best chain has changed to another branch: blocks by height are the same as long as this is.
    pub reorganisations: u64,
    /// The ends of all branches.
    pub tips: Arc<[BranchTip]>,
    /// All peers, as `GET /peers` lists them.
    pub peers: Arc<[PeerInfo]>,
    /// How many of them answer and are of our network.
    pub connected: usize,
}

/// Why the chain did not answer.
#[derive(Debug, thiserror::Error)]
pub enum FollowerError {
    /// More waits for the chain than may wait.
    #[error("too much waits for the chain already, try again")]
    Busy,
    /// The service is shutting down.
    #[error("the service is shutting down")]
    Stopped,
    /// What was asked cannot be done.
    #[error("{0}")]
    Invalid(String),
    /// The chain's store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client for peers could not be made.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] ClientError),
    /// The operating system refused a thread.
    #[error("cannot start the chain's thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// A chain that keeps in step with its peers; cheap to clone.
#[derive(Clone)]
pub struct Follower {
    inputs: SyncSender<Input>,
    view: ChainView,
    rules: Arc<Rules>,
    network: BlockHash,
    status: watch::Receiver<Arc<Status>>,
    events: broadcast::Sender<Arc<NodeEvent>>,
}

/// The chain's thread; joining it waits until everything is flushed.
pub struct FollowerThread(JoinHandle<()>);

impl Follower {
    /// Opens the chain in `store` and starts to follow. Must be called on a tokio runtime, which then carries the
    /// requests.
    ///
    /// # Errors
    /// If the store cannot be opened, or a client or thread cannot be had.
    pub fn start(settings: FollowerSettings, store: Arc<dyn Store>) -> Result<(Self, FollowerThread), FollowerError> {
        let FollowerSettings { rules, side_limits, sync, clock, seed } = settings;
        let chain = Chain::open(rules.clone(), store, side_limits)?;
        let own = sync.own_address.clone();
        let client = Client::new(Some(rules.params().network_id()), own.as_ref().map(PeerAddress::as_str))?;
        let (inputs, queue) = sync_channel(QUEUE);
        let (events, _) = broadcast::channel(EVENTS);
        let courier = courier::Courier::new(client, inputs.clone(), rules.clone());
        let syncer = Syncer::new(sync, seed);
        let view = chain.view();
        let (writer, status) = Writer::new(chain, syncer, clock, courier, events.clone());
        let thread = std::thread::Builder::new().name("chain".to_owned()).spawn(move || writer.run(&queue))?;
        Ok((Self { inputs, view, network: rules.params().network_id(), rules, status, events }, FollowerThread(thread)))
    }

    /// Readers' door to the chain.
    pub fn view(&self) -> &ChainView {
        &self.view
    }

    /// The rules of the network.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// The genesis hash.
    pub fn network_id(&self) -> BlockHash {
        self.network
    }

    /// The chain as it is now.
    pub fn status(&self) -> Arc<Status> {
        self.status.borrow().clone()
    }

    /// For waiting until the chain changes.
    pub fn watch(&self) -> watch::Receiver<Arc<Status>> {
        self.status.clone()
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<NodeEvent>> {
        self.events.subscribe()
    }

    /// Tells listeners of something that happened outside of the chain.
    pub fn tell(&self, event: NodeEvent) {
        // Nobody listening is fine.
        let _ = self.events.send(Arc::new(event));
    }

    /// Judges a block that was mined here or pushed by `from`.
    ///
    /// # Errors
    /// The outer: it could not be asked. The inner: the chain's refusal.
    pub async fn submit(
        &self,
        block: Block,
        source: BlockSource,
        from: Option<PeerAddress>,
    ) -> Result<Result<Accepted, BlockError>, FollowerError> {
        self.ask(|reply| Input::Block { block, source, from, reply }).await
    }

    /// Changes whom to talk to.
    ///
    /// # Errors
    /// [`FollowerError::Invalid`] if an address is none.
    pub async fn update_peers(&self, update: PeersUpdate) -> Result<(), FollowerError> {
        self.ask(|reply| Input::Peers { update, reply }).await?.map_err(FollowerError::Invalid)
    }

    /// Asks every peer now, and answers when nothing better is left to fetch.
    ///
    /// # Errors
    /// If it could not be asked.
    pub async fn sync_now(&self) -> Result<SyncReport, FollowerError> {
        self.ask(|reply| Input::SyncNow { reply }).await
    }

    /// Offers addresses to talk to; whoever is not there or of another network is found out.
    pub fn offer_peers(&self, addresses: Vec<PeerAddress>, learnt: PeerSource) {
        // An offer that finds the queue full will be made again.
        let _ = self.inputs.try_send(Input::Offer { addresses, learnt });
    }

    /// Tells what others reach this service at, where that was learnt late.
    pub fn set_own_address(&self, own: PeerAddress) {
        let _ = self.inputs.try_send(Input::Own(own));
    }

    /// Whether an address was cut off on purpose.
    pub fn is_blocked(&self, address: &str) -> bool {
        let blocked = |peer: &PeerInfo| peer.address == address && peer.error.as_deref() == Some("blocked");
        self.status.borrow().peers.iter().any(blocked)
    }

    /// Waits until the chain's thread has ended, whoever or whatever ended it.
    pub async fn ended(&self) {
        let mut status = self.status.clone();
        while status.changed().await.is_ok() {}
    }

    /// Ends the chain's thread once what waits for it is done; the [`FollowerThread`] tells when.
    pub fn stop(&self) {
        let inputs = self.inputs.clone();
        tokio::task::spawn_blocking(move || {
            // A thread that has ended already needs no telling.
            let _ = inputs.send(Input::Stop);
        });
    }

    async fn ask<T>(&self, input: impl FnOnce(oneshot::Sender<T>) -> Input) -> Result<T, FollowerError> {
        let (reply, answer) = oneshot::channel();
        self.inputs.try_send(input(reply)).map_err(|error| match error {
            TrySendError::Full(_) => FollowerError::Busy,
            TrySendError::Disconnected(_) => FollowerError::Stopped,
        })?;
        answer.await.map_err(|_| FollowerError::Stopped)
    }
}

impl FollowerThread {
    /// Waits until the thread has flushed and ended.
    pub async fn join(self) {
        let joined = tokio::task::spawn_blocking(move || self.0.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the chain's thread panicked; what was durable stays so");
        }
    }
}

/// A block's hash for logs.
fn short(hash: &BlockHash) -> String {
    hash.short()
}
