//! Situations of the pool: admission, refusals with their reasons, and eviction (docs/protocol.md §11).
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::{grains, payment, pending_ids, person};
use shared::ledger::{Amount, Holding, Transaction, TransactionId};
use shared::pool::{AdmissionError, CoinPolicy, Evicted, EvictionReason, Pending, Pool, PoolChanges, PoolLimits};
use std::sync::Arc;

const WIDE: PoolLimits = PoolLimits {
    max_count: 100,
    max_bytes: 100_000,
    max_per_sender: 100,
    max_transaction_bytes: 10_000,
    max_age_ms: 1000,
    min_fee: Amount::ZERO,
    coins: CoinPolicy::FIRST_SEEN,
};

/// One grain from one person to another, for a fee.
fn paying(number: u32, from: u8, fee: u64) -> Arc<Transaction> {
    payment(number, from, 100, (1, fee), "")
}

fn admit(pool: &mut Pool, transaction: &Arc<Transaction>, balance: u64) -> Result<Vec<Evicted>, AdmissionError> {
    pool.admit(Pending::new(transaction.clone(), 0), grains(balance))
}

/// A pool with these payments; every balance covers them.
fn pool_with(limits: PoolLimits, payments: &[&Arc<Transaction>]) -> Pool {
    let mut pool = Pool::new(limits);
    for payment in payments {
        assert_eq!(admit(&mut pool, payment, 1 << 50), Ok(Vec::new()));
    }
    pool
}

fn left(evicted: &[Evicted]) -> Vec<(TransactionId, EvictionReason)> {
    evicted.iter().map(|one| (one.pending.id(), one.reason)).collect()
}

#[test]
fn a_pending_transaction_is_known() {
    let one = paying(1, 1, 5);
    let mut pool = pool_with(WIDE, &[&one]);
    let before = pool.version();
    assert_eq!(admit(&mut pool, &one, 0), Err(AdmissionError::Known(one.id())), "whatever the balance is");
    assert_eq!(pool.readmit(Pending::new(one.clone(), 0), grains(100)), Err(AdmissionError::Known(one.id())));
    assert_eq!((pool.len(), pool.version()), (1, before));
    assert_eq!(AdmissionError::Known(one.id()).rule(), None);
}

#[test]
fn a_fee_below_the_minimum_is_refused_unless_the_transaction_returns_from_a_block() {
    let mut pool = Pool::new(PoolLimits { min_fee: grains(5), ..WIDE });
    let refusal = admit(&mut pool, &paying(1, 1, 4), 100).unwrap_err();
    assert_eq!(refusal.rule(), Some("min-fee"));
    assert_eq!(
        refusal.to_string(),
        "fee 0.00000004 LAB is below the least that this mempool passes on, 0.00000005 LAB"
    );
    assert_eq!(admit(&mut pool, &paying(2, 1, 5), 100), Ok(Vec::new()));
    let moved = pool.readmit(Pending::new(paying(1, 1, 4), 0), grains(100)).unwrap();
    assert_eq!((pending_ids(&moved.returned), moved.evicted.len()), (vec![paying(1, 1, 4).id()], 0));
}

#[test]
fn pending_transactions_together_may_cost_at_most_the_balance() {
    let mut pool = Pool::new(WIDE);
    let (first, second) = (payment(1, 1, 2, (6, 1), ""), payment(2, 1, 2, (2, 1), ""));
    assert_eq!(admit(&mut pool, &first, 10), Ok(Vec::new()));
    assert_eq!(admit(&mut pool, &second, 10), Ok(Vec::new()), "7 and 3 are 10");
    let refusal = admit(&mut pool, &payment(3, 1, 2, (1, 0), ""), 10).unwrap_err();
    let (balance, pending, cost) = (grains(10), grains(10), grains(1));
    assert_eq!(refusal, AdmissionError::Overspend { sender: person(1), balance, pending, cost });
    assert_eq!(refusal.rule(), Some("balance"));
}

#[test]
fn pending_income_cannot_be_spent() {
    let mut pool = pool_with(WIDE, &[&payment(1, 1, 2, (50, 0), "")]);
    assert_eq!(pool.balance_with_pending(&person(2), grains(3)), grains(53));
    let refusal = admit(&mut pool, &payment(2, 2, 3, (4, 0), ""), 3).unwrap_err();
    assert_eq!(refusal.rule(), Some("balance"));
}

