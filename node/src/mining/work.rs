//! What the miner works on: a new job for each new tip, a better template where one turns up, blocks on demand before
//! anything else.
//!
//! One task owns the mining threads. It turns the chain's status, the candidates and `POST /mine` into jobs, and hits into
//! blocks. While a template is being made for a new tip, the threads search a block without transactions: changing the
//! job later loses nothing, since a search has no memory.

use super::{MAX_ORDERS, MineError, next_fields};
use crate::coinbase::Coinbase;
use crate::mempools::{Candidates, Mempools};
use crate::template::{NoTemplate, Template};
use metrics::gauge;
use runtime::clock::Clock;
use runtime::follower::{Follower, Status};
use runtime::miner::{Found, Job, Miner};
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

/// How often orders whose client has gone away are looked for, and templates on the same tip made anew.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// Blocks that somebody wants mined now.
pub(super) struct Order {
    /// Tells it from the orders before and after it.
    id: u64,
    left: u64,
    data: Option<String>,
    hashes: Vec<BlockHash>,
    reply: oneshot::Sender<Result<Vec<BlockHash>, MineError>>,
}

impl Order {
    pub(super) fn new(
        blocks: u64,
        data: Option<String>,
        reply: oneshot::Sender<Result<Vec<BlockHash>, MineError>>,
    ) -> Self {
        Self { id: 0, left: blocks, data, hashes: Vec::new(), reply }
    }
}

/// What a block is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    parent: BlockHash,
    /// For which order, if it is for one.
    order: Option<u64>,
}

/// What the threads search at the moment.
struct Current {
    id: u64,
    target: Target,
    template: Template,
}

/// A template that is being made, or was.
struct Build {
    target: Target,
    candidates: Candidates,
    began: Instant,
}

pub(super) struct Work {
    miner: Arc<Miner>,
    enabled: bool,
    follower: Follower,
    clock: Clock,
    coinbase: Coinbase,
    mempools: Mempools,
    orders: VecDeque<Order>,
    current: Option<Current>,
    /// At most one at a time.
    builds: JoinSet<(Target, Result<Template, NoTemplate>)>,
    last_build: Option<Build>,
    last_id: u64,
    last_order: u64,
}

