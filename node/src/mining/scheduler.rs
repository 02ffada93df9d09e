//! Chooses what the miner searches: a new job for each new tip, a better template when there is one, and blocks of
//! `POST /mine` before anything else.
//!
//! One task owns the mining threads. It turns the chain's status, the candidates and `POST /mine` into jobs, and hits
//! into blocks. While a template for a new tip is being built, the threads search a block without transactions;
//! replacing a job loses nothing, since each hash has the same chance.

use super::{MAX_ORDERS, MineError, next_fields};
use crate::coinbase::Coinbase;
use crate::mempools::{Candidates, Mempools};
use crate::template::{Template, TemplateError};
use metrics::gauge;
use runtime::clock::Clock;
use runtime::follower::{Follower, Status};
use runtime::miner::{Job, MinedHeader, Miner};
use runtime::service_health::{Obstacle, ServiceHealth};
use shared::block::{Block, BlockHash, Nonce};
use shared::chain::{Accepted, BlockError};
use shared::layer::EffectError;
use shared::wire::{BlockSource, MiningEvent, NodeEvent};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often orders of disconnected clients are dropped, and templates on the same tip are rebuilt.
const RECHECK: Duration = Duration::from_secs(1);

/// A request of `POST /mine`.
pub(super) struct MineOrder {
    id: u64,
    left: u64,
    data: Option<String>,
    hashes: Vec<BlockHash>,
    reply: oneshot::Sender<Result<Vec<BlockHash>, MineError>>,
}

impl MineOrder {
    pub(super) fn new(
        blocks: u64,
        data: Option<String>,
        reply: oneshot::Sender<Result<Vec<BlockHash>, MineError>>,
    ) -> Self {
        Self { id: 0, left: blocks, data, hashes: Vec::new(), reply }
    }
}

/// What a block is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct JobPurpose {
    parent: BlockHash,
    /// The order that the block is for, if any.
    order: Option<u64>,
}

struct CurrentJob {
    id: u64,
    purpose: JobPurpose,
    template: Template,
}

/// The last template build, finished or not.
struct TemplateBuild {
    purpose: JobPurpose,
    candidates: Candidates,
    began: Instant,
}

pub(super) struct Scheduler {
    miner: Arc<Miner>,
    enabled: bool,
    follower: Follower,
    health: ServiceHealth,
    clock: Clock,
    coinbase: Coinbase,
    mempools: Mempools,
    orders: VecDeque<MineOrder>,
    current: Option<CurrentJob>,
    /// At most one at a time.
    builds: JoinSet<(JobPurpose, Result<Template, TemplateError>)>,
    last_build: Option<TemplateBuild>,
    last_id: u64,
    last_order: u64,
}

impl Scheduler {
    pub(super) fn new(
        miner: Arc<Miner>,
        enabled: bool,
        (follower, health): (Follower, ServiceHealth),
        clock: Clock,
        coinbase: Coinbase,
        mempools: Mempools,
    ) -> Self {
        Self {
            miner,
            enabled,
            follower,
            health,
            clock,
            coinbase,
            mempools,
            orders: VecDeque::new(),
            current: None,
            builds: JoinSet::new(),
            last_build: None,
            last_id: 0,
            last_order: 0,
        }
    }