#[test]
fn a_payment_to_oneself_costs_its_fee_and_is_listed_once() {
    let one = payment(1, 1, 1, (40, 2), "");
    let pool = pool_with(WIDE, &[&one]);
    assert_eq!((pool.outgoing(&person(1)), pool.incoming(&person(1))), (grains(42), grains(40)));
    assert_eq!(pool.balance_with_pending(&person(1), grains(100)), grains(98));
    assert_eq!(pending_ids(pool.of(&person(1))), [one.id()]);
}

#[test]
fn income_above_the_largest_amount_is_shown_as_the_largest_amount() {
    let most = Amount::MAX.grains();
    let mut pool = Pool::new(WIDE);
    for sender in 1..=3 {
        let everything = payment(1, sender, 9, (most, 0), "");
        assert_eq!(pool.admit(Pending::new(everything, 0), Amount::MAX), Ok(Vec::new()));
    }
    let spent = payment(1, 9, 8, (most, 0), "");
    assert_eq!(pool.admit(Pending::new(spent, 0), Amount::MAX), Ok(Vec::new()));
    assert_eq!(pool.incoming(&person(9)), Amount::MAX);
    assert_eq!(pool.balance_with_pending(&person(9), Amount::MAX), Amount::MAX);
    // Two more cost more than any balance: refused without an overflow.
    assert_eq!(pool.admit(Pending::new(paying(2, 1, 1), 0), Amount::MAX).unwrap_err().rule(), Some("balance"));
}

#[test]
fn a_balance_below_the_pending_payments_is_shown_as_zero() {
    let pool = pool_with(WIDE, &[&paying(1, 1, 8)]);
    assert_eq!(pool.balance_with_pending(&person(1), grains(5)), Amount::ZERO);
}

#[test]
fn the_limit_per_sender_does_not_apply_to_returning_transactions() {
    let mut pool = pool_with(PoolLimits { max_per_sender: 2, ..WIDE }, &[&paying(1, 1, 1), &paying(2, 1, 1)]);
    let refusal = admit(&mut pool, &paying(3, 1, 90), 100).unwrap_err();
    assert_eq!(refusal, AdmissionError::TooManyOfSender { sender: person(1), limit: 2 });
    assert_eq!(refusal.rule(), None, "the transaction itself is fine");
    assert_eq!(admit(&mut pool, &paying(4, 2, 1), 100), Ok(Vec::new()), "other senders are not affected");
    let moved = pool.readmit(Pending::new(paying(3, 1, 1), 0), grains(100)).unwrap();
    assert_eq!((pending_ids(&moved.returned), moved.evicted.len()), (vec![paying(3, 1, 1).id()], 0));
}

#[test]
fn a_transaction_that_fits_into_no_block_is_refused() {
    let long = payment(1, 1, 2, (1, 9), &"m".repeat(500));
    let bytes = Pending::new(long.clone(), 0).bytes;
    let mut pool = Pool::new(PoolLimits { max_transaction_bytes: bytes - 1, ..WIDE });
    let refusal = admit(&mut pool, &long, 100).unwrap_err();
    assert_eq!(refusal, AdmissionError::TooLarge { bytes, limit: bytes - 1 });
    assert_eq!(refusal.rule(), Some("size"));
    assert!(admit(&mut Pool::new(PoolLimits { max_transaction_bytes: bytes, ..WIDE }), &long, 100).is_ok());
}

#[test]
fn a_full_pool_evicts_the_cheapest_and_of_equals_the_newest() {
    let (old, new, dear) = (paying(1, 1, 5), paying(2, 2, 5), paying(3, 3, 7));
    let mut pool = pool_with(PoolLimits { max_count: 3, ..WIDE }, &[&old, &new, &dear]);
    let better = paying(4, 4, 6);
    assert_eq!(left(&admit(&mut pool, &better, 100).unwrap()), [(new.id(), EvictionReason::Outbid)]);
    assert_eq!(pending_ids(pool.by_fee()), [dear.id(), better.id(), old.id()]);
    assert_eq!(pending_ids(pool.by_age()), [old.id(), dear.id(), better.id()]);
}

#[test]
fn the_refusal_of_a_full_pool_names_the_fee_that_would_be_admitted() {
    let limits = PoolLimits { max_count: 2, ..WIDE };
    let mut pool = pool_with(limits, &[&paying(1, 1, 5), &paying(2, 2, 9)]);
    let refusal = admit(&mut pool, &paying(3, 3, 5), 100).unwrap_err();
    let AdmissionError::Full { fee, least, .. } = refusal else { unreachable!("{refusal}") };
    assert_eq!((fee, least, refusal.rule()), (grains(5), grains(6), None));
    assert_eq!(left(&admit(&mut pool, &paying(3, 3, least.grains()), 100).unwrap()).len(), 1);
}

