//! The mempool as an HTTP service: who it is, and which handler answers which path.

use crate::admission::Admissions;
use crate::desk::{Desk, NotReady};
use crate::routes::pending::Lists;
use crate::{openapi, routes};
use http::Method;
use runtime::follower::Follower;
use runtime::server::{self, Request, Response, Service};
use shared::block::Timestamp;
use shared::chain::ChainSnapshot;
use shared::store::StoreError;
use shared::wire::{Info, PoolInfo, Problem};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Most answers that read the disk at a time; the others wait their turn.
const MAX_READS: usize = 16;

pub(crate) struct MempoolService {
    pub(crate) desk: Arc<Desk>,
    pub(crate) admissions: Arc<Admissions>,
    /// Tells the ETags of this process from those of another.
    pub(crate) run: u64,
    follower: Follower,
    known_as: watch::Receiver<String>,
    started: Timestamp,
    network: serde_json::Value,
    /// What `/unprocessed` answered last.
    pub(crate) lists: Lists,
    /// Turns at the disk: an answer may read many blocks, one at a time, and there may be many who ask.
    reads: Semaphore,
}

impl MempoolService {
    pub(crate) fn new(
        desk: Arc<Desk>,
        follower: Follower,
        admissions: Admissions,
        known_as: watch::Receiver<String>,
        started: Timestamp,
        run: u64,
    ) -> Self {
        // Parameters are text and integers, which JSON can always carry.
        let network = serde_json::to_value(desk.params()).unwrap_or_default();
        Self {
            desk,
            admissions: Arc::new(admissions),
            run,
            follower,
            known_as,
            started,
            network,
            lists: Lists::new(),
            reads: Semaphore::new(MAX_READS),
        }
    }

    /// Reads the state that the pool stands on, on a thread that may wait for the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Desk, &ChainSnapshot) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.desk.state().map_err(not_ready)?;
        self.off_the_loop(move |desk| read(desk, &state).map_err(|error| store_problem(&error))).await
    }

    /// Does something that may wait for the disk or takes a while.
    pub(crate) async fn off_the_loop<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        // The semaphore is never closed.
        let _turn = self.reads.acquire().await.map_err(|error| server::internal(error.to_string()))?;
        let desk = self.desk.clone();
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.unwrap_or_else(|error| Err(server::internal(error.to_string())))
    }
}

impl Service for MempoolService {
    fn info(&self) -> Info {
        let (count, bytes) = self.desk.pool(|pool| (pool.len() as u64, pool.bytes() as u64));
        let status = self.follower.status();
        // Where the pool stands, so that who sees a tip here finds its effect in every answer.
        let tip = self.desk.state().map_or_else(|_| status.tip.tip(), |state| state.tip().tip());
        Info {
            service: "mempool".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: self.follower.network_id(),
            network: self.network.clone(),
            address: self.known_as.borrow().clone(),
            started: self.started,
            tip: Some(tip),
            peers: Some(status.connected as u64),
            mining: None,
            pool: Some(PoolInfo { count, bytes }),
            members: None,
        }
    }

    fn openapi(&self) -> utoipa::openapi::OpenApi {
        openapi::describe()
    }

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let path = request.path();
        let segments = path.segments();
        match (&request.method, &*segments) {
            (&Method::POST | &Method::PUT, ["pushtx"]) => self.admissions.push(request).await,
            (&Method::GET, ["unprocessed"]) => routes::pending::unprocessed(self, &request).await,
            (&Method::GET, ["balance"]) => routes::balances::balance_by_query(self, &request).await,
            (&Method::GET, ["balance", address]) => routes::balances::balance(self, &request, address).await,
            (&Method::GET, ["balances"]) => routes::balances::balances(self, &request).await,
            (&Method::GET, ["confirmations"]) => routes::transactions::confirmations_by_query(self, &request).await,
            (&Method::GET, ["confirmations", id]) => routes::transactions::confirmations(self, id).await,
            (&Method::GET, ["transaction", id]) => routes::transactions::transaction(self, id).await,
            (&Method::GET, ["history", address]) => routes::history::history(self, &request, address).await,
            (&Method::GET, ["events"]) => routes::events::subscribe(self, &request),
            _ => Err(request.no_route()),
        }
    }
}

pub(crate) fn store_problem(error: &StoreError) -> Problem {
    tracing::error!(%error, "the chain cannot be read");
    server::unavailable(format!("the chain cannot be read at the moment: {error}"))
}

pub(crate) fn not_ready(error: NotReady) -> Problem {
    server::unavailable(error.to_string())
}
