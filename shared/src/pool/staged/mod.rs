//! A pool whose changes become durable in batches (docs/protocol.md §11).
//!
//! ```text
//! admit, move_to, expire ─▶ changes not written yet ─▶ next_batch ─▶ batch in flight ─┬─▶ committed: replies, events
//!                                     ▲                                               │
//!                                     └──────────── what remains of it ◀───────────── └─▶ failed: replies, rollback
//! ```
//!
//! A caller that pushes a transaction waits for the batch that holds it. A failed batch is rolled back: its newcomers
//! leave the pool, those that were evicted for them return, and its other changes go into the next batch. The state
//! machine has no lock, thread or disk: the mempool writes the batches and reports how that ended.

mod batch;

use super::{AdmissionError, Evicted, EvictionReason, Holds, Pending, Pool, PoolChanges, PoolLimits};
use crate::block::BlockId;
use crate::ledger::{Amount, CoinName, Holding, Transaction, TransactionId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most callers that may wait for a batch.
pub const MAX_WAITERS: usize = 8192;
/// With this many rows to write, nothing is admitted: while a disk fails, each push leaves one.
pub const MAX_UNWRITTEN: usize = 4 * MAX_WAITERS;

/// Why a transaction is not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// The pool refuses it.
    #[error(transparent)]
    Pool(#[from] AdmissionError),
    /// [`MAX_WAITERS`] callers wait already, or [`MAX_UNWRITTEN`] rows.
    #[error("too many transactions wait to be written already; try again")]
    Busy,
}

/// How the wait for a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitReply {
    /// It is on disk; by now it may be confirmed or expired.
    Written,
    /// It was evicted for one that pays more before it was on disk.
    Evicted(EvictionReason),
    /// The batch failed.
    Failed,
}

/// A change of the pool, for listeners. A transaction is announced, and its eviction for another one too, only after
/// the commit: what a failed batch rolls back was never announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolNews {
    /// A new transaction is pending.
    Accepted(Arc<Transaction>),
    /// A transaction is in a block of the best chain.
    Confirmed {
        /// The transaction.
        id: TransactionId,
        /// The block.
        block: BlockId,
    },
    /// A transaction is pending again, after a reorganisation.
    Returned(TransactionId),
    /// A block of the best chain has a transaction that took a coin of an accepted one: that one can be confirmed only
    /// if a reorganisation undoes the block, and is uncovered until then.
    Conflict {
        /// The coin; the first, if it took more of them.
        coin: CoinName,
        /// The accepted transaction.
        pending: TransactionId,
        /// The confirmed one.
        newcomer: TransactionId,
    },
    /// A transaction left the pool unconfirmed. If it was replaced, its coin was wanted twice.
    Evicted {
        /// The transaction.
        id: TransactionId,
        /// The policy that removed it.
        reason: EvictionReason,
    },
}

/// What the pool must know of a change of the best chain.
#[derive(Debug, Clone)]
pub struct TipChange {
    /// The new tip.
    pub tip: BlockId,
    /// Transactions of the connected blocks.
    pub confirmed: Vec<(TransactionId, BlockId)>,
    /// The coins that transactions of the connected blocks took, and which transaction took each.
    pub spent: BTreeMap<CoinName, TransactionId>,
    /// The holdings that changed, including those that `disconnected` take from, and [`Pool::related`] of them, each
    /// with what it holds now.
    pub holdings: BTreeMap<Holding, Amount>,
    /// Transactions of the disconnected blocks that the new chain does not have, oldest first.
    pub disconnected: Vec<Pending>,
}

/// An accepted transaction as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRow {
    /// The transaction.
    pub pending: Pending,
    /// Whether it is uncovered: then a restart does not let it take a coin that a pending one takes.
    pub is_uncovered: bool,
}

/// The changes since the previous batch: each replaces what is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBatch {
    /// The accepted transaction by id; `None` deletes it.
    pub rows: BTreeMap<TransactionId, Option<PoolRow>>,
    /// The block that the pool stands on, if it changed.
    pub tip: Option<BlockId>,
}

impl WriteBatch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.tip.is_none()
    }

    /// Notes the rows that changes of the pool lead to.
    fn note(&mut self, PoolChanges { uncovered, returned, evicted }: &PoolChanges) {
        let accepted = uncovered.iter().map(|one| (one, true)).chain(returned.iter().map(|one| (one, false)));
        let row =
            |(one, is_uncovered): (&Pending, bool)| (one.id(), Some(PoolRow { pending: one.clone(), is_uncovered }));
        self.rows.extend(accepted.map(row));
        self.rows.extend(evicted.iter().map(|evicted| (evicted.pending.id(), None)));
    }
}