#[test]
fn nothing_is_evicted_for_a_newcomer_that_outbids_only_some_of_the_necessary_ones() {
    let (cheap, dear) = (payment(1, 1, 2, (1, 10), ""), payment(2, 2, 3, (1, 20), ""));
    let both = [&cheap, &dear].map(|one| Pending::new(one.clone(), 0).bytes).iter().sum();
    let mut pool = pool_with(PoolLimits { max_bytes: both, ..WIDE }, &[&cheap, &dear]);
    let before = pool.version();
    // As long as more than one of them; per byte it is above the first and below the second.
    let long = |fee| payment(3, 3, 4, (1, fee), &"m".repeat(200));
    let refusal = admit(&mut pool, &long(25), 100).unwrap_err();
    let AdmissionError::Full { least, .. } = refusal else { unreachable!("{refusal}") };
    assert_eq!((pool.len(), pool.version()), (2, before), "nothing was evicted");
    assert!(admit(&mut pool, &long(least.grains() - 1), 100).is_err());
    let evicted = admit(&mut pool, &long(least.grains()), 100).unwrap();
    assert_eq!(left(&evicted), [(cheap.id(), EvictionReason::Outbid), (dear.id(), EvictionReason::Outbid)]);
}

#[test]
fn a_sender_cannot_make_room_in_its_balance_by_outbidding_itself() {
    let cheap = paying(1, 1, 5);
    let mut pool = pool_with(PoolLimits { max_count: 1, ..WIDE }, &[&cheap]);
    let refusal = admit(&mut pool, &paying(2, 1, 8), 10).unwrap_err();
    assert_eq!(refusal.rule(), Some("balance"), "6 are pending, and 9 more are too many for 10");
    assert_eq!(left(&admit(&mut pool, &paying(2, 1, 8), 15).unwrap()), [(cheap.id(), EvictionReason::Outbid)]);
}

#[test]
fn expiry_removes_the_oldest_first_and_at_most_the_requested_number() {
    let mut pool = Pool::new(WIDE);
    let (one, two, three, four) = (paying(1, 1, 9), paying(2, 1, 1), paying(3, 1, 5), paying(4, 1, 1));
    for (transaction, arrived_ms) in [(&two, 20), (&one, 10), (&three, 30), (&four, 40)] {
        pool.admit(Pending::new(transaction.clone(), arrived_ms), grains(100)).unwrap();
    }
    assert_eq!(pool.expire(1010, 10), [], "exactly the largest age");
    assert_eq!(left(&pool.expire(1031, 2)), [(one.id(), EvictionReason::Expired), (two.id(), EvictionReason::Expired)]);
    assert_eq!(left(&pool.expire(1031, 2)), [(three.id(), EvictionReason::Expired)]);
    assert_eq!(pool.expire(0, 2), [], "a clock that jumped back");
    assert_eq!(pending_ids(pool.by_age()), [four.id()]);
}

#[test]
fn a_falling_balance_keeps_the_oldest_that_it_covers() {
    let payments = [(1, 5), (2, 9), (3, 4), (4, 1)].map(|(number, cost)| payment(number, 1, 2, (cost, 0), ""));
    let [first, second, third, fourth] = &payments;
    let mut pool = pool_with(WIDE, &[first, second, third, fourth]);
    assert_eq!(
        pool.recheck([Holding::Account(person(1))], [], grains(19)),
        PoolChanges::default(),
        "still covered to the grain"
    );
    let moved = pool.recheck([Holding::Account(person(1))], [], grains(9));
    assert_eq!((moved.returned.len(), moved.evicted.len()), (0, 0), "nothing leaves, it becomes uncovered");
    assert_eq!(pending_ids(&moved.uncovered), [second.id(), fourth.id()]);
    assert_eq!(pending_ids(pool.of(&person(1))), [first.id(), third.id()]);
    assert_eq!(pending_ids(pool.uncovered()), [second.id(), fourth.id()]);
    assert_eq!((pool.len(), pool.outgoing(&person(1))), (2, grains(9)), "uncovered transactions do not count");
    assert!(pool.get(&second.id()).is_some(), "but it is known");
    assert_eq!(
        pool.recheck([Holding::Account(person(2))], [], Amount::ZERO),
        PoolChanges::default(),
        "income needs no cover"
    );
    let moved = pool.recheck([Holding::Account(person(1))], [], grains(18));
    assert_eq!(
        (pending_ids(&moved.returned), moved.evicted.len()),
        (vec![second.id()], 0),
        "as many as the balance covers"
    );
    assert_eq!(pending_ids(pool.of(&person(1))), [first.id(), second.id(), third.id()], "with its old age");
    assert_eq!(pending_ids(pool.uncovered()), [fourth.id()]);
}

