//! The pool, the state that it stands on, and what is not on disk of it yet: all that changes together, under one lock.
//!
//! What changes is written by the committer in the order in which it changed, and nobody is told that a transaction was
//! taken before it is written. Which transactions are good is decided by `shared`; nothing here waits for a disk.

mod writing;

use crate::passage::Passage;
use crate::store::{Changes, PoolStore};
use runtime::follower::Follower;
use shared::block::BlockId;
use shared::chain::ChainSnapshot;
use shared::layer::transaction::{account_balance, locate_transaction};
use shared::ledger::{Address, Amount, Transaction, TransactionId};
use shared::params::Params;
use shared::pool::{AdmissionError, Evicted, EvictionReason, Pending, Pool, PoolChanges, PoolLimits};
use shared::store::StoreError;
use shared::wire::{ConfirmedEvent, EvictedEvent, PoolEvent, ReturnedEvent};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{broadcast, oneshot};

/// Most pushes that wait for the disk.
const MAX_WAITING: usize = 8192;
/// Events that a slow listener may fall behind.
const EVENTS: usize = 4096;

/// Why a transaction is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Pool(#[from] AdmissionError),
    #[error("{to} has {balance} LAB confirmed, and {amount} LAB more is more than there can be")]
    ReceiverIsFull { to: Address, balance: Amount, amount: Amount },
    #[error("too many transactions wait to be written already; try again")]
    Busy,
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error("the chain cannot be read at the moment: {0}")]
    Store(#[from] StoreError),
}

/// There is no state to judge by.
#[derive(Debug, thiserror::Error)]
#[error("the chain is being opened again after a failure; try again")]
pub(crate) struct NotReady;

/// What comes of a push: told once it is on disk.
pub(crate) enum Admission {
    Accepted(Written),
    /// It was here already; if it is not on disk yet, that is worth waiting for.
    Known(Option<Written>),
}

/// Why a transaction that was taken is not there after all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotKept {
    #[error("the pool cannot be written: {0}")]
    Unwritten(StoreError),
    #[error("the pool is full, and others that came at the same time pay more; a higher fee would do, or wait")]
    Outbid,
}

/// Tells whether what was waited for is on disk.
pub(crate) type Written = oneshot::Receiver<Result<(), NotKept>>;
type Waiting = BTreeMap<TransactionId, Vec<oneshot::Sender<Result<(), NotKept>>>>;

pub(crate) struct Desk {
    inner: Mutex<Inner>,
    /// Something is to be written, or it is time to end.
    work: Condvar,
    events: broadcast::Sender<Arc<PoolEvent>>,
    params: Params,
    /// Has damaged blocks fetched again.
    follower: OnceLock<Follower>,
}

struct Inner {
    pool: Pool,
    /// The state that the pool stands on; none while the chain's store is being opened again, which who holds an old
    /// state would stand in the way of.
    state: Option<Arc<ChainSnapshot>>,
    tip: BlockId,
    unwritten: Changes,
    /// Who waits for the next commit, and for the one under way.
    waiting: Waiting,
    committing: Waiting,
    /// What has left for those who wait for the next commit, and for those of the one under way; if it fails, it returns.
    outbid: Vec<Pending>,
    giving_way: Vec<Pending>,
    waiters: usize,
    is_ending: bool,
}

impl Desk {
    /// The pool as `store` has it, on `state`. What was pending and is in the chain now, or is not covered any more,
    /// leaves; [`Desk::move_to`] must be called before anything is asked.
    pub(crate) fn open(
        params: Params,
        limits: PoolLimits,
        store: &PoolStore,
        state: &ChainSnapshot,
    ) -> Result<Self, StoreError> {
        let stored = store.load()?;
        let (mut pool, mut unwritten) = (Pool::new(limits), Changes::default());
        for pending in stored.pending {
            let id = pending.id();
            let balance = account_balance(state, &params, &pending.transaction.from)?;
            if locate_transaction(state, &id)?.is_none()
                && let Ok(moved) = pool.readmit(pending, balance)
            {
                unwritten.rows.extend(moved.evicted.iter().map(|evicted| (evicted.pending.id(), None)));
            } else {
                unwritten.rows.insert(id, None);
            }
        }
        let inner = Inner {
            pool,
            state: None,
            tip: stored.tip.unwrap_or_else(|| state.tip().id()),
            unwritten,
            waiting: Waiting::new(),
            committing: Waiting::new(),
            outbid: Vec::new(),
            giving_way: Vec::new(),
            waiters: 0,
            is_ending: false,
        };
        let (events, _) = broadcast::channel(EVENTS);
        Ok(Self { inner: Mutex::new(inner), work: Condvar::new(), events, params, follower: OnceLock::new() })
    }

