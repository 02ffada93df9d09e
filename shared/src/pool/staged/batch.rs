//! A batch on its way to the disk, and what follows from its success or failure.

use super::{BatchOutcome, CommitReply, InFlight, PoolNews, Round, Staged, WriteBatch};
use crate::ledger::{CoinName, Holding, TransactionId};
use crate::pool::{Evicted, EvictionReason, Holds, Pending, PoolChanges};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl<W> Staged<W> {
    /// The next batch to write; then [`Staged::committed`] or [`Staged::failed`] must be called. `None` while another
    /// batch is in flight, and if nothing has changed.
    pub fn next_batch(&mut self) -> Option<Arc<WriteBatch>> {
        if self.in_flight.is_some() || self.unwritten.is_empty() {
            return None;
        }
        let batch = Arc::new(std::mem::take(&mut self.unwritten));
        self.in_flight = Some(InFlight { batch: batch.clone(), round: std::mem::take(&mut self.next) });
        Some(batch)
    }

    /// The batch in flight is durable.
    pub fn committed(&mut self) -> BatchOutcome<W> {
        let Some(InFlight { batch, round }) = self.in_flight.take() else { return BatchOutcome::default() };
        let mut outcome = BatchOutcome::default();
        let Round { waiters, newcomers, evicted } = round;
        for (id, waiters) in waiters {
            let reply = match (batch.rows.get(&id), evicted.get(&id)) {
                (Some(None), Some(one)) => CommitReply::Evicted(last_reason(one, &batch, &evicted)),
                _ => CommitReply::Written,
            };
            // It may have left again in the meantime. If it was evicted for another, that is announced with the next
            // batch; if it was pushed once more, so is its return.
            if reply == CommitReply::Written
                && !self.next.newcomers.contains(&id)
                && let Some(pending) = self.pool.get(&id).or_else(|| Some(&self.next.evicted.get(&id)?.pending))
            {
                outcome.news.push(PoolNews::Accepted(pending.transaction.clone()));
            }
            self.reply(waiters, reply, &mut outcome);
        }
        let announced = evicted.iter().filter(|(id, _)| !newcomers.contains(id));
        let news = |(id, one): (&_, _)| PoolNews::Evicted { id: *id, reason: last_reason(one, &batch, &evicted) };
        outcome.news.extend(announced.map(news));
        outcome
    }

    /// The batch in flight was not written. `holds_for` returns what the holdings hold that an unconfirmed transaction
    /// takes from, or `None` if the chain cannot be read: then it is uncovered until [`Staged::move_to`].
    pub fn failed<H: Holds>(&mut self, mut holds_for: impl FnMut(&Pending) -> Option<H>) -> BatchOutcome<W> {
        let Some(InFlight { batch, round }) = self.in_flight.take() else { return BatchOutcome::default() };
        let mut outcome = BatchOutcome::default();
        let batch = Arc::unwrap_or_clone(batch);
        self.roll_back(batch, &round);
        let mut evicted: Vec<_> =
            round.evicted.into_values().filter(|one| !round.newcomers.contains(&one.pending.id())).collect();
        evicted.sort_by_key(|one| one.pending.age());
        for one in evicted {
            let holds = holds_for(&one.pending);
            self.restore(one, holds, &mut outcome.news);
        }
        for (_, waiters) in round.waiters {
            self.reply(waiters, CommitReply::Failed, &mut outcome);
        }
        outcome
    }

    fn reply(&mut self, waiters: Vec<W>, reply: CommitReply, outcome: &mut BatchOutcome<W>) {
        self.waiter_count -= waiters.len();
        outcome.replies.extend(waiters.into_iter().map(|waiter| (waiter, reply)));
    }

    /// Removes the newcomers of a failed batch from the pool and moves its other changes to the next batch.
    fn roll_back(&mut self, batch: WriteBatch, round: &Round<W>) {
        self.unwritten.tip = self.unwritten.tip.or(batch.tip);
        for id in &round.newcomers {
            if self.next.waiters.contains_key(id) {
                // Evicted and admitted again while the batch was in flight: now a newcomer of the next batch.
                self.next.newcomers.insert(*id);
            } else {
                self.next.evicted.remove(id);
            }
        }
        for (id, row) in batch.rows {
            if round.newcomers.contains(&id) && !self.next.newcomers.contains(&id) {
                self.pool.remove_confirmed(&id);
                self.unwritten.rows.insert(id, None);
            } else {
                // A change made while the batch was in flight is newer.
                self.unwritten.rows.entry(id).or_insert(row);
            }
        }
    }

    /// The first newcomer of the next batch that takes a coin of this transaction, which then stays replaced.
    fn replaced_in_next(&self, pending: &Pending) -> Option<EvictionReason> {
        pending.takes().iter().find_map(|part| match part.holding {
            Holding::Coin(coin) => {
                let by = self.pool.first_taker(&part.holding)?.id();
                self.next.newcomers.contains(&by).then_some(EvictionReason::Replaced { by, coin })
            }
            Holding::Account(_) => None,
        })
    }

    /// Returns a transaction that was evicted for another to the pool, since the batch with its eviction failed.
    fn restore(&mut self, evicted: Evicted, holds: Option<impl Holds>, news: &mut Vec<PoolNews>) {
        let Evicted { pending, .. } = evicted;
        let id = pending.id();
        // If it was pushed again while the batch was in flight, it is no newcomer there.
        self.next.newcomers.remove(&id);
        if self.next.evicted.contains_key(&id) || self.pool.get(&id).is_some() {
            return;
        }
        if let Some(reason) = self.replaced_in_next(&pending) {
            self.next.evicted.insert(id, Evicted { pending, reason });
            return;
        }
        let returned = match holds {
            Some(holds) => self.pool.readmit(pending.clone(), holds),
            None => self.pool.readmit_uncovered(pending.clone()),
        };
        match returned {
            Ok(changes) => {
                self.unwritten.note(&changes);
                // No listener knows that it was gone.
                self.record(PoolChanges { evicted: changes.evicted, ..PoolChanges::default() }, news);
            }
            // A newcomer of the next batch may have its place. If that batch fails as well, it returns.
            Err(_) if !self.next.newcomers.is_empty() => {
                self.next.evicted.insert(id, Evicted { pending, reason: EvictionReason::Outbid });
            }
            Err(_) => news.push(PoolNews::Evicted { id, reason: EvictionReason::Outbid }),
        }
    }
}