#[test]
fn a_payment_that_spends_a_disconnected_one_waits_for_it() {
    let mut pool = Pool::new(WIDE);
    let (paid, spent) = (payment(1, 1, 2, (50, 0), ""), payment(2, 2, 3, (50, 0), ""));
    let moved = pool.readmit(Pending::new(spent.clone(), 2), Amount::ZERO).unwrap();
    assert_eq!((pending_ids(&moved.uncovered), pool.len()), (vec![spent.id()], 0));
    assert_eq!((moved.returned.len(), moved.evicted.len(), pool.outgoing(&person(2))), (0, 0, Amount::ZERO));
    pool.readmit(Pending::new(paid.clone(), 1), grains(50)).unwrap();
    assert_eq!(pool.remove_confirmed(&paid.id()).map(|pending| pending.id()), Some(paid.id()));
    let moved = pool.recheck([Holding::Account(person(2))], [], grains(50));
    assert_eq!((pending_ids(&moved.returned), pending_ids(pool.by_age())), (vec![spent.id()], vec![spent.id()]));
}

#[test]
fn uncovered_transactions_are_bounded_and_expire() {
    let mut pool = Pool::new(PoolLimits { max_count: 20, ..WIDE });
    let payments: Vec<_> = [(1, 4), (2, 5), (3, 5), (4, 5)].map(|(number, fee)| paying(number, 1, fee)).into();
    let mut uncovered = |number: usize| {
        let pending = Pending::new(payments[number - 1].clone(), number as u64);
        pool.readmit(pending, Amount::ZERO).unwrap()
    };
    assert_eq!([uncovered(1), uncovered(2)].map(|moved| moved.evicted.len()), [0, 0]);
    assert_eq!(
        left(&uncovered(3).evicted),
        [(payments[0].id(), EvictionReason::NotCovered)],
        "a tenth of the pool, the one that pays least leaves"
    );
    assert_eq!(
        left(&uncovered(4).evicted),
        [(payments[3].id(), EvictionReason::NotCovered)],
        "of equal ones the youngest leaves"
    );
    assert_eq!(left(&pool.expire(1003, 10)), [(payments[1].id(), EvictionReason::Expired)]);
    assert_eq!(pending_ids(pool.uncovered()), [payments[2].id()]);
    let refused = pool.readmit(Pending::new(payments[2].clone(), 0), Amount::MAX);
    assert_eq!(refused, Err(AdmissionError::Known(payments[2].id())));
    assert_eq!(pool.remove_confirmed(&payments[2].id()).map(|pending| pending.id()), Some(payments[2].id()));
    assert_eq!(pool.uncovered().count(), 0);
}

#[test]
fn a_confirmed_transaction_leaves_no_trace() {
    let one = paying(1, 1, 5);
    let mut pool = pool_with(WIDE, &[&one]);
    assert_eq!(pool.remove_confirmed(&one.id()).map(|pending| pending.id()), Some(one.id()));
    assert_eq!(pool.remove_confirmed(&one.id()), None);
    assert!(pool.is_empty() && pool.get(&one.id()).is_none());
    assert_eq!((pool.bytes(), pool.outgoing(&person(1)), pool.incoming(&person(100))), (0, Amount::ZERO, Amount::ZERO));
    assert_eq!((pool.by_fee().count(), pool.by_age().count(), pool.of(&person(100)).count()), (0, 0, 0));
}

#[test]
fn a_returning_transaction_keeps_its_age() {
    let (early, late) = (paying(1, 1, 5), paying(2, 2, 5));
    let mut pool = Pool::new(WIDE);
    pool.admit(Pending::new(early.clone(), 10), grains(100)).unwrap();
    let confirmed = pool.remove_confirmed(&early.id()).unwrap();
    pool.admit(Pending::new(late.clone(), 20), grains(100)).unwrap();
    pool.readmit(confirmed, grains(100)).unwrap();
    assert_eq!(pending_ids(pool.by_age()), [early.id(), late.id()]);
    assert_eq!(pending_ids(pool.by_fee()), [early.id(), late.id()], "of equal fees the oldest is first");
}
