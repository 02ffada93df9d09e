//! What the node's handlers share: the chain, mining, offered work, and who the node is.

use crate::block_cache::BlockCache;
use crate::mining::Mining;
use crate::work_offers::WorkOffers;
use runtime::clock::Clock;
use runtime::dns::Resolver;
use runtime::follower::{Follower, FollowerError};
use runtime::server::{self, Identity, Places, Request, Service};
use shared::chain::ChainReader;
use shared::store::StoreError;
use shared::wire::{Info, Problem};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Most answers of `/sync/blocks` at a time, each of up to 8 MiB.
const MAX_BLOCK_ANSWERS: usize = 32;
/// Most reads of the chain at a time; each may take the memory of a few of the longest blocks.
const MAX_READS: usize = 4;

pub(crate) struct NodeState {
    pub(crate) follower: Follower,
    pub(crate) mining: Mining,
    pub(crate) clock: Clock,
    pub(crate) offers: WorkOffers,
    pub(crate) cache: BlockCache,
    /// Limits answers of `/sync/blocks` apart from other streams: slow readers of `/blockchain` must not stop peers
    /// from syncing.
    pub(crate) block_answers: Arc<Places>,
    /// For the names of peers that send requests.
    pub(crate) resolver: Resolver,
    reads: Semaphore,
    identity: Identity,
}

impl NodeState {
    /// `source_percent` is the share of one source, see [`Places`].
    pub(crate) fn new(
        follower: Follower,
        mining: Mining,
        clock: Clock,
        known_as: watch::Receiver<String>,
        source_percent: usize,
    ) -> Self {
        Self {
            identity: Identity::new("node", follower.rules().params(), known_as, clock.time()),
            follower,
            mining,
            clock,
            offers: WorkOffers::new(source_percent),
            cache: BlockCache::new(),
            block_answers: Places::new(MAX_BLOCK_ANSWERS, source_percent),
            resolver: Resolver::default(),
            reads: Semaphore::new(MAX_READS),
        }
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
            Ok(result) => result.map_err(|error| store_problem(&error)),
            Err(error) => Err(server::internal(error.to_string())),
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
            ..self.identity.info()
        }
    }

    /// Refuses all requests of a blocked peer.
    fn admit(&self, request: &Request) -> Result<(), Problem> {
        match request.claimed_node().filter(|sender| self.follower.is_blocked(sender)) {
            Some(sender) => Err(server::forbidden(format!("this node was told to block {sender}"))),
            None => Ok(()),
        }
    }
}

pub(crate) fn store_problem(error: &StoreError) -> Problem {
    tracing::error!(%error, "the chain cannot be read or written");
    server::unavailable(format!("the chain cannot be read or written at the moment: {error}"))
}

pub(crate) fn follower_problem(error: &FollowerError) -> Problem {
    match error {
        FollowerError::Invalid(detail) => server::bad_request(detail.clone()),
        error => server::unavailable(error.to_string()),
    }
}
