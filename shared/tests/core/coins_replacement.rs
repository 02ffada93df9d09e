//! Replacement by fee, and dust: which newcomers replace what, case by case. They are the cases of Bitcoin Core's
//! `feature_rbf.py`, without those of unconfirmed coins, which this pool does not take.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::{grains, person};
use shared::block::{BlockHash, BlockId, Height};
use shared::keys::Signature;
use shared::ledger::{Amount, CoinName, Holding, Input, Output, Transaction, TransactionId, UnsignedSpend};
use shared::pool::{AdmissionError, CoinPolicy, CommitReply, EvictionReason, Pending, Pool, PoolLimits, PoolNews};
use shared::pool::{PoolRow, Replacement, Staged};
use std::sync::Arc;

pub(crate) const LIMITS: PoolLimits = PoolLimits {
    max_count: 1000,
    max_bytes: 1 << 20,
    max_per_sender: 1000,
    max_transaction_bytes: 1 << 16,
    max_age_ms: 1000,
    min_fee: Amount::ZERO,
    coins: CoinPolicy { replacement: Replacement::Full, dust: Amount::ZERO },
};
/// What each coin is worth, and what each holding holds.
pub(crate) const EACH: u64 = 1_000_000;

/// A coin of person 1.
pub(crate) fn coin(number: u8) -> CoinName {
    CoinName { id: TransactionId::from_bytes([number; 32]), place: 0 }
}

/// Person 1 spends coins for a fee.
pub(crate) fn spending(coins: impl IntoIterator<Item = u8>, fee: u64) -> Pending {
    spending_coins(coins.into_iter().map(coin), fee)
}

/// Person 1 spends coins of these names for a fee.
pub(crate) fn spending_coins(coins: impl IntoIterator<Item = CoinName>, fee: u64) -> Pending {
    let input = |coin| Input { coin, address: person(1), amount: grains(EACH) };
    let inputs: Vec<_> = coins.into_iter().map(input).collect();
    let outputs = vec![Output { address: person(2), amount: grains(EACH * inputs.len() as u64 - fee) }];
    let unsigned = UnsignedSpend { inputs, outputs, msg: String::new() };
    Pending::new(Arc::new(unsigned.sign(BlockHash::ZERO, |_, _| Signature::from_bytes([0; 64]))), 0)
}

fn pool_with(limits: PoolLimits, pending: &[Pending]) -> Pool {
    let mut pool = Pool::new(limits);
    for one in pending {
        assert_eq!(pool.admit(one.clone(), grains(EACH)), Ok(Vec::new()));
    }
    pool
}

