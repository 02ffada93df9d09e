//! The block in the making: the payments that nodes would put into the next block, by fee and by age.

use super::story::Lane;
use crate::network::NetworkState;
use crate::pending_cache::PendingLists;
use shared::block::{BlockHash, Height, Timestamp};
use shared::ledger::TransactionId;
use shared::params::Params;
use shared::pool::{Pending, Room, select_transactions};
use std::collections::BTreeSet;

/// Bytes of a bundle besides its transactions.
const FRAME: usize = 200;
/// The part of a block for the payments that wait longest (docs/protocol.md §9).
const SHARE_OF_OLDEST: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Making {
    pub(crate) lane: Lane,
    pub(crate) height: Height,
    /// Since when it is being mined.
    pub(crate) since: Timestamp,
    /// Payments with the highest fees, by thirds, the highest first.
    pub(crate) by_fee: [usize; 3],
    /// Payments that wait longest.
    pub(crate) oldest: usize,
    /// How full it is, in percent.
    pub(crate) full: u8,
    /// Payments that wait, those that do not fit included.
    pub(crate) waiting: usize,
}

impl Making {
    pub(crate) fn count(&self) -> usize {
        self.by_fee.iter().sum::<usize>() + self.oldest
    }

    /// The block on top of `tip`, without the payments that are in `has`.
    pub(crate) fn on(
        lane: Lane,
        tip: (Height, Timestamp),
        lists: &PendingLists,
        has: &BTreeSet<TransactionId>,
        params: &Params,
    ) -> Self {
        let left = |list: &[Pending]| -> Vec<Pending> {
            list.iter().filter(|pending| !has.contains(&pending.id())).cloned().collect()
        };
        let (by_fee, by_age) = (left(&lists.by_fee), left(&lists.by_age));
        let room = room(params);
        let chosen = select_transactions(&by_fee, &by_age, room);
        let old = oldest(&by_age, room);
        let bytes: usize = chosen.iter().map(|pending| pending.bytes + 1).sum();
        // While all fit, the order does not matter: a fifth of them is what the rule stands for.
        let oldest = chosen.iter().filter(|pending| old.contains(&pending.id())).count();
        let oldest =
            if chosen.len() < by_age.len() { oldest } else { oldest.min(chosen.len().div_ceil(SHARE_OF_OLDEST)) };
        let rest = chosen.len() - oldest;
        let third = rest.div_ceil(3);
        let by_fee_thirds = [third.min(rest), third.min(rest - third.min(rest)), rest.saturating_sub(2 * third)];
        let percent = |part: usize, whole: usize| (part * 100).checked_div(whole).unwrap_or(0).min(100);
        let full = percent(chosen.len(), room.count).max(percent(bytes, room.bytes));
        Self {
            lane,
            height: tip.0.next(),
            since: tip.1,
            by_fee: by_fee_thirds,
            oldest,
            full: u8::try_from(full).unwrap_or(100),
            waiting: by_age.len(),
        }
    }
}

/// The payments that wait longest, as many as the share for them takes.
fn oldest(by_age: &[Pending], room: Room) -> BTreeSet<TransactionId> {
    let (most, mut bytes) = (room.count.div_ceil(SHARE_OF_OLDEST), room.bytes / SHARE_OF_OLDEST);
    let mut fits = |pending: &&Pending| {
        let left = bytes.checked_sub(pending.bytes + 1);
        bytes = left.unwrap_or(bytes);
        left.is_some()
    };
    by_age.iter().take_while(|pending| fits(pending)).take(most).map(Pending::id).collect()
}

/// The payments in these blocks.
pub(crate) fn payments_in(state: &NetworkState, blocks: &[BlockHash]) -> BTreeSet<TransactionId> {
    let contents = blocks.iter().filter_map(|hash| state.contents.get(hash));
    contents.flat_map(|contents| contents.payments.iter().map(|payment| payment.id)).collect()
}

/// The room for payments in a block.
pub(crate) fn room(params: &Params) -> Room {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Room { count: whole(params.max_transactions), bytes: whole(params.max_data_bytes).saturating_sub(FRAME) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples::payment;
    use std::sync::Arc;

    fn lists(count: u8) -> PendingLists {
        let by_age: Vec<_> =
            (1..=count).map(|number| Pending::new(Arc::new(payment(number, "")), number.into())).collect();
        let mut by_fee = by_age.clone();
        by_fee.sort_by_key(|pending| std::cmp::Reverse(pending.fee_rate()));
        PendingLists { by_fee: Arc::new(by_fee), by_age: Arc::new(by_age) }
    }

    fn making(count: u8, has: &[u8], params: &Params) -> Making {
        let has = has.iter().map(|number| payment(*number, "").id()).collect();
        Making::on(Lane::Trunk, (Height(7), Timestamp::from_ms(5)), &lists(count), &has, params)
    }

    #[test]
    fn each_payment_is_one_brick_by_fee_or_by_age() {
        let params = Params { max_transactions: 10, ..Params::default() };
        let few = making(1, &[], &params);
        assert_eq!((few.height, few.count(), few.oldest, few.full), (Height(8), 1, 1, 10));
        let some = making(8, &[], &params);
        assert_eq!((some.count(), some.oldest, some.by_fee), (8, 2, [2, 2, 2]));
        let roomy = making(8, &[], &Params::default());
        assert_eq!((roomy.count(), roomy.oldest), (8, 2), "a fifth, though there is room for all by age");
        let more = making(20, &[], &params);
        assert_eq!((more.count(), more.full, more.waiting), (10, 100, 20));
        assert_eq!(making(0, &[], &params).count(), 0);
    }

    #[test]
    fn what_a_branch_has_already_does_not_wait_for_it() {
        let making = making(5, &[1, 2], &Params::default());
        assert_eq!((making.count(), making.waiting), (3, 3));
    }
}