impl Work {
    pub(super) fn new(
        miner: Arc<Miner>,
        enabled: bool,
        follower: Follower,
        clock: Clock,
        coinbase: Coinbase,
        mempools: Mempools,
    ) -> Self {
        Self {
            miner,
            enabled,
            follower,
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
        mut hits: mpsc::Receiver<Found>,
        mut order_queue: mpsc::Receiver<Order>,
        shutdown: CancellationToken,
    ) {
        let mut status = self.follower.watch();
        let mut candidates = self.mempools.watch();
        let mut look_after = tokio::time::interval(LOOK_AFTER);
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
                    self.orders.push_back(Order { id: self.last_order, ..order });
                }
                Some(result) = self.builds.join_next() => built = self.take_build(result),
                Ok(()) = candidates.changed() => {}
                _ = look_after.tick() => {}
                else => break,
            }
        }
        self.miner.set_job(None);
    }

    /// Gives the threads what is to be searched now, if that is something else than what they search.
    fn choose_job(&mut self, status: &Status, built: Option<(Target, Template)>) {
        self.orders.retain(|order| !order.reply.is_closed());
        let order = self.orders.front();
        if order.is_none() && (!self.enabled || status.is_syncing) {
            return self.stop();
        }
        let latest = self.clock.time().plus_ms(self.follower.rules().params().max_future_ms);
        if status.tip.timestamp.plus_ms(1) > latest {
            // The chain's timestamps have run ahead of the clock: nobody, we included, would take the block yet.
            return self.stop();
        }
        let target = Target { parent: status.tip.hash(), order: order.map(|order| order.id) };
        if let Some(data) = order.and_then(|order| order.data.as_ref()) {
            if !self.is_on(target) {
                let template = Template::given(data.clone());
                self.search(status, target, template);
            }
            return;
        }
        if let Some((_, template)) = built.filter(|(built_for, _)| *built_for == target)
            && self.current.as_ref().is_none_or(|c| c.target != target || c.template.worth < template.worth)
        {
            self.search(status, target, template);
        }
        self.begin_build(target);
        if self.is_on(target) {
            return;
        }
        if target.order.is_some() && !self.builds.is_empty() {
            // At full speed, a block without what waits would be found before the template with it is made.
            return self.rest();
        }
        match Template::build(&self.follower, target.parent, &self.coinbase, &Candidates::default()) {
            Ok(template) => self.search(status, target, template),
            Err(error) => self.lack_template(target, &error),
        }
    }

    fn is_on(&self, target: Target) -> bool {
        self.current.as_ref().is_some_and(|current| current.target == target)
    }

    /// Searches nothing until there is something to search for again.
    fn stop(&mut self) {
        self.last_build = None;
        self.rest();
    }

    fn rest(&mut self) {
        if self.current.take().is_some() {
            self.miner.set_job(None);
        }
    }

    fn search(&mut self, status: &Status, target: Target, template: Template) {
        self.last_id += 1;
        // Nodes that mine the same data must not search the same nonces.
        let first_nonce = Nonce(getrandom::u64().unwrap_or(self.last_id << 32));
        let fields = next_fields(status, self.clock, &template.data);
        self.miner.set_job(Some(Job { id: self.last_id, fields, first_nonce, full_speed: target.order.is_some() }));
        gauge!("chainlab_template_transactions").set(template.worth.count as f64);
        self.current = Some(Current { id: self.last_id, target, template });
    }

    /// Begins to make a template with what waits, if there is something new to put into it.
    fn begin_build(&mut self, target: Target) {
        let candidates = self.mempools.candidates();
        if candidates.is_empty() || !self.builds.is_empty() {
            return;
        }
        if let Some(last) = self.last_build.as_ref().filter(|last| last.target == target)
            && (last.began.elapsed() < LOOK_AFTER || last.candidates.is_same(&candidates))
        {
            return;
        }
        self.last_build = Some(Build { target, candidates: candidates.clone(), began: Instant::now() });
        let (follower, coinbase) = (self.follower.clone(), self.coinbase.clone());
        self.builds.spawn_blocking(move || (target, Template::build(&follower, target.parent, &coinbase, &candidates)));
    }

    fn take_build(
        &mut self,
        result: Result<(Target, Result<Template, NoTemplate>), JoinError>,
    ) -> Option<(Target, Template)> {
        let error = match result {
            Ok((target, Ok(template))) => return Some((target, template)),
            Ok((target, Err(error))) => {
                self.lack_template(target, &error);
                return None;
            }
            Err(error) => error,
        };
        tracing::error!(%error, "the task that makes templates panicked");
        None
    }

    /// An order for which no block can be made ends; whatever else is tried again.
    fn lack_template(&mut self, target: Target, error: &NoTemplate) {
        if let Some(last) = &mut self.last_build {
            last.candidates = Candidates::default();
        }
        match error {
            // The new tip is announced in a moment.
            NoTemplate::Moved => {}
            NoTemplate::Layer(EffectError::Invalid(broken)) => {
                tracing::warn!(%broken, "no block can be made of what was ordered");
                self.lose(target.order, MineError::Stopped);
            }
            error => tracing::warn!(%error, "no template for the next block"),
        }
    }

    async fn take_hit(&mut self, Found { job, header }: Found) {
        let Some(Current { target, template, .. }) = self.current.take_if(|current| current.id == job) else { return };
        self.last_build = None;
        let (index, difficulty, hash) = (header.index, header.difficulty, header.hash());
        let block = Block::new(*header, header.nonce(), template.data);
        match self.follower.submit(block, BlockSource::Mined, None).await {
            Ok(Ok(Accepted::Best)) => {
                let hashrate = self.miner.hashrate();
                self.follower.tell(NodeEvent::Mining(MiningEvent { index, difficulty, hashrate, found: Some(hash) }));
                self.fill_order(target.order, hash);
            }
            // Another block came first: natural, and seen as a fork.
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => {
                tracing::warn!(%refusal, "a block that was mined here is none");
                let reason = match refusal {
                    BlockError::Invalid(broken) => MineError::Broken(broken),
                    BlockError::NotYet(_) | BlockError::Failed(_) => MineError::Stopped,
                };
                self.lose(target.order, reason);
            }
            Err(error) => {
                tracing::warn!(%error, "a block that was mined here cannot be stored");
                self.lose(target.order, MineError::Stopped);
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
            // Whoever asked may have gone away.
            let _ = order.reply.send(Ok(order.hashes));
        }
    }

    /// An order ends with the block that it lost; one that only came meanwhile does not.
    fn lose(&mut self, order: Option<u64>, reason: MineError) {
        let lost = self.orders.iter().position(|waiting| Some(waiting.id) == order);
        if let Some(order) = lost.and_then(|place| self.orders.remove(place)) {
            // Whoever asked may have gone away.
            let _ = order.reply.send(Err(reason));
        }
    }
}
