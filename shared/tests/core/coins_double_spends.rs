//! Rivals for a coin, through blocks, reorganisations and batches: which one the pool keeps, what listeners hear, and
//! what it costs.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::coins_replacement::{EACH, LIMITS, coin, spending_coins};
use crate::pool_oracle::{grains, pending_ids};
use shared::ledger::{Amount, CoinName, Holding};
use shared::pool::{Holds, Pool, PoolLimits};
use std::cell::Cell;
use std::collections::BTreeSet;

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
    pool.recheck(chain.gone.iter().copied(), &chain);
    assert_eq!((pool.len(), pool.uncovered().count()), (0, usize::from(TRANSACTIONS)));
    chain.lookups.set(0);
    assert_eq!(pool.related(chain.gone.iter().copied()), all);
    let moved = pool.recheck(all.iter().copied(), &chain);
    assert_eq!((moved.returned.len(), moved.evicted.len()), (0, 0));
    assert!(chain.lookups.get() <= 2 * all.len(), "{} lookups for {} coins", chain.lookups.get(), all.len());
    // One coin is back, and its transaction returns.
    chain.gone.remove(&Holding::Coin(CoinName { place: 127, ..coin(7) }));
    assert_eq!(pending_ids(&pool.recheck(all, &chain).returned).len(), 1);
}
