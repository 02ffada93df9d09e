//! Drives `shared::sync` over HTTP, for every service that follows the chain.
//!
//! The chain and its syncer live on one thread, the only writer, and take their commands from a bounded queue
//! (`writer`). Requests to peers run on tokio, and their results come back as commands (`peer_client`). Readers use
//! snapshots and never wait for the writer. No rule is decided here.

mod command;
mod peer_client;
mod writer;

use crate::client::{Client, Error as ClientError};
use crate::clock::Clock;
use crate::dns::TrustedHosts;
use command::Command;
use shared::block::{Block, BlockHash};
use shared::chain::{Accepted, BlockError, BranchTip, Chain, ChainEntry, ChainView, Rules, SideLimits};
use shared::store::{Store, StoreError};
use shared::sync::{PeerAddress, PeerSource, SyncSettings, Syncer};
use shared::wire::{BlockSource, NodeEvent, PeerInfo, PeersUpdate, SyncReport};
use shared::work::Difficulty;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::{broadcast, oneshot, watch};
use writer::Writer;

/// Most commands in the queue of the chain's thread.
const QUEUE: usize = 1024;
/// Events that a slow subscriber may fall behind.
const EVENTS: usize = 1024;

/// What a [`Follower`] needs to start.
pub struct FollowerSettings {
    /// The rules of the network.
    pub rules: Arc<Rules>,
    /// Bounds on stored side branches.
    pub side_limits: SideLimits,
    /// Peers and polling.
    pub sync: SyncSettings,
    /// The clock that timestamps are judged by.
    pub clock: Clock,
    /// Seeds the syncer's random choices.
    pub seed: u64,
    /// What the chain is stored in, for logs.
    pub file: String,
}

/// The state of the chain and its peers, published at each change.
#[derive(Debug, Clone)]
pub struct Status {
    /// The best chain's last block, which is durable.
    pub tip: ChainEntry,
    /// The difficulty that the next block must have.
    pub next_difficulty: Difficulty,
    /// Whether blocks of a better branch are arriving, so that a miner should pause: for a tenth of the block interval
    /// after each such block. A mere claim of a better chain stops no miner.
    pub is_syncing: bool,
    /// Changes to another branch since the start. While it is the same, so is the block at each height.
    pub reorganisations: u64,
    /// The tips of all branches.
    pub tips: Arc<[BranchTip]>,
    /// All peers, as `GET /peers` lists them.
    pub peers: Arc<[PeerInfo]>,
    /// How many peers answer and are on our network.
    pub connected: usize,
    /// IP addresses of blocked peers that no other peer shares.
    pub blocked_ips: Arc<[IpAddr]>,
}

/// Why a request to the chain's thread failed.
#[derive(Debug, thiserror::Error)]
pub enum FollowerError {
    /// The queue of the chain's thread is full.
    #[error("too many requests wait for the chain already, try again")]
    Busy,
    /// The service is shutting down.
    #[error("the service is shutting down")]
    Stopped,
    /// The request is invalid.
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

/// A handle to a chain that follows its peers; cheap to clone.
#[derive(Clone)]
pub struct Follower {
    commands: SyncSender<Command>,
    view: ChainView,
    rules: Arc<Rules>,
    network: BlockHash,
    status: watch::Receiver<Arc<Status>>,
    events: broadcast::Sender<Arc<NodeEvent>>,
    /// Hosts that were not named by peers.
    trusted: TrustedHosts,
}

/// The chain's thread, which flushes the chain before it ends.
pub struct FollowerThread(JoinHandle<()>);

impl Follower {
    /// Opens the chain in `store` and starts to follow. Must be called on a tokio runtime, on which the requests to
    /// peers then run.
    ///
    /// # Errors
    /// If the store cannot be opened, or a client or thread cannot be made.
    pub fn start(settings: FollowerSettings, store: Arc<dyn Store>) -> Result<(Self, FollowerThread), FollowerError> {
        let FollowerSettings { rules, side_limits, sync, clock, seed, file } = settings;
        let chain = Chain::open(rules.clone(), store, side_limits)?;
        let own = sync.own_address.clone();
        let (trusted, network) = (TrustedHosts::default(), Some(rules.params().network_id()));
        let client = Client::for_peers(network, own.as_ref().map(PeerAddress::as_str), trusted.clone())?;
        let (commands, queue) = sync_channel(QUEUE);
        let (events, _) = broadcast::channel(EVENTS);
        let peer_client = peer_client::PeerClient::new(client, trusted.clone(), commands.clone(), rules.clone());
        let syncer = Syncer::new(sync, seed);
        let view = chain.view();
        let (writer, status) = Writer::new(chain, syncer, clock, peer_client, events.clone(), file);
        let thread = std::thread::Builder::new().name("chain".to_owned()).spawn(move || writer.run(&queue))?;
        Ok((
            Self { commands, view, network: rules.params().network_id(), rules, status, events, trusted },
            FollowerThread(thread),
        ))
    }

