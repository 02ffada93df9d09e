//! The node as an HTTP service: who it is, and which handler answers which path.

use crate::cache::BlockCache;
use crate::mining::Mining;
use crate::offers::Offers;
use crate::{openapi, routes, sender};
use http::Method;
use runtime::clock::Clock;
use runtime::follower::{Follower, FollowerError};
use runtime::names::Names;
use runtime::server::{self, Request, Response, Service};
use shared::block::Timestamp;
use shared::chain::ChainReader;
use shared::store::StoreError;
use shared::sync::PeerSource;
use shared::wire::{Info, Problem};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// `POST /mine` may take this long.
const MINE_DEADLINE: Duration = Duration::from_secs(600);
/// Most answers of blocks to peers at a time, each of up to 8 MiB.
const MAX_BLOCK_ANSWERS: usize = 32;

pub(crate) struct NodeService {
    pub(crate) follower: Follower,
    pub(crate) mining: Mining,
    pub(crate) clock: Clock,
    pub(crate) offers: Offers,
    pub(crate) cache: BlockCache,
    /// Places for answers of blocks to peers: who reads the whole chain slowly must not keep peers from syncing.
    pub(crate) block_answers: Arc<Semaphore>,
    names: Names,
    known_as: watch::Receiver<String>,
    started: Timestamp,
    network: serde_json::Value,
}

impl NodeService {
    pub(crate) fn new(follower: Follower, mining: Mining, clock: Clock, known_as: watch::Receiver<String>) -> Self {
        // Parameters are text and integers, which JSON can always carry.
        let network = serde_json::to_value(follower.rules().params()).unwrap_or_default();
        Self {
            follower,
            mining,
            clock,
            offers: Offers::default(),
            cache: BlockCache::new(),
            block_answers: Arc::new(Semaphore::new(MAX_BLOCK_ANSWERS)),
            names: Names::default(),
            known_as,
            started: clock.time(),
            network,
        }
    }

    /// Reads the chain on a thread that may wait for the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ChainReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let view = self.follower.view().clone();
        let result = tokio::task::spawn_blocking(move || view.reader().and_then(|reader| read(&reader))).await;
        match result {
            Ok(result) => result.map_err(|error| store_problem(&error)),
            Err(error) => Err(server::internal(error.to_string())),
        }
    }
}

impl NodeService {
    /// Whoever asks for peers wants to be one: a node that never pushes a block would be known to nobody, and get new
    /// blocks only by polling.
    async fn meet(&self, request: &Request) {
        if let Some(sender) = sender::sender(&self.names, request).await {
            self.follower.offer_peers(vec![sender], PeerSource::Peers);
        }
    }
}

impl Service for NodeService {
    fn info(&self) -> Info {
        let status = self.follower.status();
        Info {
            service: "node".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: self.follower.network_id(),
            network: self.network.clone(),
            address: self.known_as.borrow().clone(),
            started: self.started,
            tip: Some(status.tip.tip()),
            peers: Some(status.connected as u64),
            mining: Some(self.mining.info()),
            pool: None,
            members: None,
        }
    }

    fn openapi(&self) -> utoipa::openapi::OpenApi {
        openapi::describe()
    }

    fn deadline(&self, request: &Request) -> Option<Duration> {
        matches!(&*request.path().segments(), ["mine"]).then_some(MINE_DEADLINE)
    }

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        if let Some(sender) = request.sender()
            && self.follower.is_blocked(sender)
        {
            return Err(server::forbidden(format!("this node was told to have nothing to do with {sender}")));
        }
        let path = request.path();
        let segments = path.segments();
        match (&request.method, &*segments) {
            (&Method::GET, ["chainlength"]) => routes::chain::length(self),
            (&Method::GET, ["block"]) => routes::chain::block_by_query(self, &request).await,
            (&Method::GET, ["block", id]) => routes::chain::block(self, id).await,
            (&Method::GET, ["blockchain"]) => routes::chain::blockchain(self, &request),
            (&Method::GET, ["headers"]) => routes::chain::headers(self, &request).await,
            (&Method::GET, ["tips"]) => routes::chain::tips(self),
            (&Method::POST, ["block"]) => {
                let sender = sender::sender(&self.names, &request).await;
                routes::exchange::push(self, request, sender).await
            }
            (&Method::POST, ["sync", "headers"]) => routes::exchange::headers(self, request).await,
            (&Method::POST, ["sync", "blocks"]) => routes::exchange::blocks(self, request).await,
            (&Method::GET, ["peers"]) => {
                self.meet(&request).await;
                routes::steering::peers(self)
            }
            (&Method::POST, ["peers"]) => routes::steering::update_peers(self, request).await,
            (&Method::POST, ["sync"]) => routes::steering::sync(self, request).await,
            (&Method::POST, ["mine"]) => routes::steering::mine(self, request).await,
            (&Method::GET, ["events"]) => routes::events::subscribe(self, &request),
            (&Method::GET, ["work"]) => routes::work::offer(self, &request).await,
            (&Method::POST, ["work"]) => routes::work::solve(self, request).await,
            _ => Err(request.no_route()),
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
