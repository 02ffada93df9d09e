//! By the number of unspent coins: blocks that spend some of them, pages of coins, and what they take on disk.

use super::accounts::{Trusting, address};
use super::{SIZES, Series, Table, micros, spread};
use crate::chains::next_block;
use crate::lab::folder;
use crate::payments::coin_params;
use anyhow::Result;
use runtime::store::RedbStore;
use shared::block::{Block, BlockHash, Header, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::{KeyPair, Signature};
use shared::layer::utxo::{CoinRules, coins_of, miners_coin, unspent, unspent_coins};
use shared::ledger::{Address, Amount, Bundle, Input, Output, Transaction, UnsignedSpend};
use shared::params::Params;
use shared::store::{Batch, Snapshot, Store, StoreError, Table as Rows};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const READS: u64 = 2000;
/// The outputs of a transaction that makes coins: as many as it may have.
const OUTPUTS: u64 = 128;
/// Blocks of transactions of two coins into two that are measured.
const MEASURED_BLOCKS: u64 = 5;
const BLOCK_SPENDS: u64 = 1000;
/// Every tenth coin belongs to one address.
const RICH_SHARE: u64 = 10;
const PAGE: usize = 100;

pub(super) fn measure(dir: &Path, sizes: [u64; SIZES]) -> Result<Vec<Series>> {
    let mut table = Table::new(sizes);
    for (size, count) in sizes.into_iter().enumerate() {
        measure_size(&mut table, size, dir, count, false)?;
        measure_size(&mut table, size, dir, count, true)?;
    }
    Ok(table.series)
}

/// Measures a node's store, or a mempool's, which keeps the history.
fn measure_size(table: &mut Table, size: usize, dir: &Path, count: u64, has_history: bool) -> Result<()> {
    let folder = folder(dir)?;
    let file = folder.path().join("chain.redb");
    let params = coin_params("bench-coins");
    let rules = Rules::with_verifier(params.clone(), Arc::new(Trusting));
    let rules = if has_history { rules.keeping_history() } else { rules };
    let store = Arc::new(Counting { inner: RedbStore::open(&file)?, written: AtomicU64::new(0) });
    let mut chain = Chain::open(Arc::new(rules), store.clone(), SideLimits::default())?;
    let mut maker = Maker::new(&params);
    chain.accept(maker.block(Vec::new()), Timestamp::MAX, Origin::Bulk)?;
    while (maker.coins.len() as u64) < count {
        chain.accept(maker.splits(), Timestamp::MAX, Origin::Bulk)?;
        chain.commit()?;
    }
    chain.flush()?;
    let bytes = std::fs::metadata(&file)?.len() as f64 / maker.coins.len() as f64;
    let name = |node, mempool| if has_history { mempool } else { node };
    table.record(size, name("disk for each coin, node", "disk for each coin, mempool"), "bytes", bytes);

    let made = maker.coins.clone();
    let some = |number| &made[spread(number, made.len() as u64) as usize];
    if has_history {
        let snapshot = chain.view().snapshot()?;
        let state = snapshot.as_ref();
        let read = micros(READS, |number| Ok(unspent(state, &some(number).coin)?))?;
        table.record(size, "read a coin among n", "us", read);
        let of_rich = micros(READS / 20, |_| Ok(coins_of(state, &address(0), None, PAGE)?))?;
        table.record(size, "first page of an address with n / 10 coins", "us", of_rich);
        let page = micros(READS / 20, |number| Ok(unspent_coins(state, Some(&some(number).coin), PAGE)?))?;
        table.record(size, "a page of all coins", "us", page);
    }
    let before = store.written.load(Ordering::Relaxed);
    let blocks: Vec<Block> = (0..MEASURED_BLOCKS).map(|_| maker.spends()).collect();
    let start = Instant::now();
    for block in blocks {
        chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
        chain.commit()?;
    }
    let spends = (MEASURED_BLOCKS * BLOCK_SPENDS) as f64;
    let took = start.elapsed().as_secs_f64() * 1e6 / spends;
    table.record(size, name("accept 2 coins into 2, node", "accept 2 coins into 2, mempool"), "us", took);
    chain.flush()?;
    let written = store.written.load(Ordering::Relaxed) - before;
    let what = name("rows written for each, node", "rows written for each, mempool");
    table.record(size, what, "rows", written as f64 / spends);
    Ok(())
}

/// A store that counts the rows that are set and deleted.
struct Counting {
    inner: RedbStore,
    written: AtomicU64,
}

impl Store for Counting {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        self.inner.snapshot()
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let rows: usize = Rows::ALL.iter().map(|rows| batch.rows(*rows).count()).sum();
        self.written.fetch_add(rows as u64, Ordering::Relaxed);
        self.inner.commit(batch)
    }
}

