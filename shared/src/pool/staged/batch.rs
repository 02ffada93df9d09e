//! A batch on its way to the disk, and what follows from its success or failure.

use super::{BatchOutcome, CommitReply, InFlight, PoolNews, Round, Staged, WriteBatch};
use crate::pool::{Evicted, Holds, Pending, PoolChanges};
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
        for (id, waiters) in round.waiters {
            let reply = match (batch.rows.get(&id), round.evicted.get(&id)) {
                (Some(None), Some(evicted)) => CommitReply::Evicted(evicted.reason),
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
        let announced = round.evicted.into_iter().filter(|(id, _)| !round.newcomers.contains(id));
        outcome.news.extend(announced.map(|(id, evicted)| PoolNews::Evicted { id, reason: evicted.reason }));
        outcome
    }

    /// The batch in flight was not written. `holds_for` returns what the holdings hold that a transaction takes from,
    /// or `None` if the transaction is confirmed or the chain cannot be read.
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

    /// Returns a transaction that was evicted for another to the pool, since the batch with its eviction failed.
    fn restore(&mut self, evicted: Evicted, holds: Option<impl Holds>, news: &mut Vec<PoolNews>) {
        let Evicted { pending, reason } = evicted;
        let id = pending.id();
        // If it was pushed again while the batch was in flight, it is no newcomer there.
        self.next.newcomers.remove(&id);
        if self.next.evicted.contains_key(&id) || self.pool.get(&id).is_some() {
            return;
        }
        match holds.map(|holds| self.pool.readmit(pending.clone(), holds)) {
            Some(Ok(changes)) => {
                self.unwritten.note(&changes);
                // No listener knows that it was gone.
                self.record(PoolChanges { evicted: changes.evicted, ..PoolChanges::default() }, news);
            }
            _ => news.push(PoolNews::Evicted { id, reason }),
        }
    }
}

impl<W> Default for BatchOutcome<W> {
    fn default() -> Self {
        Self { news: Vec::new(), replies: Vec::new() }
    }
}
