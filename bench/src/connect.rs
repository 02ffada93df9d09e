//! Connecting blocks of 2000 transactions. Unseen ones are compared with verifying their signatures alone; seen ones,
//! whose signatures are already verified, with a fixed rate.

use crate::payments::{params, payments, wallets};
use crate::report::Row;
use anyhow::{Context, Result};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use runtime::verifier::CachingVerifier;
use shared::block::{Block, DataHash, HeaderFields, Nonce, Timestamp};
use shared::chain::{Accepted, Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::ledger::{Bundle, Transaction, TransactionRules};
use shared::params::Params;
use shared::store::MemoryStore;
use shared::work::Difficulty;
use std::sync::Arc;
use std::time::Instant;

const BLOCKS: usize = 10;
const BLOCK_TRANSACTIONS: usize = 2000;

pub(crate) fn measure() -> Result<()> {
    let (params, wallets) = (params("bench-connect"), wallets(500));
    let transactions = payments(&params, &wallets, BLOCKS * BLOCK_TRANSACTIONS);
    let blocks = blocks(&params, &wallets[0], &transactions);
    let cores = std::thread::available_parallelism()?.get();

    // Alternating; the best of three runs counts.
    let (mut unseen, mut seen, mut bare) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..3 {
        bare = bare.max(bare_rate(&params, &transactions)?);
        let verifier = Arc::new(CachingVerifier::new(4 * BLOCKS * BLOCK_TRANSACTIONS));
        unseen = unseen.max(connect(&params, verifier.clone(), &blocks)?);
        for transaction in &transactions {
            let text = transaction.text(params.network_id());
            transaction.verify(&text, &TransactionRules::of(&params), verifier.as_ref())?;
        }
        seen = seen.max(connect(&params, verifier, &blocks)?);
    }
    let (unit, limit) = ("tx/s", bare * cores as f64);
    let what = "connect a block of 2000 unseen transactions";
    println!("{}", Row { what: what.to_owned(), ours: unseen, limit, unit, goal: ">= 0.85".into() });
    let what = "connect a block of 2000 seen transactions";
    println!("{}", Row { what: what.to_owned(), ours: seen, limit: 100_000.0, unit, goal: ">= 1".into() });
    println!("  the limit of unseen transactions: {cores} cores, {bare:.0} bare verifications/s each");
    Ok(())
}

/// Verifications a second of signatures alone, on one core.
pub(crate) fn bare_rate(params: &Params, transactions: &[Arc<Transaction>]) -> Result<f64> {
    let network = params.network_id();
    let transactions = &transactions[..transactions.len().min(10_000)];
    let signed: Vec<_> = transactions
        .iter()
        .flat_map(|tx| {
            tx.signers().into_iter().map(|(signer, signature)| (tx.text(network), signer.public_key(), signature))
        })
        .collect();
    let start = Instant::now();
    for (text, key, signature) in &signed {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
        key.verify(text.as_bytes(), signature.as_bytes()).context("a signature of our own is wrong")?;
    }
    Ok(signed.len() as f64 / start.elapsed().as_secs_f64())
}

/// Transactions a second through all validity stages, without commits.
fn connect(params: &Params, verifier: Arc<CachingVerifier>, blocks: &[Block]) -> Result<f64> {
    let rules = Arc::new(Rules::with_verifier(params.clone(), verifier));
    let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default())?;
    let blocks = blocks.to_vec();
    let start = Instant::now();
    for block in blocks {
        let accepted = chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
        anyhow::ensure!(accepted == Accepted::Best, "a block is not on the best chain");
    }
    Ok((BLOCKS * BLOCK_TRANSACTIONS) as f64 / start.elapsed().as_secs_f64())
}

fn blocks(params: &Params, miner: &KeyPair, transactions: &[Arc<Transaction>]) -> Vec<Block> {
    let mut parent = params.genesis().header().clone();
    let mut blocks = Vec::new();
    for part in transactions.chunks(BLOCK_TRANSACTIONS) {
        let transactions = part.iter().map(|transaction| transaction.as_ref().clone()).collect();
        let (data, _) =
            Bundle { msg: String::new(), miner_address: miner.address(), transactions, outcome: None }.to_data();
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1000),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(""),
        };
        let block = Block::new(fields, Nonce(0), data);
        parent = block.header().clone();
        blocks.push(block);
    }
    blocks
}
