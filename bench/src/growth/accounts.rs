//! By the number of addresses: balances, histories, and blocks of payments between them.

use super::{SIZES, Series, Table, micros, spread};
use crate::chains::next_block;
use crate::lab::folder;
use crate::payments::params;
use anyhow::Result;
use runtime::store::RedbStore;
use shared::block::{Block, Header, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::{KeyPair, Signature, Signed, Verifier};
use shared::layer::transaction::{account_balance, accounts, balance_history, locate_transaction};
use shared::ledger::{Address, Amount, Bundle, Transaction, TransactionViolation, Unsigned, Uuid};
use shared::params::Params;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const READS: u64 = 2000;
const BLOCK_TRANSACTIONS: u64 = 2000;
/// Blocks in one commit while the addresses are made.
const COMMIT: u64 = 10;
/// Blocks between existing addresses, measured.
const MEASURED_BLOCKS: u64 = 5;
/// The entries of a page of a history.
const PAGE: usize = 20;

/// Accepts every signature: what is measured here is the ledger.
pub(super) struct Trusting;

impl Verifier for Trusting {
    fn verify(&self, _: &Signed<'_>) -> Result<(), TransactionViolation> {
        Ok(())
    }

    fn is_point(&self, _: &Address) -> Result<(), TransactionViolation> {
        Ok(())
    }
}

pub(super) fn measure(dir: &Path, sizes: [u64; SIZES]) -> Result<Vec<Series>> {
    let mut table = Table::new(sizes);
    for (size, count) in sizes.into_iter().enumerate() {
        measure_size(&mut table, size, dir, count)?;
    }
    Ok(table.series)
}

fn measure_size(table: &mut Table, size: usize, dir: &Path, count: u64) -> Result<()> {
    let folder = folder(dir)?;
    let file = folder.path().join("chain.redb");
    let params = params("bench-accounts");
    let rules = Rules::with_verifier(params.clone(), Arc::new(Trusting)).keeping_history();
    let store = Arc::new(RedbStore::open(&file)?);
    let mut chain = Chain::open(Arc::new(rules), store, SideLimits::default())?;
    let mut maker = Maker::new(&params);
    for number in 0..count.div_ceil(BLOCK_TRANSACTIONS) {
        let pairs = (0..BLOCK_TRANSACTIONS).map(|place| {
            let place = number * BLOCK_TRANSACTIONS + place;
            (address(place / 2), address(place))
        });
        chain.accept(maker.block(pairs), Timestamp::MAX, Origin::Bulk)?;
        if number % COMMIT == 0 {
            chain.commit()?;
        }
    }
    chain.flush()?;
    table.record(size, "disk for each address", "bytes", std::fs::metadata(&file)?.len() as f64 / count as f64);

    let snapshot = chain.view().snapshot()?;
    let state = snapshot.as_ref();
    let some = |number| address(spread(number, count));
    let balance = micros(READS, |number| Ok(account_balance(state, &params, &some(number))?))?;
    table.record(size, "read a balance among n addresses", "us", balance);
    let history = micros(READS / 10, |number| Ok(balance_history(state, &some(number), None, PAGE)?))?;
    table.record(size, "read the newest page of a history", "us", history);
    let list = micros(READS / 10, |number| Ok(accounts(state, "", some(number).as_str(), PAGE)?))?;
    table.record(size, "list a page of addresses", "us", list);
    let id = Maker::new(&params).payment(address(0), address(0)).id();
    let found = micros(READS, |_| Ok(locate_transaction(state, &id)?))?;
    table.record(size, "find a transaction by its id", "us", found);

    let measured: Vec<_> = (0..MEASURED_BLOCKS)
        .map(|block| {
            let number = |place| block * BLOCK_TRANSACTIONS + place;
            maker.block((0..BLOCK_TRANSACTIONS).map(|place| (some(number(place)), some(number(place) + 1))))
        })
        .collect();
    let start = Instant::now();
    for block in measured {
        chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
        chain.commit()?;
    }
    let payments = (MEASURED_BLOCKS * BLOCK_TRANSACTIONS) as f64;
    let micros = start.elapsed().as_secs_f64() * 1e6 / payments;
    table.record(size, "accept a payment between them, and commit", "us", micros);
    Ok(())
}

/// An address with a number in it. It need not be a point of the curve, since nobody signs here.
pub(super) fn address(number: u64) -> Address {
    let mut key = [0; 33];
    key[0] = 2;
    // Spread over the space of keys, as real ones are.
    key[1..9].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key[9..17].copy_from_slice(&(number + 1).to_be_bytes());
    Address::of_public_key(&key).expect("the form of a compressed key")
}

/// Makes blocks of payments on top of one another.
struct Maker {
    network: shared::block::BlockHash,
    parent: Header,
    miner: Address,
    signature: Signature,
    made: u128,
}

impl Maker {
    fn new(params: &Params) -> Self {
        let miner = KeyPair::from_seed("bench miner");
        Self {
            network: params.network_id(),
            parent: params.genesis().header().clone(),
            miner: miner.address(),
            signature: miner.sign("any text"),
            made: 0,
        }
    }

    fn payment(&mut self, from: Address, to: Address) -> Transaction {
        self.made += 1;
        let grains = |grains| Amount::new(grains).unwrap_or(Amount::MAX);
        let (amount, fee) = (grains(1), grains(10));
        let uuid = Uuid(self.made.to_be_bytes());
        Unsigned { uuid, from, to, amount, fee, msg: String::new() }.sign(self.network, |_| self.signature)
    }

    fn block(&mut self, pairs: impl Iterator<Item = (Address, Address)>) -> Block {
        let transactions = pairs.map(|(from, to)| self.payment(from, to)).collect();
        let bundle = Bundle { msg: String::new(), miner_address: self.miner, transactions, outcome: None };
        next_block(&mut self.parent, bundle.to_data().0)
    }
}
