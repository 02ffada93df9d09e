//! The staged pool and the chain snapshot that it stands on, under one lock, and what connects them to threads: waiting
//! callers, subscribers, and the pool writer.
//!
//! `shared` decides which transactions the pool takes and when a caller gets its reply. Nothing here writes to a disk.

use crate::chain_delta::ChainDelta;
use crate::chain_lookups::{add_holdings, block_of, spent_coins, unconfirmed_holdings};
use crate::pool_events::events_of;
use crate::program_events::MempoolEvent;
use crate::reported_rivals::ReportedRivals;
use crate::store::Stored;
use runtime::follower::Follower;
use shared::block::BlockId;
use shared::chain::ChainSnapshot;
use shared::layer::{EffectError, check_on_state};
use shared::ledger::{Amount, CoinName, Holding, Transaction, TransactionId};
use shared::params::Params;
use shared::pool::{AdmissionError, BatchOutcome, CommitReply, EvictionReason, Pending, Pool, PoolLimits, PoolNews};
use shared::pool::{StageError, Staged, TipChange, Weights, WriteBatch};
use shared::store::StoreError;
use shared::violation::RuleViolation;
use shared::wire::{ConflictEvent, PoolEvent};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{broadcast, oneshot};

/// Events that a slow subscriber may fall behind.
const EVENTS: usize = 4096;

/// Why a transaction is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Broken(#[from] RuleViolation),
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error("the chain cannot be read at the moment: {0}")]
    Store(#[from] StoreError),
    #[error("the machine that runs programs failed: {0}")]
    Machine(String),
}

impl PushError {
    /// The first of [`AdmissionError::rivals`].
    pub(crate) fn rival(&self) -> Option<(CoinName, TransactionId)> {
        self.rivals().next()
    }

    fn rivals(&self) -> impl Iterator<Item = (CoinName, TransactionId)> {
        let refusal = if let Self::Stage(StageError::Pool(refusal)) = self { Some(refusal) } else { None };
        refusal.into_iter().flat_map(AdmissionError::rivals)
    }
}

impl From<EffectError> for PushError {
    fn from(error: EffectError) -> Self {
        match error {
            EffectError::Invalid(broken) => Self::Broken(broken),
            EffectError::Failed(error) => Self::Store(error),
            EffectError::Machine(error) => Self::Machine(error),
        }
    }
}

impl From<AdmissionError> for PushError {
    fn from(error: AdmissionError) -> Self {
        Self::Stage(error.into())
    }
}

/// There is no chain snapshot to check against.
#[derive(Debug, thiserror::Error)]
#[error("the chain is being opened again after a failure; try again")]
pub(crate) struct NotReady;

/// The pool's decision about a push.
pub(crate) enum Admission {
    Accepted(Written),
    /// It is pending or confirmed already; the receiver is there if it is not on disk yet.
    Known(Option<Written>),
}

/// Why an admitted transaction was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotKept {
    #[error("the pool cannot be written: {0}")]
    Unwritten(StoreError),
    #[error("the pool is full, and others that came at the same time pay more; a higher fee would do, or wait")]
    Outbid,
    #[error("transaction {by} came at the same time, takes coin {coin}, too, and pays more")]
    Replaced { by: TransactionId, coin: CoinName },
}

/// Resolves once the transaction is on disk, or will never be.
pub(crate) type Written = oneshot::Receiver<Result<(), NotKept>>;
type Waiter = oneshot::Sender<Result<(), NotKept>>;

pub(crate) struct PoolState {
    inner: Mutex<Inner>,
    /// Wakes the pool writer: there is a batch to write, or the service stops.
    work: Condvar,
    events: broadcast::Sender<Arc<MempoolEvent>>,
    params: Params,
    /// Has damaged blocks fetched again.
    follower: OnceLock<Follower>,
}

struct Inner {
    staged: Staged<Waiter>,
    /// The snapshot at the pool's tip. `None` while the chain's store is being reopened: a snapshot held here would
    /// block that.
    snapshot: Option<Arc<ChainSnapshot>>,
    reported: ReportedRivals,
    is_stopping: bool,
}

impl PoolState {
    /// The stored pool, without what is confirmed in `snapshot`. [`PoolState::move_to`] must be called before it is
    /// used.
    pub(crate) fn open(
        params: Params,
        limits: PoolLimits,
        stored: Stored,
        snapshot: &ChainSnapshot,
    ) -> Result<Self, StoreError> {
        let mut rows = Vec::new();
        for row in stored.rows {
            let holdings = unconfirmed_holdings(snapshot, &params, &row.pending)?;
            rows.push((row, holdings));
        }
        let staged = Staged::load(limits, stored.tip.unwrap_or_else(|| snapshot.tip().id()), rows);
        let (events, _) = broadcast::channel(EVENTS);
        let inner = Inner { staged, snapshot: None, reported: ReportedRivals::new(), is_stopping: false };
        Ok(Self { inner: Mutex::new(inner), work: Condvar::new(), events, params, follower: OnceLock::new() })
    }

