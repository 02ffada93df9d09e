//! By what waits in the pool: admitting a payment, choosing those of a block, and what one address has pending.

use super::{SIZES, Series, Table, micros, spread};
use crate::payments::{params, payments, wallets};
use anyhow::{Result, anyhow};
use shared::ledger::{Amount, Transaction};
use shared::params::Params;
use shared::pool::{CoinPolicy, Pending, Pool, PoolLimits, Room, select_transactions};
use std::sync::Arc;

/// Payments that are admitted to each pool, and removed again.
const ADMITTED: usize = 500;
const TEMPLATES: u64 = 20;

pub(super) fn measure(sizes: [u64; SIZES]) -> Result<Vec<Series>> {
    let (params, wallets) = (params("bench-pending"), wallets(1000));
    let most = sizes.into_iter().max().unwrap_or_default() as usize;
    let transactions = payments(&params, &wallets, most + ADMITTED);
    let (newcomers, waiting) = transactions.split_at(ADMITTED);
    let mut table = Table::new(sizes);
    for (size, count) in sizes.into_iter().enumerate() {
        let mut pool = Pool::new(PoolLimits {
            max_count: usize::MAX,
            max_bytes: usize::MAX,
            max_per_sender: usize::MAX,
            max_transaction_bytes: usize::MAX,
            max_age_ms: u64::MAX,
            min_fee: Amount::ZERO,
            coins: CoinPolicy::FIRST_SEEN,
        });
        for transaction in &waiting[..count as usize] {
            admit(&mut pool, transaction)?;
        }
        measure_size(&mut table, size, &mut pool, newcomers, &params)?;
        let of = micros(2000, |number| {
            let whose = wallets[spread(number, 1000) as usize].address();
            anyhow::ensure!(pool.count_of(&whose) > 0, "nothing is pending");
            Ok(())
        })?;
        table.record(size, "count what an address has pending", "us", of);
    }
    Ok(table.series)
}

fn measure_size(
    table: &mut Table,
    size: usize,
    pool: &mut Pool,
    newcomers: &[Arc<Transaction>],
    params: &Params,
) -> Result<()> {
    let both = micros(newcomers.len() as u64, |number| {
        let transaction = &newcomers[number as usize];
        admit(pool, transaction)?;
        anyhow::ensure!(pool.remove_confirmed(&transaction.id()).is_some(), "it is not in the pool");
        Ok(())
    })?;
    table.record(size, "admit a payment to a pool of n, and remove it", "us", both);
    let room = Room { count: params.max_transactions as usize, bytes: params.max_data_bytes as usize };
    let chosen = micros(TEMPLATES, |_| {
        anyhow::ensure!(!select_transactions(pool.by_fee(), pool.by_age(), room).is_empty(), "nothing is chosen");
        Ok(())
    })?;
    table.record(size, "choose the payments of a block", "us", chosen);
    Ok(())
}

fn admit(pool: &mut Pool, transaction: &Arc<Transaction>) -> Result<()> {
    let balance = Amount::new(1_000_000_000).unwrap_or(Amount::MAX);
    pool.admit(Pending::new(transaction.clone(), 0), balance).map_err(|refusal| anyhow!("{refusal}"))?;
    Ok(())
}
