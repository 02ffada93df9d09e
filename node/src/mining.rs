//! What the miner works on: a new job for each new tip, blocks on demand before anything else.
//!
//! One task owns the mining threads. It turns the chain's status and `POST /mine` into jobs, and hits into blocks.

use runtime::clock::Clock;
use runtime::follower::{Follower, Status};
use runtime::miner::{Found, Job, Miner, MinerError, MinerSettings};
use shared::block::{Block, BlockHash, DataHash, HeaderFields, Nonce};
use shared::chain::Accepted;
use shared::config;
use shared::wire::{self, BlockSource, Event, MiningEvent};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Orders of blocks that may wait.
const MAX_ORDERS: usize = 16;
/// How often orders whose client has gone away are looked for.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// Why blocks were not mined on demand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MineError {
    /// Others asked before.
    #[error("{MAX_ORDERS} others wait for blocks already, try again")]
    Busy,
    /// The service stopped, or the block could not be stored.
    #[error("mining stopped before all blocks were found")]
    Stopped,
}

/// A handle to the mining task; cheap to clone.
#[derive(Clone)]
pub(crate) struct Mining {
    miner: Arc<Miner>,
    enabled: bool,
    orders: mpsc::Sender<Order>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Blocks that somebody wants mined now.
struct Order {
    /// Tells it from the orders before and after it.
    id: u64,
    left: u64,
    data: Option<String>,
    hashes: Vec<BlockHash>,
    reply: oneshot::Sender<Vec<BlockHash>>,
}

impl Mining {
    /// Starts the threads and the task that gives them work; it ends when `shutdown` is cancelled.
    pub(crate) fn start(
        config: &config::Node,
        follower: Follower,
        clock: Clock,
        name: String,
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
        let message = if config.message.is_empty() { format!("mined by {name}") } else { config.message.clone() };
        let work = Work {
            miner: miner.clone(),
            enabled: config.mine,
            follower,
            clock,
            message,
            orders: VecDeque::new(),
            current: None,
            last_id: 0,
            last_order: 0,
        };
        let task = tokio::spawn(work.run(hits, order_queue, shutdown));
        Ok(Self { miner, enabled: config.mine, orders, task: Arc::new(Mutex::new(Some(task))) })
    }

    /// Mines `blocks` blocks on the tip, one after another, at full speed.
    pub(crate) async fn mine(&self, blocks: u64, data: Option<String>) -> Result<Vec<BlockHash>, MineError> {
        let (reply, answer) = oneshot::channel();
        let order = Order { id: 0, left: blocks, data, hashes: Vec::new(), reply };
        self.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => MineError::Busy,
            mpsc::error::TrySendError::Closed(_) => MineError::Stopped,
        })?;
        answer.await.map_err(|_| MineError::Stopped)
    }

    /// What `/info` says.
    pub(crate) fn info(&self) -> wire::Mining {
        wire::Mining {
            enabled: self.enabled,
            address: None,
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

/// What the threads search at the moment.
struct Current {
    id: u64,
    parent: BlockHash,
    data: String,
    /// For which order, if it is for one.
    order: Option<u64>,
}

struct Work {
    miner: Arc<Miner>,
    enabled: bool,
    follower: Follower,
    clock: Clock,
    message: String,
    orders: VecDeque<Order>,
    current: Option<Current>,
    last_id: u64,
    last_order: u64,
}

impl Work {
    async fn run(
        mut self,
        mut hits: mpsc::Receiver<Found>,
        mut order_queue: mpsc::Receiver<Order>,
        shutdown: CancellationToken,
    ) {
        let mut status = self.follower.watch();
        let mut look_after = tokio::time::interval(LOOK_AFTER);
        loop {
            let now = status.borrow_and_update().clone();
            self.choose_job(&now);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(hit) = hits.recv() => self.take_hit(hit).await,
                Ok(()) = status.changed() => {}
                Some(order) = order_queue.recv(), if self.orders.len() < MAX_ORDERS => {
                    self.last_order += 1;
                    self.orders.push_back(Order { id: self.last_order, ..order });
                }
                _ = look_after.tick() => {}
                else => break,
            }
        }
        self.miner.set_job(None);
    }

    /// Gives the threads what is to be searched now, if that is something else than what they search.
    fn choose_job(&mut self, status: &Status) {
        self.orders.retain(|order| !order.reply.is_closed());
        let order = self.orders.front();
        if order.is_none() && (!self.enabled || status.is_syncing) {
            if self.current.take().is_some() {
                self.miner.set_job(None);
            }
            return;
        }
        let order_id = order.map(|order| order.id);
        let parent = status.tip.hash();
        if self.current.as_ref().is_some_and(|current| current.parent == parent && current.order == order_id) {
            return;
        }
        let data = match order.and_then(|order| order.data.clone()) {
            Some(data) => data,
            None => self.follower.rules().layer().template(&self.message),
        };
        let fields = next_fields(status, self.clock, &data);
        let latest = self.clock.time().plus_ms(self.follower.rules().params().max_future_ms);
        if fields.timestamp > latest {
            // The chain's timestamps have run ahead of the clock: nobody, we included, would take the block yet.
            self.current = None;
            self.miner.set_job(None);
            return;
        }
        self.last_id += 1;
        // Nodes that mine the same data must not search the same nonces.
        let first_nonce = Nonce(getrandom::u64().unwrap_or(self.last_id << 32));
        self.miner.set_job(Some(Job { id: self.last_id, fields, first_nonce, full_speed: order_id.is_some() }));
        self.current = Some(Current { id: self.last_id, parent, data, order: order_id });
    }

    async fn take_hit(&mut self, Found { job, header }: Found) {
        let Some(Current { data, order, .. }) = self.current.take_if(|current| current.id == job) else { return };
        let (index, difficulty, hash) = (header.index, header.difficulty, header.hash());
        let block = Block::new(*header, header.nonce(), data);
        match self.follower.submit(block, BlockSource::Mined, None).await {
            Ok(Ok(Accepted::Best)) => {
                let hashrate = self.miner.hashrate();
                self.follower.tell(Event::Mining(MiningEvent { index, difficulty, hashrate, found: Some(hash) }));
                self.fill_order(order, hash);
            }
            // Another block came first: natural, and seen as a fork.
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => self.lose_hit(order, &refusal.to_string()),
            Err(error) => self.lose_hit(order, &error.to_string()),
        }
    }

    fn fill_order(&mut self, id: Option<u64>, hash: BlockHash) {
        let Some(order) = self.orders.front_mut().filter(|order| Some(order.id) == id) else { return };
        order.hashes.push(hash);
        order.left = order.left.saturating_sub(1);
        if order.left == 0
            && let Some(order) = self.orders.pop_front()
        {
            // Whoever asked may have gone away.
            let _ = order.reply.send(order.hashes);
        }
    }

    /// An order ends with the block that it lost; one that only came meanwhile does not.
    fn lose_hit(&mut self, order: Option<u64>, reason: &str) {
        tracing::warn!(reason, "a block that was mined here is not taken");
        self.orders.retain(|waiting| Some(waiting.id) != order);
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
