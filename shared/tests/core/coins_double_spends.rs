//! Rivals for a coin, through blocks, reorganisations and batches: which one the pool keeps, what listeners hear, and
//! what it costs.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::coins_replacement::{EACH, LIMITS, coin, spending, spending_coins};
use crate::pool_oracle::{grains, pending_ids};
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{Amount, CoinName, Holding, TransactionId};
use shared::pool::{
    BatchOutcome, CoinPolicy, EvictionReason, Holds, Pending, Pool, PoolLimits, PoolNews, PoolRow, Replacement, Staged,
    TipChange,
};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Coins that are all there but one of each transaction, and how often the pool asks for one.
#[derive(Default)]
struct Counted {
    gone: BTreeSet<Holding>,
    lookups: Cell<usize>,
}

impl Holds for Counted {
    fn amount_in(&self, holding: &Holding) -> Amount {
        self.lookups.set(self.lookups.get() + 1);
        if self.gone.contains(holding) { Amount::ZERO } else { grains(EACH) }
    }
}

#[test]
fn an_uncovered_transaction_is_looked_at_once_however_many_coins_it_takes() {
    const TRANSACTIONS: u8 = 40;
    let mut pool = Pool::new(PoolLimits { max_bytes: 16 << 20, max_transaction_bytes: 1 << 20, ..LIMITS });
    let (mut chain, mut all) = (Counted::default(), BTreeSet::new());
    for number in 0..TRANSACTIONS {
        let coins = (0..128).map(|place| CoinName { place, ..coin(number) });
        let pending = spending_coins(coins, 1);
        all.extend(pending.takes().iter().map(|part| part.holding));
        pool.admit(pending, grains(EACH)).unwrap();
        // The last one, so that all before it are there.
        chain.gone.insert(Holding::Coin(CoinName { place: 127, ..coin(number) }));
    }
    pool.recheck(chain.gone.iter().copied(), [], &chain);
    assert_eq!((pool.len(), pool.uncovered().count()), (0, usize::from(TRANSACTIONS)));
    chain.lookups.set(0);
    assert_eq!(pool.related(chain.gone.iter().copied()), all);
    let moved = pool.recheck(all.iter().copied(), [], &chain);
    assert_eq!((moved.returned.len(), moved.evicted.len()), (0, 0));
    assert!(chain.lookups.get() <= 2 * all.len(), "{} lookups for {} coins", chain.lookups.get(), all.len());
    // One coin is back, and its transaction returns.
    chain.gone.remove(&Holding::Coin(CoinName { place: 127, ..coin(7) }));
    assert_eq!(pending_ids(&pool.recheck(all, [], &chain).returned).len(), 1);
}

/// A staged pool on a chain of which only the coins and the height are known.
struct Bench {
    staged: Staged<&'static str>,
    disk: BTreeMap<TransactionId, PoolRow>,
    /// The coins that are unspent.
    unspent: BTreeMap<Holding, Amount>,
    height: u64,
}

impl Bench {
    fn new() -> Self {
        let staged = Staged::load(LIMITS, block(0), std::iter::empty::<(PoolRow, Option<Amount>)>());
        let unspent = (0..9).map(|number| (Holding::Coin(coin(number)), grains(EACH))).collect();
        Self { staged, disk: BTreeMap::new(), unspent, height: 0 }
    }

    fn push(&mut self, pending: &Pending) {
        self.staged.admit(pending.clone(), &self.unspent, "pusher").unwrap();
    }

    fn commit(&mut self) -> Vec<PoolNews> {
        for (id, row) in &self.staged.next_batch().unwrap().rows {
            match row {
                Some(row) => self.disk.insert(*id, row.clone()),
                None => self.disk.remove(id),
            };
        }
        let BatchOutcome { news, .. } = self.staged.committed();
        news
    }

    /// The mempool starts again: the stored rows, oldest first, and the tip where the chain is now.
    fn restart(&mut self, undone: &[Pending]) -> Vec<PoolNews> {
        let mut rows: Vec<_> = self.disk.values().cloned().collect();
        rows.sort_by_key(|row| (row.pending.arrived_ms, row.pending.id()));
        let rows = rows.into_iter().map(|row| (row, Some(&self.unspent)));
        self.staged = Staged::load(LIMITS, block(self.height), rows);
        let taken = undone.iter().flat_map(Pending::takes).map(|part| part.holding);
        let holdings = self.staged.pool().related(taken);
        let holdings = holdings.into_iter().map(|one| (one, self.unspent.get(&one).copied().unwrap_or_default()));
        let change = TipChange {
            tip: block(self.height),
            confirmed: Vec::new(),
            spent: BTreeMap::new(),
            holdings: holdings.collect(),
            disconnected: undone.to_vec(),
        };
        self.staged.move_to(change)
    }

