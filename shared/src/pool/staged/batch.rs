//! A batch on its way to the disk, and what follows from its success or failure.

use super::{BatchOutcome, CommitReply, InFlight, PoolNews, Round, Staged, WriteBatch};
use crate::ledger::TransactionId;
use crate::pool::{EvictionReason, Holds, Pending, PoolChanges};
use std::collections::btree_map::Entry;
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
            let reply = match batch.rows.get(&id) {
                Some(None) if round.outbid.contains_key(&id) => CommitReply::Outbid,
                _ => CommitReply::Written,
            };
            // It may have left again in the meantime. If it was outbid, that is announced with the next batch; if it
            // was pushed once more, so is its return.
            if reply == CommitReply::Written
                && !self.next.newcomers.contains(&id)
                && let Some(pending) = self.pool.get(&id).or_else(|| self.next.outbid.get(&id))
            {
                outcome.news.push(PoolNews::Accepted(pending.transaction.clone()));
            }
            self.reply(waiters, reply, &mut outcome);
        }
        let announced = round.outbid.into_keys().filter(|id| !round.newcomers.contains(id));
        outcome.news.extend(announced.map(outbid));
        outcome
    }

    /// The batch in flight was not written. `holds_for` returns what the holdings hold that a transaction takes from,
    /// or `None` if the transaction is confirmed or the chain cannot be read.
    pub fn failed<H: Holds>(&mut self, mut holds_for: impl FnMut(&Pending) -> Option<H>) -> BatchOutcome<W> {
        let Some(InFlight { batch, round }) = self.in_flight.take() else { return BatchOutcome::default() };
        let mut outcome = BatchOutcome::default();
        let batch = Arc::unwrap_or_clone(batch);
        self.roll_back(batch, &round);
        let mut outbid: Vec<_> =
            round.outbid.into_values().filter(|pending| !round.newcomers.contains(&pending.id())).collect();
        outbid.sort_by_key(Pending::age);
        for pending in outbid {
            let holds = holds_for(&pending);
            self.restore(pending, holds, &mut outcome.news);
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
                self.next.outbid.remove(id);
            }
        }
        for (id, row) in batch.rows {
            // A change made while the batch was in flight is newer.
            let Entry::Vacant(unwritten) = self.unwritten.rows.entry(id) else { continue };
            if round.newcomers.contains(&id) {
                self.pool.remove_confirmed(&id);
                unwritten.insert(None);
            } else {
                unwritten.insert(row);
            }
        }
    }

    /// Returns an outbid transaction to the pool, since the batch with its eviction failed.
    fn restore(&mut self, pending: Pending, holds: Option<impl Holds>, news: &mut Vec<PoolNews>) {
        let id = pending.id();
        // If it was pushed again while the batch was in flight, it is no newcomer there.
        self.next.newcomers.remove(&id);
        if self.next.outbid.contains_key(&id) || self.pool.get(&id).is_some() {
            return;
        }
        match holds.map(|holds| self.pool.readmit(pending.clone(), holds)) {
            Some(Ok(PoolChanges { evicted, .. })) => {
                self.unwritten.rows.insert(id, Some(pending));
                // No listener knows that it was gone.
                self.record(PoolChanges { evicted, ..PoolChanges::default() }, news);
            }
            _ => news.push(outbid(id)),
        }
    }
}

fn outbid(id: TransactionId) -> PoolNews {
    PoolNews::Evicted { id, reason: EvictionReason::Outbid }
}

impl<W> Default for BatchOutcome<W> {
    fn default() -> Self {
        Self { news: Vec::new(), replies: Vec::new() }
    }
}
