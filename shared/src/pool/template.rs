//! Which pending transactions the next block takes: the best paid, and a fifth for the oldest so that nothing starves.
//!
//! It works on any two lists: a mempool's own, to preview blocks, or what a node has pulled from one. Whether a transaction
//! takes effect on the node's state is for the layer to see when it fills the block.

use super::Pending;
use crate::ledger::TransactionId;
use std::collections::BTreeSet;

/// How many transactions that do not fit are passed over in each list before it is given up: a block that is nearly full is
/// not worth a look at the whole pool.
const MAX_PASSED_OVER: usize = 100;

/// One part of this many is for the oldest.
const SHARE_OF_OLDEST: usize = 5;

/// What a block has left for transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How many transactions.
    pub count: usize,
    /// How many bytes of `data`, of which each takes its JSON and a comma.
    pub bytes: usize,
}

impl Room {
    /// Takes what a transaction needs, or nothing if there is less.
    fn take(&mut self, pending: &Pending) -> bool {
        let left = self.count.checked_sub(1).zip(self.bytes.checked_sub(pending.bytes + 1));
        if let Some((count, bytes)) = left {
            *self = Self { count, bytes };
        }
        left.is_some()
    }
}

/// The transactions for a block with so much room, given the same ones by fee per byte and by age: first a fifth of the
/// room, in count and bytes, with the oldest, then the rest with the best paid.
///
/// The oldest that fits at all is always there, even where it is more than a fifth. The cost grows with the room, not with
/// the lists.
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
            // The oldest may be more than the share, but then it is all of it.
            chosen.push(pending);
            break;
        } else if room.count == 0 || passed_over == MAX_PASSED_OVER {
            break;
        } else {
            // What fits into no block must not keep the others of its age waiting.
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
