//! What the node's handlers share: the chain, mining, offered work, and who the node is.

use crate::block_cache::BlockCache;
use crate::mining::Mining;
use crate::push_guard::PushGuard;
use crate::work_offers::WorkOffers;
use http::Method;
use runtime::clock::Clock;
use runtime::dns::Resolver;
use runtime::follower::{Follower, FollowerError};
use runtime::server::{self, Identity, Places, Request, Service, StandsOn};
use runtime::service_health::{Obstacle, ServiceHealth};
use shared::chain::ChainReader;
use shared::store::StoreError;
use shared::sync::Announcements;
use shared::wire::{Info, Problem};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// Most answers of `/sync/blocks` at a time, each of up to 8 MiB.
const MAX_BLOCK_ANSWERS: usize = 32;
/// Most reads of the chain at a time; each may take the memory of a few of the longest blocks.
const MAX_READS: usize = 4;

/// Time to fetch a damaged block again, in seconds.
const REPAIR_SECONDS: u64 = 5;

pub(crate) struct NodeState {
    pub(crate) follower: Follower,
    pub(crate) health: ServiceHealth,
    pub(crate) mining: Mining,
    pub(crate) clock: Clock,
    pub(crate) offers: WorkOffers,
    pub(crate) cache: BlockCache,
    /// Limits answers of `/sync/blocks` apart from other streams: slow readers of `/blockchain` must not stop peers
    /// from syncing.
    pub(crate) block_answers: Arc<Places>,
    pub(crate) push_guard: PushGuard,
    announcements: Mutex<Announcements>,
    /// IP addresses whose nodes cannot be called back, each of which was logged.
    pub(crate) uncallable: Mutex<BTreeSet<IpAddr>>,
    /// For the names of peers that send requests.
    pub(crate) resolver: Resolver,
    reads: Semaphore,
    identity: Identity,
}

impl NodeState {
    /// `source_percent` is the share of one source, see [`Places`].
    pub(crate) fn new(
        follower: Follower,
        health: ServiceHealth,
        mining: Mining,
        clock: Clock,
        known_as: watch::Receiver<String>,
        source_percent: usize,
    ) -> Self {
        Self {
            identity: Identity::new("node", follower.rules().params(), known_as, clock.time()),
            follower,
            health,
            mining,
            clock,
            offers: WorkOffers::new(source_percent),
            cache: BlockCache::new(),
            block_answers: Places::new(MAX_BLOCK_ANSWERS, source_percent),
            push_guard: PushGuard::default(),
            announcements: Mutex::default(),
            uncallable: Mutex::default(),
            resolver: Resolver::default(),
            reads: Semaphore::new(MAX_READS),
        }
    }

    pub(crate) fn announcements(&self) -> MutexGuard<'_, Announcements> {
        self.announcements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the chain on a thread that may block on the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ChainReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let view = self.follower.view().clone();
        let _turn = self.reads.acquire().await.map_err(|error| server::internal(error.to_string()))?;
        let result = tokio::task::spawn_blocking(move || view.reader().and_then(|reader| read(&reader))).await;
        match result {
            Ok(result) => result.map_err(|error| self.store_problem(&error)),
            Err(error) => Err(server::internal(error.to_string())),
        }
    }
}

impl NodeState {
    /// The refusal of a request that needed the store. A damaged block is fetched again; the log has all details, which
    /// a stranger need not know.
    pub(crate) fn store_problem(&self, error: &StoreError) -> Problem {
        self.follower.report(error);
        match error {
            StoreError::DamagedBlock { id, .. } => server::unavailable(format!(
                "this node's copy of block {} {} is damaged; the node fetches it again from other nodes: try again in \
                 a moment, or ask another node",
                id.index, id.hash
            ))
            .with_retry_after(REPAIR_SECONDS),
            error => {
                tracing::debug!(%error, "the chain cannot be read or written");
                server::unavailable("this node cannot read or write its chain at the moment; its log says why")
            }
        }
    }
}

impl Service for NodeState {
    fn info(&self) -> Info {
        let status = self.follower.status();
        Info {
            tip: Some(status.tip.tip()),
            peers: Some(status.connected as u64),
            mining: Some(self.mining.info()),
            health: Some(self.health.words()),
            ..self.identity.info()
        }
    }

    fn stands_on(&self) -> Option<StandsOn> {
        let status = self.follower.status();
        Some(StandsOn { height: status.tip.index, age_ms: self.health.age_ms(status.tip.timestamp) })
    }

    /// Refuses all requests that name a blocked peer, and the exchange of blocks also by its IP address where no other
    /// peer has the same.
    fn admit(&self, request: &Request) -> Result<(), Problem> {
        let blocked = match request.claimed_node() {
            Some(sender) if self.follower.is_blocked(sender) => sender.to_owned(),
            _ if is_exchange(request) && self.follower.is_blocked_ip(request.remote.ip()) => {
                format!("the node at {}", request.remote.ip())
            }
            _ => return Ok(()),
        };
        Err(server::forbidden(format!("this node was told to block {blocked}")))
    }
}

/// The refusal to mine while nothing can be mined.
pub(crate) fn obstacle_problem(obstacle: &Obstacle) -> Problem {
    server::unavailable(obstacle.to_string()).with_retry_after(obstacle.retry_after_s())
}

/// Whether a request is one by which nodes exchange blocks.
fn is_exchange(request: &Request) -> bool {
    let path = request.path();
    request.method == Method::POST && ["/block", "/announce", "/sync/headers", "/sync/blocks"].contains(&path.as_str())
}

pub(crate) fn follower_problem(error: &FollowerError) -> Problem {
    match error {
        FollowerError::Invalid(detail) => server::bad_request(detail.clone()),
        error => server::unavailable(error.to_string()),
    }
}