    /// Snapshots of the chain, for readers.
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

    /// The current status.
    pub fn status(&self) -> Arc<Status> {
        self.status.borrow().clone()
    }

    /// A receiver that wakes at each change of the status.
    pub fn watch(&self) -> watch::Receiver<Arc<Status>> {
        self.status.clone()
    }

    /// All events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<NodeEvent>> {
        self.events.subscribe()
    }

    /// Sends subscribers an event that did not come from the chain's thread.
    pub fn send_event(&self, event: NodeEvent) {
        // Without subscribers, sending fails, which does not matter.
        let _ = self.events.send(Arc::new(event));
    }

    /// Submits a block that was mined here, or pushed by a caller that names itself `from`.
    ///
    /// # Errors
    /// The outer: the chain's thread could not be asked. The inner: the chain's refusal.
    pub async fn submit(
        &self,
        block: Block,
        source: BlockSource,
        from: Option<PeerAddress>,
    ) -> Result<Result<Accepted, BlockError>, FollowerError> {
        self.request(|reply| Command::Block { block, source, from, reply }).await
    }

    /// Adds, removes, blocks or unblocks peers.
    ///
    /// # Errors
    /// [`FollowerError::Invalid`] if an address is malformed.
    pub async fn update_peers(&self, update: PeersUpdate) -> Result<(), FollowerError> {
        self.trusted.add(&update.add.iter().filter_map(|text| PeerAddress::new(text)).collect::<Vec<_>>());
        self.request(|reply| Command::Peers { update, reply }).await?.map_err(FollowerError::Invalid)
    }

    /// Asks every peer now, and returns when no better chain is left to fetch, at most after 25 s.
    ///
    /// # Errors
    /// If the chain's thread could not be asked.
    pub async fn sync_now(&self) -> Result<SyncReport, FollowerError> {
        self.request(|reply| Command::SyncNow { reply }).await?.ok_or(FollowerError::Busy)
    }

    /// A caller that names itself `from` has news: the syncer polls the peer of that name.
    pub fn hint(&self, from: PeerAddress) {
        // If the queue is full, the regular poll finds the news.
        let _ = self.commands.try_send(Command::Hint(from));
    }

    /// Offers addresses of peers; the syncer finds out which of them answer and are on our network.
    pub fn offer_peers(&self, addresses: Vec<PeerAddress>, learnt: PeerSource) {
        if learnt != PeerSource::Peers {
            self.trusted.add(&addresses);
        }
        // If the queue is full, the next registration repeats the offer.
        let _ = self.commands.try_send(Command::Offer { addresses, learnt });
    }

    /// Sets the service's own address, if it became known only after the start.
    pub fn set_own_address(&self, own: PeerAddress) {
        let _ = self.commands.try_send(Command::Own(own));
    }

    /// Whether an address was blocked by `POST /peers`.
    pub fn is_blocked(&self, address: &str) -> bool {
        let blocked = |peer: &PeerInfo| peer.address == address && peer.error.as_deref() == Some("blocked");
        self.status.borrow().peers.iter().any(blocked)
    }

    /// Whether `ip` is the address of a blocked peer, and of no other peer.
    pub fn is_blocked_ip(&self, ip: IpAddr) -> bool {
        self.status.borrow().blocked_ips.contains(&ip.to_canonical())
    }

    /// Whether there is a peer at an address that can be called, as far as is known.
    pub fn may_call(&self, address: &PeerAddress) -> bool {
        let callable = |peer: &PeerInfo| peer.address == address.as_str() && peer.may_answer();
        self.status.borrow().peers.iter().any(callable)
    }

    /// Waits until the chain's thread has ended, for whatever reason.
    pub async fn ended(&self) {
        let mut status = self.status.clone();
        while status.changed().await.is_ok() {}
    }

    /// Has a damaged block fetched again, if `error` names one; anything else changes nothing.
    pub fn report(&self, error: &StoreError) {
        if let StoreError::DamagedBlock { id, .. } = error {
            // If the queue is full, the next reader of the block reports it again.
            let _ = self.commands.try_send(Command::Damaged(*id));
        }
    }

    /// Has the chain written to disk: a disk that failed shows whether it works again.
    pub(crate) fn flush(&self) {
        // If the queue is full, blocks come, and storing those shows it as well.
        let _ = self.commands.try_send(Command::Flush);
    }

    /// Ends the chain's thread after the queued commands; [`FollowerThread::join`] waits for that.
    pub fn stop(&self) {
        let commands = self.commands.clone();
        tokio::task::spawn_blocking(move || {
            // Fails only if the thread has ended already.
            let _ = commands.send(Command::Stop);
        });
    }

    async fn request<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, FollowerError> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|error| match error {
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
            tracing::error!("the chain's thread panicked; durable blocks are not lost");
        }
    }
}

/// A block's hash for logs.
fn short(hash: &BlockHash) -> String {
    hash.short()
}
