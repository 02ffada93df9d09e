//! Which refused rivals subscribers have heard of. A refusal costs its sender nothing, so that reports are bounded.

use lru::LruCache;
use shared::ledger::TransactionId;
use std::num::NonZeroUsize;

/// Most refused newcomers that are reported for one pending transaction: after that, its receiver is warned.
const MAX_OF_ONE: usize = 8;
/// Pending transactions that are remembered, each with its rivals. The compiler checks that it is not 0.
const MAX_PENDING: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// The newcomers that were reported for each pending transaction.
pub(crate) struct ReportedRivals(LruCache<TransactionId, Vec<TransactionId>>);

impl ReportedRivals {
    pub(crate) fn new() -> Self {
        Self(LruCache::new(MAX_PENDING))
    }

    /// Notes a newcomer that takes a coin which `pending` takes; returns whether to report it: each once, and at most
    /// 8 for one pending transaction.
    pub(crate) fn note(&mut self, pending: TransactionId, newcomer: TransactionId) -> bool {
        let reported = self.0.get_or_insert_mut(pending, Vec::new);
        let is_new = reported.len() < MAX_OF_ONE && !reported.contains(&newcomer);
        if is_new {
            reported.push(newcomer);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> TransactionId {
        TransactionId::from_bytes([number; 32])
    }

    #[test]
    fn each_rival_is_reported_once_and_at_most_eight_for_one_pending_transaction() {
        let mut reported = ReportedRivals::new();
        assert!(reported.note(id(0), id(1)) && !reported.note(id(0), id(1)));
        let count = (1..100).filter(|number| reported.note(id(0), id(*number))).count();
        assert_eq!(count, 7, "and the first");
        assert!(reported.note(id(200), id(99)), "another pending transaction has reports of its own");
    }
}