/// Why a transaction left, for listeners and callers. They never hear of one that was itself evicted before the commit,
/// so they hear of its successor, as long as that takes a coin of the first, too.
fn last_reason(left: &Evicted, batch: &WriteBatch, evicted: &BTreeMap<TransactionId, Evicted>) -> EvictionReason {
    let pending_of = |id: TransactionId| match batch.rows.get(&id) {
        Some(Some(row)) => Some(&row.pending),
        _ => evicted.get(&id).map(|one| &one.pending),
    };
    let mut reason = left.reason;
    while let EvictionReason::Replaced { by, .. } = reason
        && let Some(successor) = evicted.get(&by)
    {
        reason = match successor.reason {
            EvictionReason::Replaced { by, .. } => {
                match pending_of(by).and_then(|next| shared_coin(&left.pending, next)) {
                    Some(coin) => EvictionReason::Replaced { by, coin },
                    None => break,
                }
            }
            other => other,
        };
    }
    reason
}

/// The first coin that both take.
fn shared_coin(one: &Pending, other: &Pending) -> Option<CoinName> {
    let of_other: BTreeSet<_> = other.takes().iter().map(|part| part.holding).collect();
    one.takes().iter().find_map(|part| match part.holding {
        Holding::Coin(coin) if of_other.contains(&part.holding) => Some(coin),
        _ => None,
    })
}

impl<W> Default for BatchOutcome<W> {
    fn default() -> Self {
        Self { news: Vec::new(), replies: Vec::new() }
    }
}
