//! Selects the transactions for the next block: those with the highest fees, and a fifth of the room for the oldest, so
//! that none waits for ever.
//!
//! It works on any two lists: the mempool's own, to preview blocks, or those that a node fetched from a mempool. The
//! layer checks whether a transaction is valid on the node's state when it fills the block.

use super::Pending;
use crate::ledger::TransactionId;
use std::collections::BTreeSet;

/// How many transactions that do not fit are skipped in each list before the search ends: a nearly full block is not
/// worth a scan of the whole pool.
const MAX_PASSED_OVER: usize = 100;

/// The oldest get one part in this many.
const SHARE_OF_OLDEST: usize = 5;

/// The room for transactions in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In transactions.
    pub count: usize,
    /// In bytes of `data`: each transaction takes its JSON and a comma, or more if it takes a larger part of the gas.
    pub bytes: usize,
}

impl Room {
    /// Takes the room for a transaction; returns `false` and takes nothing if there is too little.
    fn take(&mut self, pending: &Pending) -> bool {
        let left = self.count.checked_sub(1).zip(self.bytes.checked_sub(pending.weight.saturating_add(1)));
        if let Some((count, bytes)) = left {
            *self = Self { count, bytes };
        }
        left.is_some()
    }
}

/// The transactions for a block with this room, from the same list by fee per byte and by age: a fifth of the room, in
/// count and bytes, for the oldest, the rest for the highest fees.
///
/// The oldest one that fits is always included, even if it takes more than a fifth. The cost grows with the room, not
/// with the lists.
pub fn select_transactions<'a>(
    by_fee: impl IntoIterator<Item = &'a Pending>,
    by_age: impl IntoIterator<Item = &'a Pending>,
    room: Room,
) -> Vec<&'a Pending> {
    let (mut left, mut chosen) = (room, Vec::new());
    let mut share = Room { count: room.count.div_ceil(SHARE_OF_OLDEST), bytes: room.bytes / SHARE_OF_OLDEST };
    let mut passed_over = 0;
    for pending in by_age {
        if share.take(pending) {
            left.take(pending);
            chosen.push(pending);
        } else if !chosen.is_empty() {
            break;
        } else if left.take(pending) {
            // The oldest one may take more than the share, but then no other gets part of it.
            chosen.push(pending);
            break;
        } else if room.count == 0 || passed_over == MAX_PASSED_OVER {
            break;
        } else {
            // A transaction that fits into no block must not block the next oldest.
            passed_over += 1;
        }
    }
    let oldest: BTreeSet<TransactionId> = chosen.iter().map(|pending| pending.id()).collect();
    passed_over = 0;
    for pending in by_fee.into_iter().filter(|pending| !oldest.contains(&pending.id())) {
        if left.take(pending) {
            chosen.push(pending);
        } else if left.count == 0 || passed_over == MAX_PASSED_OVER {
            break;
        } else {
            passed_over += 1;
        }
    }
    chosen
}