    /// A block with one transaction comes.
    fn mine(&mut self, pending: &Pending) -> Vec<PoolNews> {
        self.unspent.retain(|holding, _| pending.takes().iter().all(|part| part.holding != *holding));
        self.height += 1;
        self.change(pending, Some(pending), Vec::new())
    }

    /// A block with one transaction is undone, and an empty one takes its place.
    fn undo(&mut self, pending: &Pending) -> Vec<PoolNews> {
        self.unspent.extend(pending.takes().iter().map(|part| (part.holding, part.amount)));
        self.change(pending, None, vec![pending.clone()])
    }

    fn change(&mut self, of: &Pending, mined: Option<&Pending>, disconnected: Vec<Pending>) -> Vec<PoolNews> {
        let tip = block(self.height);
        let confirmed = mined.map(|one| (one.id(), tip)).into_iter().collect();
        let inputs = mined.into_iter().flat_map(|one| one.transaction.as_spend().unwrap().inputs.iter());
        let spent = inputs.map(|input| (input.coin, of.id())).collect();
        let changed = self.staged.pool().related(of.takes().iter().map(|part| part.holding));
        let holdings = changed.into_iter().map(|one| (one, self.unspent.get(&one).copied().unwrap_or_default()));
        let holdings = holdings.collect();
        self.staged.move_to(TipChange { tip, confirmed, spent, holdings, disconnected })
    }

    fn pending(&self) -> Vec<TransactionId> {
        pending_ids(self.staged.pool().by_age())
    }
}

fn block(height: u64) -> BlockId {
    BlockId { index: Height(height), hash: BlockHash::ZERO }
}

#[test]
fn after_a_reorganisation_the_transaction_returns_that_was_in_the_chain_and_not_its_older_rival() {
    let mut bench = Bench::new();
    let (older, confirmed) = (spending([1], 1000), spending([1, 2], 10));
    bench.push(&older);
    bench.commit();
    bench.mine(&confirmed);
    assert_eq!((bench.pending(), bench.staged.pool().uncovered().count()), (vec![], 1));
    assert_eq!(bench.undo(&confirmed), [PoolNews::Returned(confirmed.id())]);
    assert_eq!(bench.pending(), [confirmed.id()]);
    assert_eq!(pending_ids(bench.staged.pool().uncovered()), [older.id()], "it waits on");
}

#[test]
fn a_receiver_hears_that_a_block_has_a_rival_of_the_payment() {
    let mut bench = Bench::new();
    let (payment, rival) = (spending([1, 2, 3], 1000), spending([2, 3, 4], 10));
    bench.push(&payment);
    bench.commit();
    let conflict = PoolNews::Conflict { coin: coin(2), pending: payment.id(), newcomer: rival.id() };
    let confirmed = PoolNews::Confirmed { id: rival.id(), block: block(1) };
    assert_eq!(bench.mine(&rival), [confirmed, conflict.clone()], "once, though it takes two coins");
    assert_eq!(bench.mine(&spending([5], 10)).len(), 1, "and not with each block that follows");
    // The classic double spend: the payment is in a block, and another branch has the rival instead.
    let mut bench = Bench::new();
    bench.mine(&payment);
    bench.unspent.extend([1, 2, 3].map(|number| (Holding::Coin(coin(number)), grains(EACH))));
    bench.unspent.retain(|holding, _| ![2, 3, 4].map(|number| Holding::Coin(coin(number))).contains(holding));
    let news = bench.change(&rival, Some(&rival), vec![payment]);
    assert!(news.contains(&conflict), "{news:?}");
}

