//! Mining: a handle to the task that owns the mining threads (`work`), for `POST /mine`, `GET /work` and `/info`.

mod work;

use crate::coinbase::Coinbase;
use crate::mempools::{Mempools, PERIOD};
use crate::template::{NoTemplate, Template};
use runtime::clock::Clock;
use runtime::follower::{Follower, Status};
use runtime::miner::{Found, Miner, MinerError, MinerSettings};
use shared::block::{BlockHash, DataHash, HeaderFields};
use shared::chain::BlockViolation;
use shared::{config, wire};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use work::{Order, Work};

/// Orders of blocks that may wait.
const MAX_ORDERS: usize = 16;
/// Templates for outside miners that are made at a time, since anybody may ask for them.
const MAX_TEMPLATES: usize = 2;
/// How long a request for one waits for its turn.
const PLACE_WITHIN: Duration = Duration::from_secs(5);

/// Why blocks were not mined on demand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MineError {
    /// What they were to carry breaks a rule.
    #[error(transparent)]
    Broken(#[from] BlockViolation),
    /// Others asked before.
    #[error("{MAX_ORDERS} others wait for blocks already, try again")]
    Busy,
    /// The service stopped, or the block could not be made or stored.
    #[error("mining stopped before all blocks were found")]
    Stopped,
}

/// Why there is no work for an outside miner.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoWork {
    /// Others asked before.
    #[error("too many templates are being made at the moment, try again")]
    Busy,
    /// There is no template.
    #[error(transparent)]
    Template(#[from] NoTemplate),
}

/// A handle to the mining task; cheap to clone.
#[derive(Clone)]
pub(crate) struct Mining {
    miner: Arc<Miner>,
    enabled: bool,
    follower: Follower,
    coinbase: Coinbase,
    mempools: Mempools,
    orders: mpsc::Sender<Order>,
    places: Arc<Semaphore>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Mining {
    /// Starts the threads and the task that gives them work; it ends when `shutdown` is cancelled.
    pub(crate) fn start(
        config: &config::NodeConfig,
        follower: Follower,
        clock: Clock,
        coinbase: Coinbase,
        mempools: Mempools,
        shutdown: CancellationToken,
    ) -> Result<Self, MinerError> {
        // A job has at most one hit, and jobs are given by the task that takes the hits.
        let (found, hits) = mpsc::channel(16);
        let on_found = Box::new(move |hit: Found| {
            let _ = found.try_send(hit);
        });
        let settings = MinerSettings { threads: config.threads, hashrate: config.hashrate };
        let miner = Arc::new(Miner::start(settings, move || clock.time(), on_found)?);
        let (orders, order_queue) = mpsc::channel(MAX_ORDERS);
        let work = Work::new(miner.clone(), config.mine, follower.clone(), clock, coinbase.clone(), mempools.clone());
        let task = Arc::new(Mutex::new(Some(tokio::spawn(work.run(hits, order_queue, shutdown)))));
        let places = Arc::new(Semaphore::new(MAX_TEMPLATES));
        Ok(Self { miner, enabled: config.mine, follower, coinbase, mempools, orders, places, task })
    }

    /// Mines `blocks` blocks on the tip, one after another, at full speed; what was pushed to a mempool before is in them.
    pub(crate) async fn mine(&self, blocks: u64, data: Option<String>) -> Result<Vec<BlockHash>, MineError> {
        self.mempools.refresh(Duration::ZERO).await;
        let (reply, answer) = oneshot::channel();
        self.orders.try_send(Order::new(blocks, data, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => MineError::Busy,
            mpsc::error::TrySendError::Closed(_) => MineError::Stopped,
        })?;
        answer.await.map_err(|_| MineError::Stopped)?
    }

    /// The data of a block for somebody else, and the moment of the chain that it is for.
    pub(crate) async fn template(&self, coinbase: &Coinbase) -> Result<(Arc<Status>, String), NoWork> {
        let place = tokio::time::timeout(PLACE_WITHIN, self.places.acquire()).await;
        let _place = place.ok().and_then(Result::ok).ok_or(NoWork::Busy)?;
        self.mempools.refresh(PERIOD).await;
        let (status, template) = Template::on_tip(&self.follower, coinbase, &self.mempools.candidates()).await?;
        Ok((status, template.data))
    }

    /// What `/info` says.
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

/// The header of a block on the tip, but for its nonce.
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