/// What follows from the end of a batch. Announce `news` before sending `replies`, so that a caller that subscribes
/// after its reply receives only later news.
#[derive(Debug)]
#[must_use]
pub struct BatchOutcome<W> {
    /// For listeners, in this order.
    pub news: Vec<PoolNews>,
    /// For each caller that waited.
    pub replies: Vec<(W, CommitReply)>,
}

/// The callers that wait for one batch, and the admissions that a failure rolls back.
#[derive(Debug)]
struct Round<W> {
    waiters: BTreeMap<TransactionId, Vec<W>>,
    /// Admitted in this round. A transaction that was evicted in the same round and admitted again is no newcomer.
    newcomers: BTreeSet<TransactionId>,
    /// Evicted for newcomers of this round, possibly newcomers themselves.
    evicted: BTreeMap<TransactionId, Evicted>,
}

impl<W> Default for Round<W> {
    fn default() -> Self {
        Self { waiters: BTreeMap::new(), newcomers: BTreeSet::new(), evicted: BTreeMap::new() }
    }
}

#[derive(Debug)]
struct InFlight<W> {
    batch: Arc<WriteBatch>,
    round: Round<W>,
}

/// A pool, its changes that are not on disk, and the callers that wait for them. `W` identifies a caller.
///
/// # Invariants
/// Each waiter gets exactly one reply. Once all is written, the pool, the disk and what listeners know are the same.
#[derive(Debug)]
pub struct Staged<W> {
    pool: Pool,
    tip: BlockId,
    unwritten: WriteBatch,
    next: Round<W>,
    in_flight: Option<InFlight<W>>,
    waiter_count: usize,
}

impl<W> Staged<W> {
    /// The pool that was stored at `tip`, each transaction with what the holdings hold that it takes from, or `None` if
    /// it is confirmed. [`Staged::move_to`] must bring it to the chain's current tip before anything is admitted.
    pub fn load<H: Holds>(
        limits: PoolLimits,
        tip: BlockId,
        stored: impl IntoIterator<Item = (PoolRow, Option<H>)>,
    ) -> Self {
        let (mut pool, mut unwritten) = (Pool::new(limits), WriteBatch::default());
        for (PoolRow { pending, is_uncovered }, holds) in stored {
            let id = pending.id();
            let moved = match holds {
                Some(_) if is_uncovered => pool.readmit_uncovered(pending),
                Some(holds) => pool.readmit(pending, holds),
                None => {
                    unwritten.rows.insert(id, None);
                    continue;
                }
            };
            match moved {
                // An unchanged row need not be written again.
                Ok(PoolChanges { uncovered, evicted, .. }) => {
                    let uncovered = if is_uncovered { Vec::new() } else { uncovered };
                    unwritten.note(&PoolChanges { uncovered, evicted, ..PoolChanges::default() });
                }
                Err(_) => drop(unwritten.rows.insert(id, None)),
            }
        }
        Self { pool, tip, unwritten, next: Round::default(), in_flight: None, waiter_count: 0 }
    }

    /// The pool, including what is not on disk yet.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// All transactions that may be pending after the next batch: the pool, what is not covered, and what was evicted
    /// by a batch that may fail.
    pub fn all(&self) -> impl Iterator<Item = &Pending> {
        let evicted = self.rounds().flat_map(|round| round.evicted.values()).map(|evicted| &evicted.pending);
        self.pool.by_age().chain(self.pool.uncovered()).chain(evicted)
    }

    /// The block that the pool stands on.
    pub fn tip(&self) -> BlockId {
        self.tip
    }

