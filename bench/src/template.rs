//! Building a block from 100,000 pending transactions, compared with a pool of just one block's transactions: the time
//! must not grow with the pool.

use crate::payments::{params, payments, wallets};
use crate::report::Row;
use anyhow::{Result, anyhow};
use runtime::verifier::CachingVerifier;
use shared::chain::{Chain, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::layer::{Position, TemplateRequest};
use shared::ledger::{Amount, Transaction};
use shared::params::Params;
use shared::pool::{CoinPolicy, Pending, Pool, PoolLimits, Room, select_transactions};
use shared::store::MemoryStore;
use std::sync::Arc;
use std::time::Instant;

const MANY: usize = 100_000;
const FEW: usize = 2000;
const ROUNDS: u32 = 10;

pub(crate) fn measure() -> Result<()> {
    let (params, wallets) = (params("bench-template"), wallets(1000));
    let transactions = payments(&params, &wallets, MANY);
    let (few, many) = (pool(&transactions[..FEW])?, pool(&transactions)?);
    let rules = Rules::with_verifier(params.clone(), Arc::new(CachingVerifier::new(4 * MANY)));
    let chain = Chain::open(Arc::new(rules), Arc::new(MemoryStore::default()), SideLimits::default())?;
    let (mut ours, mut limit) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        limit = limit.max(rate(&params, &chain, &few, &wallets[0])?);
        ours = ours.max(rate(&params, &chain, &many, &wallets[0])?);
    }
    let what = "template of 2000, 100,000 pending".to_owned();
    println!("{}", Row { what, ours, limit, unit: "templates/s", goal: ">= 0.8".into() });
    println!("  the limit: the same with 2000 pending");
    Ok(())
}

fn pool(transactions: &[Arc<Transaction>]) -> Result<Pool> {
    let mut pool = Pool::new(PoolLimits {
        max_count: MANY,
        max_bytes: usize::MAX,
        max_per_sender: MANY,
        max_transaction_bytes: usize::MAX,
        max_age_ms: u64::MAX,
        min_fee: Amount::ZERO,
        coins: CoinPolicy::FIRST_SEEN,
    });
    let balance = Amount::new(1_000_000_000).unwrap_or(Amount::MAX);
    for transaction in transactions {
        pool.admit(Pending::new(transaction.clone(), 0), balance).map_err(|refusal| anyhow!("{refusal}"))?;
    }
    Ok(pool)
}

fn rate(params: &Params, chain: &Chain, pool: &Pool, miner: &KeyPair) -> Result<f64> {
    let room = Room { count: params.max_transactions as usize, bytes: params.max_data_bytes as usize };
    let state = chain.view().snapshot()?;
    let build = || -> Result<usize> {
        let chosen = select_transactions(pool.by_fee(), pool.by_age(), room);
        let candidates: Vec<_> = chosen.into_iter().map(|pending| pending.transaction.clone()).collect();
        let wanted = TemplateRequest { message: "", miner: Some(miner.address()), candidates: &candidates };
        Ok(chain.rules().layer().template(&Position::on(&state.tip().header), state.as_ref(), &wanted)?.len())
    };
    // The first template verifies the signatures; later ones find them in the cache.
    build()?;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        build()?;
    }
    Ok(f64::from(ROUNDS) / start.elapsed().as_secs_f64())
}
