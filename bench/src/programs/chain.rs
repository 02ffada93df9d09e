//! Transfers of a token in blocks that a chain accepts, compared with the bare machine.

use super::engine::{GAS, TRANSFER, balance_slot, bare_rate, input_to};
use crate::chains::easy_params;
use crate::payments::wallets;
use crate::report::Row;
use ::engine::RevmEngine;
use anyhow::{Result, ensure};
use runtime::verifier::CachingVerifier;
use shared::block::{Block, DataHash, HeaderFields, Nonce, Timestamp};
use shared::chain::{Accepted, Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::layer::TemplateRequest;
use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Bundle, Transaction, TransactionId, Unsigned, Uuid};
use shared::params::Params;
use shared::program::{AccountId, Call, CallKind, MAX_CALL_GAS};
use shared::store::MemoryStore;
use shared::work::Difficulty;
use std::sync::Arc;
use std::time::Instant;

const HOLDERS: usize = 500;
const BLOCKS: usize = 10;
/// Transfers in a block; their declared gas fits into `max_block_gas`.
const BLOCK_TRANSFERS: usize = 2000;

/// The caller and the input of a transfer.
type BareCall = (AccountId, Vec<u8>);

pub(super) fn measure() -> Result<()> {
    let params = params();
    let holders = wallets(HOLDERS);
    let verifier = Arc::new(CachingVerifier::new(4 * BLOCKS * BLOCK_TRANSFERS));
    let rules = Rules::with_engine(params.clone(), verifier, Arc::new(RevmEngine::default()));
    let rules = Arc::new(rules);
    // The maker verifies all signatures, so that the measured chains have seen them.
    let (blocks, calls) = blocks(&rules, &holders)?;
    let (mut ours, mut limit) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        limit = limit.max(bare_rate(&calls)?);
        ours = ours.max(rate(&rules, &blocks)?);
    }
    let what = "token transfers in blocks, seen signatures".to_owned();
    println!("{}", Row { what, ours, limit, unit: "calls/s", goal: ">= 0.8".into() });
    println!("  the limit: revm alone over maps in memory, on one core");
    let (read, checked) = reading_shares(&rules, &blocks, ours)?;
    println!("  of the time, {read:.0} % read the JSON of bundles, and {checked:.0} % hash the texts of transactions");
    Ok(())
}

fn params() -> Params {
    let Params { initial_difficulty, retarget, .. } = easy_params("bench-programs");
    Params {
        name: "bench-programs".to_owned(),
        initial_difficulty,
        retarget,
        max_block_gas: Some(1 << 30),
        ..Params::of_programs()
    }
}

/// The deployment of the token, blocks of transfers, and the same transfers for the bare machine.
fn blocks(rules: &Arc<Rules>, holders: &[KeyPair]) -> Result<(Vec<Block>, Vec<BareCall>)> {
    let mut chain = Chain::open(rules.clone(), Arc::new(MemoryStore::default()), SideLimits::default())?;
    let accounts: Vec<_> = holders.iter().map(|pair| pair.address().account()).collect();
    let deployment = Call { gas: MAX_CALL_GAS, input: init_code(&accounts) };
    let deployment = sign(rules, &holders[0], Address::nobody(), &deployment, CallKind::Deploy, u128::MAX);
    let token = Address::of_program(new_program(&deployment.id()));
    let mut blocks = vec![next_block(&mut chain, &holders[0], &[deployment])?];
    let mut calls = Vec::new();
    for number in 0..BLOCKS {
        let mut transfers = Vec::with_capacity(BLOCK_TRANSFERS);
        for place in 0..BLOCK_TRANSFERS {
            let n = number * BLOCK_TRANSFERS + place;
            let (from, to) = (n % HOLDERS, (n * 7 + 1) % HOLDERS);
            let input = input_to(accounts[to]);
            calls.push((accounts[from], input.clone()));
            let call = Call { gas: GAS, input };
            transfers.push(sign(rules, &holders[from], token, &call, CallKind::Call, n as u128));
        }
        blocks.push(next_block(&mut chain, &holders[0], &transfers)?);
    }
    Ok((blocks, calls))
}

