//! A handle to the task that owns the mining threads (`scheduler`), for `POST /mine`, `GET /work` and `/info`.

mod scheduler;

use crate::coinbase::Coinbase;
use crate::mempools::{Mempools, PERIOD};
use crate::template::{Template, TemplateError};
use runtime::clock::Clock;
use runtime::follower::{Follower, Status};
use runtime::miner::{MinedHeader, Miner, MinerError, MinerSettings};
use runtime::service_health::{Obstacle, ServiceHealth};
use scheduler::{MineOrder, Scheduler};
use shared::block::{BlockHash, DataHash, HeaderFields};
use shared::chain::BlockViolation;
use shared::{config, wire};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Most requests of `POST /mine` that wait at a time.
const MAX_ORDERS: usize = 16;
/// Most templates for `GET /work` that are built at a time, since every client may request one.
const MAX_TEMPLATES: usize = 2;
/// Longest time that `GET /work` waits for its turn.
const TEMPLATE_WAIT: Duration = Duration::from_secs(5);

/// Why blocks were not mined on demand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MineError {
    #[error(transparent)]
    Broken(#[from] BlockViolation),
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    #[error("{MAX_ORDERS} requests to mine are waiting already, try again")]
    Busy,
    /// The service stopped, or a block could not be made or stored.
    #[error("mining stopped before all blocks were found")]
    Stopped,
}

/// Why there is no work to offer to an outside miner.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("too many templates are being made at the moment, try again")]
    Busy,
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// A handle to the mining task; cheap to clone.
#[derive(Clone)]
pub(crate) struct Mining {
    miner: Arc<Miner>,
    enabled: bool,
    follower: Follower,
    health: ServiceHealth,
    coinbase: Coinbase,
    mempools: Mempools,
    orders: mpsc::Sender<MineOrder>,
    places: Arc<Semaphore>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Mining {
    /// Starts the threads, and the task that gives them jobs until `shutdown` is cancelled.
    pub(crate) fn start(
        config: &config::NodeConfig,
        (follower, health): (Follower, ServiceHealth),
        clock: Clock,
        coinbase: Coinbase,
        mempools: Mempools,
        shutdown: CancellationToken,
    ) -> Result<Self, MinerError> {
        // Never full: a job has at most one hit, and the task that receives the hits gives the jobs.
        let (found, hits) = mpsc::channel(16);
        let on_mined = Box::new(move |hit: MinedHeader| {
            let _ = found.try_send(hit);
        });
        let settings = MinerSettings { threads: config.threads, hashrate: config.hashrate };
        let miner = Arc::new(Miner::start(settings, move || clock.time(), on_mined)?);
        let (orders, order_queue) = mpsc::channel(MAX_ORDERS);
        let chain = (follower.clone(), health.clone());
        let scheduler = Scheduler::new(miner.clone(), config.mine, chain, clock, coinbase.clone(), mempools.clone());
        let task = Arc::new(Mutex::new(Some(tokio::spawn(scheduler.run(hits, order_queue, shutdown)))));
        let places = Arc::new(Semaphore::new(MAX_TEMPLATES));
        Ok(Self { miner, enabled: config.mine, follower, health, coinbase, mempools, orders, places, task })
    }

    /// Mines `blocks` blocks on the tip, one after another, at full speed. Transactions that were pushed to a mempool
    /// before this call are in them.
    pub(crate) async fn mine(&self, blocks: u64, data: Option<String>) -> Result<Vec<BlockHash>, MineError> {
        self.check_obstacle()?;
        self.mempools.refresh(Duration::ZERO).await;
        let (reply, answer) = oneshot::channel();
        self.orders.try_send(MineOrder::new(blocks, data, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => MineError::Busy,
            mpsc::error::TrySendError::Closed(_) => MineError::Stopped,
        })?;
        answer.await.map_err(|_| MineError::Stopped)?
    }

    /// The data of a block for an outside miner, and the status of the chain that it is for.
    pub(crate) async fn template(&self, coinbase: &Coinbase) -> Result<(Arc<Status>, String), OfferError> {
        self.check_obstacle()?;
        let place = tokio::time::timeout(TEMPLATE_WAIT, self.places.acquire()).await;
        let _place = place.ok().and_then(Result::ok).ok_or(OfferError::Busy)?;
        self.mempools.refresh(PERIOD).await;
        let (status, template) = Template::on_tip(&self.follower, coinbase, &self.mempools.candidates()).await?;
        Ok((status, template.data))
    }

    fn check_obstacle(&self) -> Result<(), Obstacle> {
        self.health.obstacle(&self.follower.status()).map_or(Ok(()), Err)
    }

    /// The field `mining` of `/info`.
    pub(crate) fn info(&self) -> wire::MiningInfo {
        wire::MiningInfo {
            enabled: self.enabled,
            address: self.coinbase.miner.map(|miner| miner.to_string()),
            threads: self.miner.threads() as u64,
            hashrate: self.miner.hashrate(),
        }
    }

    /// Waits until the task has ended.
    pub(crate) async fn join(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("the mining task panicked");
        }
    }
}

/// The header of a block on the tip, without its nonce.
pub(crate) fn next_fields(status: &Status, clock: Clock, data: &str) -> HeaderFields {
    let tip = &status.tip;
    HeaderFields {
        index: tip.index.next(),
        prev_hash: tip.hash(),
        timestamp: clock.time().max(tip.timestamp.plus_ms(1)),
        difficulty: status.next_difficulty,
        data_hash: DataHash::of(data),
    }
}