    /// Whether every change is in a batch already.
    pub fn is_written(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Admits a transaction that is neither pending nor confirmed and whose signature is valid.
    ///
    /// # Errors
    /// See [`StageError`]; then nothing has changed.
    pub fn admit(&mut self, newcomer: Pending, holds: impl Holds, waiter: W) -> Result<(), StageError> {
        if self.waiter_count >= MAX_WAITERS || self.unwritten.rows.len() >= MAX_UNWRITTEN {
            return Err(StageError::Busy);
        }
        let id = newcomer.id();
        for evicted in self.pool.admit(newcomer.clone(), holds)? {
            self.unwritten.rows.insert(evicted.pending.id(), None);
            self.next.evicted.insert(evicted.pending.id(), evicted);
        }
        self.unwritten.rows.insert(id, Some(PoolRow { pending: newcomer, is_uncovered: false }));
        if self.next.evicted.remove(&id).is_none() {
            self.next.newcomers.insert(id);
        }
        self.next.waiters.entry(id).or_default().push(waiter);
        self.waiter_count += 1;
        Ok(())
    }

    /// Adds a waiter for a transaction that another caller pushed. Returns `false`, without keeping the waiter, if no
    /// caller waits for it: then it is on disk.
    ///
    /// # Errors
    /// [`StageError::Busy`].
    pub fn wait_for(&mut self, id: &TransactionId, waiter: W) -> Result<bool, StageError> {
        let is_full = self.waiter_count >= MAX_WAITERS;
        let Some(waiters) = self.rounds_mut().find_map(|round| round.waiters.get_mut(id)) else { return Ok(false) };
        if is_full {
            return Err(StageError::Busy);
        }
        waiters.push(waiter);
        self.waiter_count += 1;
        Ok(true)
    }

    /// Moves the pool to another tip.
    pub fn move_to(&mut self, change: TipChange) -> Vec<PoolNews> {
        let mut news = Vec::new();
        for (id, block) in change.confirmed {
            if self.pool.remove_confirmed(&id).is_some() {
                self.unwritten.rows.insert(id, None);
            }
            self.exclude_from_rollback(&id);
            news.push(PoolNews::Confirmed { id, block });
        }
        for returned in &change.disconnected {
            self.exclude_from_rollback(&returned.id());
        }
        let changed = change.holdings.keys().copied();
        let moved = self.pool.recheck(changed, change.disconnected, &change.holdings);
        self.record(moved, &mut news);
        self.announce_conflicts(&change.spent, &mut news);
        self.tip = change.tip;
        self.unwritten.tip = Some(change.tip);
        news
    }

    /// Removes at most `at_most` transactions that have waited too long.
    pub fn expire(&mut self, now_ms: u64, at_most: usize) -> Vec<PoolNews> {
        let evicted = self.pool.expire(now_ms, at_most);
        let mut news = Vec::new();
        self.record(PoolChanges { evicted, ..PoolChanges::default() }, &mut news);
        news
    }

    /// Announces which accepted transactions lost a coin to one of a block, each pair once.
    fn announce_conflicts(&self, spent: &BTreeMap<CoinName, TransactionId>, news: &mut Vec<PoolNews>) {
        let mut told = BTreeSet::new();
        for (&coin, &newcomer) in spent {
            for pending in self.pool.uncovered.from(&Holding::Coin(coin)).map(Pending::id) {
                if told.insert((pending, newcomer)) {
                    news.push(PoolNews::Conflict { coin, pending, newcomer });
                }
            }
        }
    }

    /// A transaction that is or was in the chain stays, whatever happens to the batch with its push.
    fn exclude_from_rollback(&mut self, id: &TransactionId) {
        for round in self.rounds_mut() {
            round.newcomers.remove(id);
            round.evicted.remove(id);
        }
    }

    fn rounds(&self) -> impl Iterator<Item = &Round<W>> {
        [Some(&self.next), self.in_flight.as_ref().map(|in_flight| &in_flight.round)].into_iter().flatten()
    }

    fn rounds_mut(&mut self) -> impl Iterator<Item = &mut Round<W>> {
        [Some(&mut self.next), self.in_flight.as_mut().map(|in_flight| &mut in_flight.round)].into_iter().flatten()
    }

    /// Notes what a change of the chain or the clock did to the pool. Newcomers are announced after their commit.
    fn record(&mut self, changes: PoolChanges, news: &mut Vec<PoolNews>) {
        self.unwritten.note(&changes);
        let PoolChanges { returned, evicted, .. } = changes;
        for id in returned.iter().map(Pending::id) {
            if !self.rounds().any(|round| round.newcomers.contains(&id)) {
                news.push(PoolNews::Returned(id));
            }
        }
        for Evicted { pending, reason } in evicted {
            let id = pending.id();
            if reason == EvictionReason::Outbid && self.next.waiters.contains_key(&id) {
                // Its caller still waits, and is to hear that it was outbid.
                self.next.evicted.insert(id, Evicted { pending, reason });
            } else {
                news.push(PoolNews::Evicted { id, reason });
            }
        }
    }
}