/// Init code that gives each holder a million units, and returns the token's code.
fn init_code(holders: &[AccountId]) -> Vec<u8> {
    const PUSH1: u8 = 0x60;
    let mut code = Vec::new();
    for holder in holders {
        // PUSH3 1000000 PUSH32 slot SSTORE
        code.extend([&[0x62, 0x0f, 0x42, 0x40, 0x7f][..], &balance_slot(*holder).0, &[0x55]].concat());
    }
    // PUSH1 length PUSH2 offset PUSH0 CODECOPY PUSH1 length PUSH0 RETURN
    let (length, offset) = (TRANSFER.len() as u8, (code.len() + 11) as u16);
    let [high, low] = offset.to_be_bytes();
    code.extend([PUSH1, length, 0x61, high, low, 0x5f, 0x39, PUSH1, length, 0x5f, 0xf3]);
    code.extend(TRANSFER);
    code
}

fn sign(rules: &Rules, pair: &KeyPair, to: Address, call: &Call, kind: CallKind, number: u128) -> Arc<Transaction> {
    let unsigned = Unsigned {
        uuid: Uuid(number.to_be_bytes()),
        from: pair.address(),
        to,
        amount: Amount::ZERO,
        fee: Amount::ZERO,
        msg: call.to_msg(kind),
    };
    Arc::new(pair.sign_transaction(unsigned, rules.params().network_id()))
}

/// The next block with all of these transactions, which `chain` accepts.
fn next_block(chain: &mut Chain, miner: &KeyPair, transactions: &[Arc<Transaction>]) -> Result<Block> {
    let wanted = TemplateRequest { message: "", miner: Some(miner.address()), candidates: transactions };
    let data = chain.template(&wanted)?;
    let parent = chain.tip().header.clone();
    let fields = HeaderFields {
        index: parent.index.next(),
        prev_hash: parent.hash(),
        timestamp: parent.timestamp.plus_ms(1000),
        difficulty: Difficulty::MIN,
        data_hash: DataHash::of(&data),
    };
    let count = Bundle::from_data(&data)?.0.transactions.len();
    ensure!(count == transactions.len(), "{count} of {} transactions fit", transactions.len());
    let block = Block::new(fields, Nonce(0), data);
    accept(chain, &block)?;
    Ok(block)
}

fn accept(chain: &mut Chain, block: &Block) -> Result<()> {
    let accepted = chain.accept(block.clone(), Timestamp::MAX, Origin::Single)?;
    ensure!(accepted == Accepted::Best, "a block is not on the best chain");
    Ok(())
}

/// Percents of the time of a transfer that take reading its JSON, and hashing its text for the id.
fn reading_shares(rules: &Rules, blocks: &[Block], rate: f64) -> Result<(f64, f64)> {
    let network = rules.params().network_id();
    let whole = (BLOCKS * BLOCK_TRANSFERS) as f64 / rate;
    let start = Instant::now();
    let bundles = blocks[1..].iter().map(|block| Ok(Bundle::from_data(block.data())?.0)).collect::<Result<Vec<_>>>()?;
    let read = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for transaction in bundles.iter().flat_map(|bundle| &bundle.transactions) {
        ensure!(TransactionId::of(transaction.text(network)) == transaction.id(), "an id is wrong");
    }
    Ok((100.0 * read / whole, 100.0 * start.elapsed().as_secs_f64() / whole))
}

/// Transfers a second on a new chain; the block with the deployment is not counted.
fn rate(rules: &Arc<Rules>, blocks: &[Block]) -> Result<f64> {
    let mut chain = Chain::open(rules.clone(), Arc::new(MemoryStore::default()), SideLimits::default())?;
    accept(&mut chain, &blocks[0])?;
    let start = Instant::now();
    for block in &blocks[1..] {
        accept(&mut chain, block)?;
    }
    Ok((BLOCKS * BLOCK_TRANSFERS) as f64 / start.elapsed().as_secs_f64())
}
