//! Transactions that were accepted and that the holdings they take from do not cover at the moment.
//!
//! When a reorganisation disconnects a payment, those that spend it are uncovered until it is mined again. Until then
//! they are kept here: no block could include them, so they are neither offered nor counted. The pool decides when one
//! comes here and when it leaves.

use super::pending::Age;
use super::{Evicted, EvictionReason, FeeRate, Pending, PoolLimits};
use crate::ledger::{Holding, TransactionId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Their limits are the pool's limits of count and bytes divided by this, in addition to the pool's own.
const SHARE: usize = 10;

/// The uncovered transactions by id, age, fee and holding.
#[derive(Debug, Default)]
pub(super) struct Uncovered {
    by_id: BTreeMap<TransactionId, Pending>,
    by_age: BTreeMap<Age, Pending>,
    /// Highest fee per byte first; of equal ones the oldest.
    by_fee: BTreeMap<(Reverse<FeeRate>, Age), Pending>,
    by_holding: BTreeMap<(Holding, Age), Pending>,
    bytes: usize,
}

impl Uncovered {
    pub(super) fn get(&self, id: &TransactionId) -> Option<&Pending> {
        self.by_id.get(id)
    }

    /// All, oldest first.
    pub(super) fn by_age(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.by_age.values()
    }

    /// Those that take from a holding, oldest first.
    pub(super) fn from(&self, holding: &Holding) -> impl Iterator<Item = &Pending> {
        self.by_holding.range((*holding, Age::FIRST)..=(*holding, Age::LAST)).map(|(_, pending)| pending)
    }

    /// Adds one; returns what had to leave: those that pay least per byte, of equal ones the youngest, as in the pool;
    /// or the new one if it is too large. To crowd out honest ones, one has to promise more than they pay.
    pub(super) fn insert(&mut self, pending: Pending, limits: &PoolLimits) -> Vec<Evicted> {
        let (max_count, max_bytes) = (limits.max_count.div_ceil(SHARE), limits.max_bytes.div_ceil(SHARE));
        let not_covered = |pending| Evicted { pending, reason: EvictionReason::NotCovered };
        if pending.bytes > max_bytes {
            return vec![not_covered(pending)];
        }
        self.bytes += pending.bytes;
        self.by_age.insert(pending.age(), pending.clone());
        self.by_fee.insert((Reverse(pending.fee_rate()), pending.age()), pending.clone());
        for part in pending.takes() {
            self.by_holding.insert((part.holding, pending.age()), pending.clone());
        }
        self.by_id.insert(pending.id(), pending);
        let mut evicted = Vec::new();
        while self.by_id.len() > max_count || self.bytes > max_bytes {
            let Some(cheapest) = self.by_fee.values().next_back().cloned() else { break };
            self.remove(&cheapest);
            evicted.push(not_covered(cheapest));
        }
        evicted
    }

    /// Removes what was inserted.
    pub(super) fn remove(&mut self, pending: &Pending) {
        if self.by_id.remove(&pending.id()).is_some() {
            self.by_age.remove(&pending.age());
            self.by_fee.remove(&(Reverse(pending.fee_rate()), pending.age()));
            for part in pending.takes() {
                self.by_holding.remove(&(part.holding, pending.age()));
            }
            self.bytes -= pending.bytes;
        }
    }
}