    /// From now on, damaged blocks are reported to `follower`.
    pub(crate) fn report_to(&self, follower: Follower) {
        // The first stays, and it is the only one.
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

    /// What happens from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<PoolEvent>> {
        self.events.subscribe()
    }

    /// Whether anybody is told of events.
    pub(crate) fn has_listeners(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// The state that the pool stands on.
    pub(crate) fn state(&self) -> Result<Arc<ChainSnapshot>, NotReady> {
        self.lock().state.clone().ok_or(NotReady)
    }

    /// Looks at the pool, briefly: everybody else waits.
    pub(crate) fn pool<T>(&self, look: impl FnOnce(&Pool) -> T) -> T {
        look(&self.lock().pool)
    }

    /// Looks at the pool and the state that it stands on, as they belong together.
    pub(crate) fn both<T>(&self, look: impl FnOnce(&Pool, &Arc<ChainSnapshot>) -> T) -> Result<T, NotReady> {
        let inner = self.lock();
        inner.state.as_ref().map(|state| look(&inner.pool, state)).ok_or(NotReady)
    }

    /// The block that the pool stands on, and its state.
    pub(crate) fn stands_on(&self) -> (BlockId, Option<Arc<ChainSnapshot>>) {
        let inner = self.lock();
        (inner.tip, inner.state.clone())
    }

    /// Lets go of the state, so that the chain's store can be opened again.
    pub(crate) fn let_go(&self) {
        self.lock().state = None;
    }

    /// Whether a transaction would be taken, to know before its signature is checked; an answer where it is known.
    pub(crate) fn check(&self, newcomer: &Pending) -> Result<Option<Admission>, Refused> {
        let mut inner = self.lock();
        match self.balance_for(&inner, newcomer)? {
            Some(balance) => Ok(inner.pool.check(newcomer, balance).map(|()| None)?),
            None => inner.wait_for_known(newcomer.id()).map(Some),
        }
    }

    /// Takes a transaction whose signature is right, or tells why not.
    pub(crate) fn admit(&self, newcomer: Pending) -> Result<Admission, Refused> {
        let mut inner = self.lock();
        let id = newcomer.id();
        let Some(balance) = self.balance_for(&inner, &newcomer)? else { return inner.wait_for_known(id) };
        if inner.waiters >= MAX_WAITING {
            return Err(Refused::Busy);
        }
        for Evicted { pending, .. } in inner.pool.admit(newcomer.clone(), balance)? {
            inner.unwritten.rows.insert(pending.id(), None);
            inner.outbid.push(pending);
        }
        inner.unwritten.rows.insert(id, Some(newcomer));
        let written = inner.wait(id);
        drop(inner);
        self.work.notify_one();
        Ok(Admission::Accepted(written))
    }

    /// The sender's confirmed balance; none if the transaction is known.
    fn balance_for(&self, inner: &Inner, newcomer: &Pending) -> Result<Option<Amount>, Refused> {
        let state = inner.state.as_deref().ok_or(NotReady)?;
        let id = newcomer.id();
        if inner.pool.get(&id).is_some() || locate_transaction(state, &id)?.is_some() {
            return Ok(None);
        }
        let Transaction { from, to, amount, .. } = &*newcomer.transaction;
        if from != to {
            // No block could take it, and yet it would be among the oldest one day.
            let (balance, amount) = (account_balance(state, &self.params, to)?, *amount);
            if balance.checked_add(amount).is_none() {
                return Err(Refused::ReceiverIsFull { to: *to, balance, amount });
            }
        }
        Ok(Some(account_balance(state, &self.params, from)?))
    }

    /// Moves the pool to another state, along what lies between.
    pub(crate) fn move_to(&self, state: Arc<ChainSnapshot>, passage: Passage, now_ms: u64) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let mut balances = passage.balances;
        let confirmed = match passage.applied {
            Some(confirmed) => confirmed,
            None => {
                inner.pool_balances(&state, &self.params, &mut balances)?;
                inner.confirmed_by(&state)?
            }
        };
        // From here on nothing fails: the pool is never left between two states.
        let mut events = Vec::new();
        for (id, block) in confirmed {
            if inner.pool.remove_confirmed(&id).is_some() {
                inner.unwritten.rows.insert(id, None);
            }
            events.push(PoolEvent::Confirmed(ConfirmedEvent { id, block }));
        }
        for (address, balance) in &balances {
            let moved = inner.pool.recheck_sender(address, *balance);
            inner.follow(moved, &mut events);
        }
        for transaction in passage.undone {
            let (id, balance) = (transaction.id, balances.get(&transaction.from).copied().unwrap_or_default());
            let returned = Pending::new(Arc::new(transaction), now_ms);
            match inner.pool.readmit(returned.clone(), balance) {
                Ok(moved) => {
                    inner.unwritten.rows.insert(id, Some(returned));
                    inner.follow(moved, &mut events);
                }
                Err(AdmissionError::Known(_)) => {}
                Err(_) => events.push(evicted_event(id, EvictionReason::Outbid)),
            }
        }
        inner.tip = state.tip().id();
        inner.unwritten.tip = Some(inner.tip);
        inner.state = Some(state);
        self.tell(&inner, events);
        drop(inner);
        self.work.notify_one();
        Ok(())
    }