    pub(super) async fn run(
        mut self,
        mut hits: mpsc::Receiver<MinedHeader>,
        mut order_queue: mpsc::Receiver<MineOrder>,
        shutdown: CancellationToken,
    ) {
        let mut status = self.follower.watch();
        let mut candidates = self.mempools.watch();
        let mut recheck = tokio::time::interval(RECHECK);
        let mut built = None;
        loop {
            let now = status.borrow_and_update().clone();
            self.choose_job(&now, built.take());
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(hit) = hits.recv() => self.take_hit(hit).await,
                Ok(()) = status.changed() => {}
                Some(order) = order_queue.recv(), if self.orders.len() < MAX_ORDERS => {
                    self.last_order += 1;
                    self.orders.push_back(MineOrder { id: self.last_order, ..order });
                }
                Some(result) = self.builds.join_next() => built = self.take_build(result),
                Ok(()) = candidates.changed() => {}
                _ = recheck.tick() => {}
                else => break,
            }
        }
        self.miner.set_job(None);
    }

    /// Gives the threads a new job, if they should search something else than they do.
    fn choose_job(&mut self, status: &Status, built: Option<(JobPurpose, Template)>) {
        self.orders.retain(|order| !order.reply.is_closed());
        if let Some(obstacle) = self.health.obstacle(status) {
            // Nobody waits for what cannot be mined, and no other node would accept or this one keep it.
            for order in self.orders.drain(..) {
                // Sending fails if the request was dropped meanwhile.
                let _ = order.reply.send(Err(obstacle.clone().into()));
            }
            return self.stop();
        }
        let order = self.orders.front();
        if order.is_none() && (!self.enabled || status.is_syncing) {
            return self.stop();
        }
        let purpose = JobPurpose { parent: status.tip.hash(), order: order.map(|order| order.id) };
        if let Some(data) = order.and_then(|order| order.data.as_ref()) {
            if !self.is_searching(purpose) {
                let template = Template::with_data(data.clone());
                self.search(status, purpose, template);
            }
            return;
        }
        if let Some((_, template)) = built.filter(|(built_for, _)| *built_for == purpose)
            && self.current.as_ref().is_none_or(|c| c.purpose != purpose || c.template.value < template.value)
        {
            self.search(status, purpose, template);
        }
        self.begin_build(purpose);
        if self.is_searching(purpose) {
            return;
        }
        if purpose.order.is_some() && !self.builds.is_empty() {
            // At full speed, a block without the candidates would be found before the template with them is built.
            return self.pause_mining();
        }
        match Template::build(&self.follower, purpose.parent, &self.coinbase, &Candidates::default()) {
            Ok(template) => self.search(status, purpose, template),
            Err(error) => self.handle_template_error(purpose, &error),
        }
    }

    fn is_searching(&self, purpose: JobPurpose) -> bool {
        self.current.as_ref().is_some_and(|current| current.purpose == purpose)
    }

    /// Stops mining, and forgets the last build.
    fn stop(&mut self) {
        self.last_build = None;
        self.pause_mining();
    }

    fn pause_mining(&mut self) {
        if self.current.take().is_some() {
            self.miner.set_job(None);
        }
    }

    fn search(&mut self, status: &Status, purpose: JobPurpose, template: Template) {
        self.last_id += 1;
        // Random, so that nodes that mine the same data do not search the same nonces.
        let first_nonce = Nonce(getrandom::u64().unwrap_or(self.last_id << 32));
        let fields = next_fields(status, self.clock, &template.data);
        self.miner.set_job(Some(Job { id: self.last_id, fields, first_nonce, full_speed: purpose.order.is_some() }));
        gauge!("chainlab_template_transactions").set(template.value.count as f64);
        self.current = Some(CurrentJob { id: self.last_id, purpose, template });
    }

    /// Starts to build a template with the candidates, if they have changed since the last build on this tip.
    fn begin_build(&mut self, purpose: JobPurpose) {
        let candidates = self.mempools.candidates();
        if candidates.is_empty() || !self.builds.is_empty() {
            return;
        }
        if let Some(last) = self.last_build.as_ref().filter(|last| last.purpose == purpose)
            && (last.began.elapsed() < RECHECK || last.candidates.is_same(&candidates))
        {
            return;
        }
        self.last_build = Some(TemplateBuild { purpose, candidates: candidates.clone(), began: Instant::now() });
        let (follower, coinbase) = (self.follower.clone(), self.coinbase.clone());
        self.builds
            .spawn_blocking(move || (purpose, Template::build(&follower, purpose.parent, &coinbase, &candidates)));
    }

    fn take_build(
        &mut self,
        result: Result<(JobPurpose, Result<Template, TemplateError>), JoinError>,
    ) -> Option<(JobPurpose, Template)> {
        let error = match result {
            Ok((purpose, Ok(template))) => return Some((purpose, template)),
            Ok((purpose, Err(error))) => {
                self.handle_template_error(purpose, &error);
                return None;
            }
            Err(error) => error,
        };
        tracing::error!(%error, "the task that builds templates panicked");
        None
    }

    /// Ends an order for which no block can be made; anything else is tried again.
    fn handle_template_error(&mut self, purpose: JobPurpose, error: &TemplateError) {
        if let Some(last) = &mut self.last_build {
            last.candidates = Candidates::default();
        }
        match error {
            // The status announces the new tip in a moment.
            TemplateError::Moved => {}
            TemplateError::Layer(EffectError::Invalid(broken)) => {
                tracing::warn!(%broken, "no block with the ordered data can be made");
                self.fail_order(purpose.order, MineError::Stopped);
            }
            error => tracing::warn!(%error, "no template for the next block"),
        }
    }

    async fn take_hit(&mut self, MinedHeader { job, header }: MinedHeader) {
        let Some(CurrentJob { purpose, template, .. }) = self.current.take_if(|current| current.id == job) else {
            return;
        };
        self.last_build = None;
        let (index, difficulty, hash) = (header.index, header.difficulty, header.hash());
        let block = Block::new(*header, header.nonce(), template.data);
        match self.follower.submit(block, BlockSource::Mined, None).await {
            Ok(Ok(Accepted::Best)) => {
                let hashrate = self.miner.hashrate();
                self.follower.send_event(NodeEvent::Mining(MiningEvent {
                    index,
                    difficulty,
                    hashrate,
                    found: Some(hash),
                }));
                self.fill_order(purpose.order, hash);
            }
            // Another block came first, which is an ordinary fork.
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => {
                // The store has logged its failures itself, once each.
                if !matches!(refusal, BlockError::Failed(_)) {
                    tracing::warn!(%refusal, "a block that was mined here is refused");
                }
                let reason = match refusal {
                    BlockError::Invalid(broken) => MineError::Broken(broken),
                    BlockError::Failed(_) => Obstacle::Disk.into(),
                    BlockError::NotYet(_) => MineError::Stopped,
                };
                self.fail_order(purpose.order, reason);
            }
            Err(error) => {
                tracing::warn!(%error, "a block that was mined here cannot be stored");
                self.fail_order(purpose.order, MineError::Stopped);
            }
        }
    }

    fn fill_order(&mut self, id: Option<u64>, hash: BlockHash) {
        let Some(order) = self.orders.front_mut().filter(|order| Some(order.id) == id) else { return };
        order.hashes.push(hash);
        order.left = order.left.saturating_sub(1);
        if order.left == 0
            && let Some(order) = self.orders.pop_front()
        {
            // Sending fails if the request was dropped meanwhile.
            let _ = order.reply.send(Ok(order.hashes));
        }
    }

    /// Ends the order with this id; `None`, or an order that was dropped meanwhile, changes nothing.
    fn fail_order(&mut self, order: Option<u64>, reason: MineError) {
        let lost = self.orders.iter().position(|waiting| Some(waiting.id) == order);
        if let Some(order) = lost.and_then(|place| self.orders.remove(place)) {
            // Sending fails if the request was dropped meanwhile.
            let _ = order.reply.send(Err(reason));
        }
    }
}
