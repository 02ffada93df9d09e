//! What the committer takes from the desk, and what comes of it: nobody is told that something was taken or had to leave
//! before that is on disk, and what could not be written is as if it had never come.

use super::{Desk, Inner, NotKept, evicted_event};
use crate::store::Changes;
use shared::layer::transaction::{account_balance, locate_transaction};
use shared::ledger::TransactionId;
use shared::params::Params;
use shared::pool::{AdmissionError, EvictionReason, Pending, PoolChanges};
use shared::store::StoreError;
use shared::wire::PoolEvent;
use std::collections::BTreeSet;
use std::sync::PoisonError;

impl Desk {
    /// Waits for something to write; none when it is time to end and all is written.
    pub(crate) fn next_batch(&self) -> Option<Changes> {
        let is_idle = |inner: &mut Inner| inner.unwritten.is_empty() && !inner.is_ending;
        let mut inner = self.work.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        if inner.unwritten.is_empty() {
            return None;
        }
        inner.committing = std::mem::take(&mut inner.waiting);
        inner.giving_way = std::mem::take(&mut inner.outbid);
        Some(std::mem::take(&mut inner.unwritten))
    }

    /// Tells whoever waited what came of a batch; if it failed, nobody was told that what is new in it was taken, so it
    /// leaves the pool, what gave way to it returns, and the rest of the batch is written with the next one.
    pub(crate) fn written(&self, batch: Changes, result: &Result<(), StoreError>) {
        let mut events = Vec::new();
        let mut inner = self.lock();
        let waited = std::mem::take(&mut inner.committing);
        let gave_way = std::mem::take(&mut inner.giving_way);
        let outbid: BTreeSet<_> = gave_way.iter().map(Pending::id).collect();
        let newcomers: BTreeSet<_> = waited.keys().copied().collect();
        let mut answers = Vec::new();
        for (id, waiters) in waited {
            let answer = match (result, batch.rows.get(&id)) {
                (Err(error), _) => Err(NotKept::Unwritten(error.clone())),
                (Ok(()), Some(None)) if outbid.contains(&id) => Err(NotKept::Outbid),
                (Ok(()), _) => Ok(()),
            };
            // Some have left again, while they were written.
            if answer.is_ok()
                && let Some(pending) = inner.pool.get(&id)
            {
                events.push(PoolEvent::Transaction(Box::new((*pending.transaction).clone())));
            }
            inner.waiters -= waiters.len();
            answers.push((waiters, answer));
        }
        let victims = gave_way.into_iter().filter(|pending| !newcomers.contains(&pending.id()));
        if result.is_ok() {
            let gone = victims.filter(|pending| inner.pool.get(&pending.id()).is_none());
            events.extend(gone.map(|pending| evicted_event(pending.id(), EvictionReason::Outbid)));
        } else {
            inner.undo(batch, &newcomers);
            inner.restore(victims, &self.params, &mut events);
        }
        // Events first: who has an answer and subscribes then is told what comes after it.
        self.tell(&inner, events);
        drop(inner);
        for (waiters, answer) in answers {
            for waiter in waiters {
                // Whoever pushed may have gone away.
                let _ = waiter.send(answer.clone());
            }
        }
    }
}

impl Inner {
    /// Takes back a batch that could not be written: what was new in it leaves, the rest is still to be written.
    fn undo(&mut self, batch: Changes, newcomers: &BTreeSet<TransactionId>) {
        self.unwritten.tip = self.unwritten.tip.or(batch.tip);
        for (id, change) in batch.rows {
            if self.unwritten.rows.contains_key(&id) {
                continue;
            }
            let change = change.filter(|_| !newcomers.contains(&id));
            if change.is_none() {
                self.pool.remove_confirmed(&id);
            }
            self.unwritten.rows.insert(id, change);
        }
    }

    /// Takes back those that gave way to what is not there after all.
    fn restore(&mut self, victims: impl Iterator<Item = Pending>, params: &Params, events: &mut Vec<PoolEvent>) {
        for victim in victims {
            let id = victim.id();
            let balance = match self.state.as_deref().map(|state| (locate_transaction(state, &id), state)) {
                Some((Ok(None), state)) => account_balance(state, params, &victim.transaction.from).ok(),
                _ => None,
            };
            match balance.map(|balance| self.pool.readmit(victim.clone(), balance)) {
                Some(Ok(PoolChanges { evicted, .. })) => {
                    self.unwritten.rows.insert(id, Some(victim));
                    self.follow(PoolChanges { evicted, ..PoolChanges::default() }, events);
                }
                Some(Err(AdmissionError::Known(_))) => {}
                _ => events.push(evicted_event(id, EvictionReason::Outbid)),
            }
        }
    }
}