/// Makes blocks of spends on top of one another.
struct Maker {
    rules: CoinRules,
    network: BlockHash,
    parent: Header,
    miner: Address,
    signature: Signature,
    /// The coins to spend, but those of miners.
    coins: Vec<Input>,
    /// The newest block's coin of its miner.
    reward: Option<Input>,
    made: u64,
    spent: usize,
}

impl Maker {
    fn new(params: &Params) -> Self {
        let miner = KeyPair::from_seed("bench miner");
        Self {
            rules: CoinRules::of(params),
            network: params.network_id(),
            parent: params.genesis().header().clone(),
            miner: miner.address(),
            signature: miner.sign("any text"),
            coins: Vec::new(),
            reward: None,
            made: 0,
            spent: 0,
        }
    }

    fn block(&mut self, transactions: Vec<Transaction>) -> Block {
        let bundle = Bundle { msg: String::new(), miner_address: self.miner, transactions, outcome: None };
        let block = next_block(&mut self.parent, bundle.to_data().0);
        let coin = miners_coin(&self.rules, block.index(), &bundle);
        self.reward = coin.map(|(coin, amount)| Input { coin, address: self.miner, amount });
        block
    }

    /// A block that splits the previous block's reward into coins of many addresses.
    fn splits(&mut self) -> Block {
        let reward = self.reward.take().into_iter().collect();
        let mut spends = Vec::new();
        let miner = self.miner;
        let parts = self.spend(reward, OUTPUTS, |_| miner, &mut spends);
        for part in parts {
            let first = self.made;
            self.made += OUTPUTS;
            let owner = |place: u64| match first + place {
                number if number % RICH_SHARE == 0 => address(0),
                number => address(number),
            };
            let coins = self.spend(vec![part], OUTPUTS, owner, &mut spends);
            self.coins.extend(coins);
        }
        self.block(spends)
    }

    /// A block that takes coins from all over the state, two by two, and makes as many.
    fn spends(&mut self) -> Block {
        let mut spends = Vec::new();
        let step = self.coins.len() / (2 * (MEASURED_BLOCKS * BLOCK_SPENDS) as usize);
        for _ in 0..BLOCK_SPENDS {
            let [one, other] = [0, 1].map(|half| self.coins[(2 * self.spent + half) * step.max(1)]);
            self.spent += 1;
            self.spend(vec![one, other], 2, |place| if place == 0 { other.address } else { one.address }, &mut spends);
        }
        self.block(spends)
    }

    /// Adds a transaction that divides coins into equal parts; returns the coins that it makes.
    fn spend(
        &self,
        inputs: Vec<Input>,
        parts: u64,
        owner: impl Fn(u64) -> Address,
        spends: &mut Vec<Transaction>,
    ) -> Vec<Input> {
        let sum: u64 = inputs.iter().map(|input| input.amount.grains()).sum();
        let amount = Amount::new(sum.saturating_sub(100) / parts).unwrap_or(Amount::MAX);
        let outputs: Vec<Output> = (0..parts).map(|place| Output { address: owner(place), amount }).collect();
        let unsigned = UnsignedSpend { inputs, outputs: outputs.clone(), msg: String::new() };
        let made = unsigned.sign(self.network, |_, _| self.signature);
        let coin = |(place, Output { address, amount })| Input { coin: made.coin(place), address, amount };
        let coins = (0..).zip(outputs).map(coin).collect();
        spends.push(made);
        coins
    }
}
