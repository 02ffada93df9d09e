//! The selection for the next block: the highest fees and the oldest, so that none waits for ever (docs/protocol.md
//! §11).
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::payment;
use shared::pool::{Pending, Room, select_transactions};
use std::cell::Cell;
use std::cmp::Reverse;

/// The bytes of one of these payments in a block: JSON and a comma.
fn size() -> usize {
    waiting(1, 1, 0).bytes + 1
}

/// The payment that arrived as number `place`, with a one-digit fee and a long message or none.
fn waiting(number: u32, fee: u64, msg: usize) -> Pending {
    Pending::new(payment(number, 1, 2, (1, fee), &"m".repeat(msg)), u64::from(number))
}

/// The selected payments by their numbers.
fn chosen(by_age: &[Pending], room: Room) -> Vec<u64> {
    let mut by_fee: Vec<_> = by_age.iter().collect();
    by_fee.sort_by_key(|pending| Reverse(pending.fee_rate()));
    select_transactions(by_fee, by_age, room).iter().map(|pending| pending.arrived_ms).collect()
}

fn fees(fees: &[u64]) -> Vec<Pending> {
    fees.iter().zip(0..).map(|(fee, number)| waiting(number, *fee, 0)).collect()
}

#[test]
fn a_fifth_of_the_count_is_for_the_oldest() {
    let pending = fees(&[0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let room = |count| Room { count, bytes: 1 << 20 };
    assert_eq!(chosen(&pending, room(10)), [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(chosen(&pending, room(5)), [0, 3, 4, 5, 6]);
    assert_eq!(chosen(&pending, room(6)), [0, 1, 3, 4, 5, 6], "a fifth is rounded up");
    assert_eq!(chosen(&pending, room(1)), [0], "with room for one it is the oldest");
    assert_eq!(chosen(&pending, room(0)), [0; 0]);
    assert_eq!(chosen(&pending, room(100)).len(), 12, "with room for all, all");
}

#[test]
fn a_fifth_of_the_bytes_is_for_the_oldest() {
    let pending = fees(&[0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let room = |bytes| Room { count: 100, bytes };
    assert_eq!(chosen(&pending, room(10 * size())), [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(chosen(&pending, room(10 * size() - 1)), [0, 3, 4, 5, 6, 7, 8, 9, 10], "a byte too few");
    assert_eq!(chosen(&pending, room(2 * size())), [0, 3], "the oldest is there even if it is half of the block");
    assert_eq!(chosen(&pending, room(size() - 1)), [0; 0]);
}

#[test]
fn an_old_payment_with_a_high_fee_is_selected_once() {
    let pending = fees(&[9, 8, 1, 1, 2]);
    assert_eq!(chosen(&pending, Room { count: 4, bytes: 1 << 20 }), [0, 1, 4, 2]);
}

#[test]
fn an_old_payment_that_does_not_fit_does_not_block_others() {
    let pending = [waiting(0, 0, 5000), waiting(1, 0, 0), waiting(2, 9, 0), waiting(3, 8, 0)];
    assert_eq!(chosen(&pending, Room { count: 2, bytes: 3 * size() }), [1, 2]);
}

#[test]
fn an_oldest_payment_larger_than_a_fifth_is_the_whole_share() {
    let pending = [waiting(0, 0, 900), waiting(1, 0, 0), waiting(2, 9, 0), waiting(3, 8, 0)];
    // A fifth has room for one short message, which the second oldest does not get as well.
    let room = Room { count: 10, bytes: 5 * size() };
    assert_eq!(chosen(&pending, room), [0, 2]);
}

#[test]
fn short_payments_fill_the_rest_after_a_long_one() {
    let pending = [waiting(0, 1, 0), waiting(1, 9, 400), waiting(2, 2, 0), waiting(3, 1, 0)];
    assert_eq!(chosen(&pending, Room { count: 9, bytes: 2 * size() }), [0, 2]);
}

#[test]
fn the_search_is_bounded_by_the_room_and_not_by_the_pool() {
    let short: Vec<_> = (0..1000).map(|number| waiting(number, 1, 0)).collect();
    let long: Vec<_> = (0..1000).map(|number| waiting(number, 1, 400)).collect();
    for (pending, room, at_most) in [
        (&short, Room { count: 50, bytes: 1 << 20 }, 50 + 10 + 2),
        (&short, Room { count: 0, bytes: 1 << 20 }, 2),
        (&short, Room { count: 1 << 20, bytes: 50 * size() }, 50 + 10 + 102),
        (&long, Room { count: 50, bytes: size() }, 202),
    ] {
        let looks = Cell::new(0);
        let look = |_: &&Pending| looks.set(looks.get() + 1);
        select_transactions(pending.iter().inspect(look), pending.iter().inspect(look), room);
        assert!(looks.get() <= at_most, "{room:?}: {} looks", looks.get());
    }
}