    /// Drops what has waited for too long; tells whether there may be more.
    pub(crate) fn expire(&self, now_ms: u64, at_most: usize) -> bool {
        let mut inner = self.lock();
        let expired = inner.pool.expire(now_ms, at_most);
        let (is_all, mut events) = (expired.len() < at_most, Vec::new());
        inner.follow(PoolChanges { evicted: expired, ..PoolChanges::default() }, &mut events);
        self.tell(&inner, events);
        drop(inner);
        self.work.notify_one();
        !is_all
    }

    /// Lets the committer end once all is written.
    pub(crate) fn end(&self) {
        self.lock().is_ending = true;
        self.work.notify_one();
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.lock().is_ending
    }

    /// Tells the listeners, in the order in which things happen: hence with the lock held.
    fn tell(&self, _: &Inner, events: Vec<PoolEvent>) {
        for event in events {
            // Nobody listening is fine.
            let _ = self.events.send(Arc::new(event));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Notes what a change of the chain has moved.
    fn follow(&mut self, PoolChanges { returned, evicted }: PoolChanges, events: &mut Vec<PoolEvent>) {
        events.extend(returned.iter().map(|pending| PoolEvent::Returned(ReturnedEvent { id: pending.id() })));
        for Evicted { pending, reason } in evicted {
            self.unwritten.rows.insert(pending.id(), None);
            events.push(evicted_event(pending.id(), reason));
        }
    }

    /// The transactions here that are in the chain of `state`, and in which block.
    fn confirmed_by(&self, state: &ChainSnapshot) -> Result<Vec<(TransactionId, BlockId)>, StoreError> {
        let mut confirmed = Vec::new();
        for pending in self.pool.by_age().chain(self.pool.uncovered()) {
            if let Some(place) = locate_transaction(state, &pending.id())?
                && let Some(block) = state.chain().best_at(place.index)?
            {
                confirmed.push((pending.id(), block));
            }
        }
        Ok(confirmed)
    }

    /// What the senders of all transactions here hold in `state`.
    fn pool_balances(
        &self,
        state: &ChainSnapshot,
        params: &Params,
        balances: &mut BTreeMap<Address, Amount>,
    ) -> Result<(), StoreError> {
        for pending in self.pool.by_age().chain(self.pool.uncovered()) {
            if let Entry::Vacant(unknown) = balances.entry(pending.transaction.from) {
                unknown.insert(account_balance(state, params, &pending.transaction.from)?);
            }
        }
        Ok(())
    }

    fn wait(&mut self, id: TransactionId) -> Written {
        let (waiter, written) = oneshot::channel();
        self.waiting.entry(id).or_default().push(waiter);
        self.waiters += 1;
        written
    }

    /// Who pushes what another has just pushed is told that it is known when that is on disk.
    fn wait_for_known(&mut self, id: TransactionId) -> Result<Admission, Refused> {
        let under_way = [&mut self.waiting, &mut self.committing].into_iter().find_map(|waiting| waiting.get_mut(&id));
        let Some(waiters) = under_way else { return Ok(Admission::Known(None)) };
        if self.waiters >= MAX_WAITING {
            return Err(Refused::Busy);
        }
        let (waiter, written) = oneshot::channel();
        waiters.push(waiter);
        self.waiters += 1;
        Ok(Admission::Known(Some(written)))
    }
}

fn evicted_event(id: TransactionId, reason: EvictionReason) -> PoolEvent {
    PoolEvent::Evicted(EvictedEvent { id, reason: reason.name().to_owned() })
}

#[cfg(test)]
mod tests;