#[test]
fn a_restart_keeps_pending_what_was_pending_and_not_its_older_rival() {
    let mut bench = Bench::new();
    let (older, confirmed) = (spending([1], 1000), spending([1, 2], 10));
    bench.push(&older);
    bench.mine(&confirmed);
    let mut returned = confirmed.clone();
    returned.arrived_ms = 5;
    bench.undo(&returned);
    bench.commit();
    for _ in 0..2 {
        assert_eq!(bench.restart(&[]), []);
        assert_eq!(bench.pending(), [confirmed.id()]);
        assert_eq!(pending_ids(bench.staged.pool().uncovered()), [older.id()]);
        bench.commit();
    }
    // A replacement frees its coin, and the mempool restarts before the next block.
    bench.staged.admit(spending([2], 90_000), &bench.unspent, "pusher").unwrap();
    bench.commit();
    assert_eq!(bench.restart(&[]), [PoolNews::Returned(older.id())]);
}

#[test]
fn a_restart_during_a_reorganisation_lets_the_undone_transaction_return_first() {
    let mut bench = Bench::new();
    let (older, confirmed) = (spending([1], 1000), spending([1, 2], 10));
    bench.push(&older);
    bench.mine(&confirmed);
    bench.commit();
    bench.unspent.extend([1, 2].map(|number| (Holding::Coin(coin(number)), grains(EACH))));
    assert_eq!(bench.restart(std::slice::from_ref(&confirmed)), [PoolNews::Returned(confirmed.id())]);
    assert_eq!(bench.pending(), [confirmed.id()]);
}

#[test]
fn a_refusal_names_every_payment_whose_coin_is_spent_again() {
    for replacement in [Replacement::Full, Replacement::FirstSeen] {
        let coins = CoinPolicy { replacement, ..LIMITS.coins };
        let mut pool = Pool::new(PoolLimits { coins, ..LIMITS });
        let (own, payment, other) = (spending([1], 5), spending([3, 2], 5), spending([4], 5));
        for pending in [&own, &payment, &other] {
            pool.admit(pending.clone(), grains(EACH)).unwrap();
        }
        let refusal = pool.admit(spending([1, 2, 3], 6), grains(EACH)).unwrap_err();
        let rivals: Vec<_> = refusal.rivals().collect();
        assert_eq!(rivals, [(coin(1), own.id()), (coin(2), payment.id())], "{refusal}");
    }
}

#[test]
fn one_that_is_replaced_twice_before_the_commit_hears_by_the_last() {
    let mut bench = Bench::new();
    let (first, second, third) = (spending([1, 2], 10), spending([1, 3], 10_000), spending([1, 4], 90_000));
    bench.push(&first);
    bench.commit();
    bench.push(&second);
    bench.push(&third);
    let reason = EvictionReason::Replaced { by: third.id(), coin: coin(1) };
    let evicted = PoolNews::Evicted { id: first.id(), reason };
    assert_eq!(bench.commit(), [PoolNews::Accepted(third.transaction.clone()), evicted]);
    // The third takes no coin of the first: the second is the one that replaced it.
    let mut bench = Bench::new();
    let third = spending([3], 90_000);
    bench.push(&first);
    bench.commit();
    bench.push(&second);
    bench.push(&third);
    let reason = EvictionReason::Replaced { by: second.id(), coin: coin(1) };
    let evicted = PoolNews::Evicted { id: first.id(), reason };
    assert_eq!(bench.commit(), [PoolNews::Accepted(third.transaction.clone()), evicted]);
}

#[test]
fn one_whose_replacement_fails_stays_replaced_by_that_of_the_next_batch() {
    for is_second_written in [true, false] {
        let mut bench = Bench::new();
        let (first, second, third) = (spending([1, 2], 10), spending([1], 10_000), spending([1], 90_000));
        bench.push(&first);
        bench.commit();
        bench.push(&second);
        bench.staged.next_batch().unwrap();
        bench.push(&third);
        let unspent = &bench.unspent;
        assert_eq!(bench.staged.failed(|_| Some(unspent)).news, []);
        if is_second_written {
            let reason = EvictionReason::Replaced { by: third.id(), coin: coin(1) };
            let evicted = PoolNews::Evicted { id: first.id(), reason };
            assert_eq!(bench.commit(), [PoolNews::Accepted(third.transaction.clone()), evicted]);
        } else {
            bench.staged.next_batch().unwrap();
            assert_eq!(bench.staged.failed(|_| Some(unspent)).news, []);
            assert_eq!(bench.pending(), [first.id()]);
        }
        assert_eq!(bench.staged.pool().uncovered().count(), 0);
    }
}