    /// From now on, damaged blocks are reported to `follower`.
    pub(crate) fn report_to(&self, follower: Follower) {
        // Called once: a second follower would be ignored.
        let _ = self.follower.set(follower);
    }

    /// Has a damaged block fetched again, if `error` names one.
    pub(crate) fn report(&self, error: &StoreError) {
        if let Some(follower) = self.follower.get() {
            follower.report(error);
        }
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<MempoolEvent>> {
        self.events.subscribe()
    }

    pub(crate) fn has_subscribers(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// The chain snapshot at the pool's tip.
    pub(crate) fn snapshot(&self) -> Result<Arc<ChainSnapshot>, NotReady> {
        self.lock().snapshot.clone().ok_or(NotReady)
    }

    /// Reads the pool under the lock, so `read` must be quick.
    pub(crate) fn pool<T>(&self, read: impl FnOnce(&Pool) -> T) -> T {
        read(self.lock().staged.pool())
    }

    /// Reads the pool and the chain snapshot that belongs to it, under the lock.
    pub(crate) fn pool_and_snapshot<T>(
        &self,
        read: impl FnOnce(&Pool, &Arc<ChainSnapshot>) -> T,
    ) -> Result<T, NotReady> {
        let inner = self.lock();
        inner.snapshot.as_ref().map(|snapshot| read(inner.staged.pool(), snapshot)).ok_or(NotReady)
    }

    /// The block that the pool stands on, and its snapshot.
    pub(crate) fn tip(&self) -> (BlockId, Option<Arc<ChainSnapshot>>) {
        let inner = self.lock();
        (inner.staged.tip(), inner.snapshot.clone())
    }

    /// Drops the snapshot, so that the chain's store can be reopened.
    pub(crate) fn drop_snapshot(&self) {
        self.lock().snapshot = None;
    }

    /// Whether a transaction would be admitted, to know before its signature is checked. `Some` if it is known.
    pub(crate) fn check(&self, newcomer: &Pending) -> Result<Option<Admission>, PushError> {
        let mut inner = self.lock();
        match self.holdings_for(&inner, newcomer)? {
            Some(holdings) => Ok(inner.staged.pool().check(newcomer, holdings).map(|()| None)?),
            None => inner.wait_for_known(newcomer.id()).map(Some),
        }
    }

    /// Admits a transaction with a valid signature.
    pub(crate) fn admit(&self, newcomer: Pending) -> Result<Admission, PushError> {
        let mut inner = self.lock();
        let Some(holdings) = self.holdings_for(&inner, &newcomer)? else {
            return inner.wait_for_known(newcomer.id());
        };
        let (waiter, written) = oneshot::channel();
        inner.staged.admit(newcomer, holdings, waiter)?;
        drop(inner);
        self.work.notify_one();
        Ok(Admission::Accepted(written))
    }

    /// Tells subscribers of a refused transaction with valid signatures that takes coins which pending ones take:
    /// somebody tries to spend them twice. [`ReportedRivals`] bounds the reports.
    pub(crate) fn report_rival(&self, newcomer: TransactionId, refused: &PushError) {
        let mut inner = self.lock();
        for (coin, pending) in refused.rivals() {
            if inner.reported.note(pending, newcomer) {
                let notice = ConflictEvent { coin, pending, newcomer, taken: false };
                self.send(MempoolEvent::Pool(PoolEvent::Conflict(notice)));
            }
        }
    }

    /// What the holdings hold that it takes from; `None` if the transaction is pending or confirmed already.
    fn holdings_for(&self, inner: &Inner, newcomer: &Pending) -> Result<Option<BTreeMap<Holding, Amount>>, PushError> {
        let snapshot = inner.snapshot.as_deref().ok_or(NotReady)?;
        if inner.staged.pool().get(&newcomer.id()).is_some() {
            return Ok(None);
        }
        let Some(holdings) = unconfirmed_holdings(snapshot, &self.params, newcomer)? else { return Ok(None) };
        check_on_state(snapshot, &self.params, snapshot.tip().index.next(), &newcomer.transaction)?;
        Ok(Some(holdings))
    }

    /// Moves the pool to another snapshot; `delta` is the difference between the two.
    pub(crate) fn move_to(
        &self,
        snapshot: Arc<ChainSnapshot>,
        delta: ChainDelta,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let ChainDelta { disconnected, connected, mut spent, mut holdings, events } = delta;
        let mut inner = self.lock();
        let confirmed = match connected {
            Some(confirmed) => confirmed,
            None => {
                let all = inner.staged.all().flat_map(Pending::takes).map(|part| part.holding);
                add_holdings(&snapshot, &self.params, all, &mut holdings)?;
                for pending in inner.staged.pool().by_age() {
                    spent.extend(spent_coins(&snapshot, &pending.transaction)?);
                }
                inner.confirmed_in(&snapshot)?
            }
        };
        let taken = disconnected.iter().flat_map(Transaction::takes).map(|part| part.holding);
        let related = inner.staged.pool().related(holdings.keys().copied().chain(taken));
        add_holdings(&snapshot, &self.params, related, &mut holdings)?;
        // Nothing fails from here on: the pool never stands between two tips.
        let weights = Weights::of(&self.params);
        let returned = |transaction| Pending::weighed(Arc::new(transaction), now_ms, &weights);
        let disconnected = disconnected.into_iter().map(returned).collect();
        let tip = snapshot.tip().id();
        let news = inner.staged.move_to(TipChange { tip, confirmed, spent, holdings, disconnected });
        inner.snapshot = Some(snapshot);
        self.publish(&inner, news);
        events.into_iter().for_each(|event| self.send(event));
        drop(inner);
        self.work.notify_one();
        Ok(())
    }

    /// Removes at most `at_most` expired transactions; returns whether there may be more.
    pub(crate) fn expire(&self, now_ms: u64, at_most: usize) -> bool {
        let mut inner = self.lock();
        let news = inner.staged.expire(now_ms, at_most);
        let may_be_more = news.len() >= at_most;
        self.publish(&inner, news);
        drop(inner);
        self.work.notify_one();
        may_be_more
    }

    /// Waits for something to write; `None` once the service stops and all is written.
    pub(crate) fn next_batch(&self) -> Option<Arc<WriteBatch>> {
        let is_idle = |inner: &mut Inner| inner.staged.is_written() && !inner.is_stopping;
        let mut inner = self.work.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        inner.staged.next_batch()
    }

    /// Ends the batch in flight.
    pub(crate) fn finish_batch(&self, result: &Result<(), StoreError>) {
        let mut inner = self.lock();
        let BatchOutcome { news, replies } = match result {
            Ok(()) => inner.staged.committed(),
            Err(_) => {
                let snapshot = inner.snapshot.clone();
                inner.staged.failed(|pending| {
                    let holdings = unconfirmed_holdings(snapshot.as_deref()?, &self.params, pending);
                    holdings.ok().flatten()
                })
            }
        };
        self.publish(&inner, news);
        drop(inner);
        for (waiter, reply) in replies {
            let kept = match (reply, result) {
                (CommitReply::Written, _) => Ok(()),
                (CommitReply::Evicted(EvictionReason::Replaced { by, coin }), _) => Err(NotKept::Replaced { by, coin }),
                (CommitReply::Evicted(_), _) => Err(NotKept::Outbid),
                (CommitReply::Failed, result) => result.clone().map_err(NotKept::Unwritten),
            };
            // The client may have disconnected.
            let _ = waiter.send(kept);
        }
    }

    /// Lets the pool writer end once all is written.
    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.work.notify_one();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Sends events with the lock held, so that subscribers receive them in the order of the changes.
    fn publish(&self, _: &Inner, news: Vec<PoolNews>) {
        news.into_iter().flat_map(events_of).for_each(|event| self.send(MempoolEvent::Pool(event)));
    }

    fn send(&self, event: MempoolEvent) {
        // Fails if there is no subscriber.
        let _ = self.events.send(Arc::new(event));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The pool's transactions that are confirmed in `snapshot`, and the block of each.
    fn confirmed_in(&self, snapshot: &ChainSnapshot) -> Result<Vec<(TransactionId, BlockId)>, StoreError> {
        let mut confirmed = Vec::new();
        for pending in self.staged.all() {
            if let Some(block) = block_of(snapshot, &pending.id())? {
                confirmed.push((pending.id(), block));
            }
        }
        Ok(confirmed)
    }

    /// A second push of the same transaction is answered when the first is on disk.
    fn wait_for_known(&mut self, id: TransactionId) -> Result<Admission, PushError> {
        let (waiter, written) = oneshot::channel();
        let is_waiting = self.staged.wait_for(&id, waiter)?;
        Ok(Admission::Known(is_waiting.then_some(written)))
    }
}

#[cfg(test)]
mod tests;