/// The smallest fee that is enough, as the refusal says.
fn least(pool: &Pool, newcomer: &Pending) -> u64 {
    match pool.check(newcomer, grains(EACH)) {
        Err(refusal @ AdmissionError::Replacement { least, .. }) => {
            assert_eq!(refusal.rule(), Some("replacement"));
            least.grains()
        }
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_newcomer_that_pays_both_fees_and_a_grain_a_byte_replaces_the_pending_one() {
    let old = spending([1], 1000);
    let mut pool = pool_with(LIMITS, std::slice::from_ref(&old));
    let least = least(&pool, &spending([1], 1001));
    assert_eq!(least, 1000 + spending([1], least).bytes as u64);
    assert!(pool.check(&spending([1], least - 1), grains(EACH)).is_err());
    let newcomer = spending([1], least);
    let evicted = pool.admit(newcomer.clone(), grains(EACH)).unwrap();
    assert_eq!(evicted[0].reason, EvictionReason::Replaced { by: newcomer.id(), coin: coin(1) });
    assert_eq!((evicted.len(), evicted[0].pending.id(), pool.len()), (1, old.id(), 1));
    assert_eq!(pool.outgoing(&person(1)), grains(EACH));
}

#[test]
fn a_newcomer_pays_for_all_that_it_replaces_and_more_per_byte_than_each() {
    let pool = pool_with(LIMITS, &[spending([1], 1000), spending([2], 2000), spending([3], 50_000)]);
    let two = least(&pool, &spending([1, 2], 1));
    assert_eq!(two, 3000 + spending([1, 2], two).bytes as u64);
    // Many coins make it long: the sum of the fees is not enough.
    let long = spending([3].into_iter().chain(10..40), 60_000);
    assert!(60_000 > 50_000 + long.bytes && least(&pool, &long) > 60_000);
    let refusal = pool.check(&spending([1, 2], 1), grains(EACH)).unwrap_err().to_string();
    assert!(refusal.contains("to replace the 2 that take its coins, the fee must be at least"), "{refusal}");
}

#[test]
fn only_what_takes_the_same_coins_is_replaced_and_its_other_coins_are_free_again() {
    let (old, other) = (spending([1, 2], 1000), spending([3], 1000));
    let mut pool = pool_with(LIMITS, &[old, other.clone()]);
    pool.admit(spending([2], 10_000), grains(EACH)).unwrap();
    assert!(pool.get(&other.id()).is_some());
    assert_eq!(pool.admit(spending([1], 5), grains(EACH)), Ok(Vec::new()));
}

#[test]
fn at_most_a_hundred_are_replaced() {
    let pending: Vec<_> = (0..101).map(|number| spending([number], 1)).collect();
    let pool = pool_with(LIMITS, &pending);
    let refusal = pool.check(&spending(0..101, 900_000), grains(EACH)).unwrap_err();
    assert!(matches!(refusal, AdmissionError::TooManyRivals { limit: 100, .. }), "{refusal}");
    assert!(refusal.to_string().contains("spent by 101 pending"), "{refusal}");
    assert_eq!(refusal.rivals().count(), 101);
    assert_eq!(refusal.rule(), Some("replacement"));
    assert_eq!(pool.check(&spending(0..100, 900_000), grains(EACH)), Ok(()));
}

#[test]
fn what_is_replaced_makes_room_for_its_replacement() {
    let limits = PoolLimits { max_count: 1, max_per_sender: 1, ..LIMITS };
    let mut pool = pool_with(limits, &[spending([1], 1000)]);
    assert!(matches!(pool.check(&spending([2], 9000), grains(EACH)), Err(AdmissionError::TooManyOfSender { .. })));
    assert_eq!(pool.admit(spending([1], 9000), grains(EACH)).unwrap().len(), 1);
    assert_eq!(pool.len(), 1);
}

#[test]
fn a_coin_that_is_gone_cannot_be_taken_by_paying_more() {
    let mut pool = pool_with(LIMITS, &[spending([1], 1000)]);
    let refusal = pool.admit(spending([1, 2], 9000), Amount::ZERO).unwrap_err();
    assert_eq!(refusal, AdmissionError::NoCoin { coin: coin(1) });
    let gone = std::collections::BTreeMap::from([(Holding::Coin(coin(1)), grains(EACH))]);
    assert_eq!(pool.admit(spending([1, 2], 9000), gone), Err(AdmissionError::NoCoin { coin: coin(2) }));
    assert_eq!(pool.len(), 1, "nothing has changed");
}

#[test]
fn dust_is_refused_and_zero_allows_it() {
    let dust = |least| CoinPolicy { dust: grains(least), ..LIMITS.coins };
    let small = spending([1], EACH - 545);
    let refusal = Pool::new(PoolLimits { coins: dust(546), ..LIMITS }).admit(small.clone(), grains(EACH)).unwrap_err();
    assert_eq!(refusal, AdmissionError::Dust { output: 0, amount: grains(545), least: grains(546) });
    assert_eq!(refusal.rule(), Some("dust"));
    assert_eq!(Pool::new(PoolLimits { coins: dust(545), ..LIMITS }).check(&small, grains(EACH)), Ok(()));
    assert_eq!(Pool::new(PoolLimits { coins: dust(0), ..LIMITS }).check(&small, grains(EACH)), Ok(()));
}

#[test]
fn a_failed_batch_brings_back_what_was_replaced_and_announces_nothing() {
    let tip = BlockId { index: Height(0), hash: BlockHash::ZERO };
    let mut staged = Staged::load(LIMITS, tip, std::iter::empty::<(PoolRow, Option<Amount>)>());
    let (old, new) = (spending([1], 1000), spending([1], 9000));
    staged.admit(old.clone(), grains(EACH), "old").unwrap();
    staged.next_batch().unwrap();
    let _ = staged.committed();
    staged.admit(new.clone(), grains(EACH), "new").unwrap();
    staged.next_batch().unwrap();
    let outcome = staged.failed(|_| Some(grains(EACH)));
    assert_eq!((outcome.news, outcome.replies), (Vec::new(), vec![("new", CommitReply::Failed)]));
    assert!(staged.pool().by_age().map(Pending::id).eq([old.id()]));
    // Once more, with a disk that works.
    staged.admit(new.clone(), grains(EACH), "again").unwrap();
    let batch = staged.next_batch().unwrap();
    assert_eq!(batch.rows.get(&old.id()), Some(&None));
    let outcome = staged.committed();
    let transaction: Arc<Transaction> = new.transaction.clone();
    let reason = EvictionReason::Replaced { by: new.id(), coin: coin(1) };
    assert_eq!(outcome.news, [PoolNews::Accepted(transaction), PoolNews::Evicted { id: old.id(), reason }]);
}

#[test]
fn one_that_is_replaced_before_it_is_on_disk_hears_by_which() {
    let tip = BlockId { index: Height(0), hash: BlockHash::ZERO };
    let mut staged = Staged::load(LIMITS, tip, std::iter::empty::<(PoolRow, Option<Amount>)>());
    let (old, new) = (spending([1], 1000), spending([1], 9000));
    staged.admit(old, grains(EACH), "old").unwrap();
    staged.admit(new.clone(), grains(EACH), "new").unwrap();
    staged.next_batch().unwrap();
    let reason = EvictionReason::Replaced { by: new.id(), coin: coin(1) };
    let mut replies = staged.committed().replies;
    replies.sort_by_key(|(waiter, _)| *waiter);
    assert_eq!(replies, [("new", CommitReply::Written), ("old", CommitReply::Evicted(reason))]);
}
