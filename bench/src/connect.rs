//! Connecting blocks of 2000 transactions. Unseen ones are compared with verifying their signatures alone; seen ones,
//! whose signatures are already verified, with a fixed rate.

use crate::chains::next_block;
use crate::payments::{coin_params, params, payments, spends, wallets};
use crate::report::Row;
use anyhow::{Context, Result};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use runtime::verifier::CachingVerifier;
use shared::block::{Block, Timestamp};
use shared::chain::{Accepted, Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::ledger::{Bundle, Transaction, TransactionRules};
use shared::params::Params;
use shared::store::MemoryStore;
use std::sync::Arc;
use std::time::Instant;

const BLOCKS: usize = 10;
const BLOCK_TRANSACTIONS: usize = 2000;

pub(crate) fn measure() -> Result<()> {
    let wallets = wallets(500);
    let params = params("bench-connect");
    let transactions = payments(&params, &wallets, BLOCKS * BLOCK_TRANSACTIONS);
    measure_kind("", &Chains::new(params, &wallets[0], &[], transactions))?;
    let params = coin_params("bench-connect-coins");
    let (funding, transactions) = spends(&params, &wallets, BLOCKS * BLOCK_TRANSACTIONS);
    measure_kind(" of coins, 2 into 2", &Chains::new(params, &wallets[0], &funding, transactions))
}

/// The blocks to connect, and those that come before them.
struct Chains {
    params: Params,
    before: Vec<Block>,
    blocks: Vec<Block>,
    transactions: Vec<Arc<Transaction>>,
}

impl Chains {
    /// `funding` has the transactions of the blocks that come before.
    fn new(
        params: Params,
        miner: &KeyPair,
        funding: &[Vec<Arc<Transaction>>],
        transactions: Vec<Arc<Transaction>>,
    ) -> Self {
        let mut parent = params.genesis().header().clone();
        let mut block = |part: &[Arc<Transaction>]| {
            let transactions = part.iter().map(|transaction| transaction.as_ref().clone()).collect();
            let bundle = Bundle { msg: String::new(), miner_address: miner.address(), transactions, outcome: None };
            next_block(&mut parent, bundle.to_data().0)
        };
        let before = funding.iter().map(|part| block(part)).collect();
        let blocks = transactions.chunks(BLOCK_TRANSACTIONS).map(&mut block).collect();
        Self { params, before, blocks, transactions }
    }

    /// Transactions a second through all validity stages, without commits.
    fn connect(&self, verifier: Arc<CachingVerifier>) -> Result<f64> {
        let rules = Arc::new(Rules::with_verifier(self.params.clone(), verifier));
        let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default())?;
        for block in self.before.clone() {
            chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
        }
        let blocks = self.blocks.clone();
        let start = Instant::now();
        for block in blocks {
            let accepted = chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
            anyhow::ensure!(accepted == Accepted::Best, "a block is not on the best chain: {accepted:?}");
        }
        Ok(self.transactions.len() as f64 / start.elapsed().as_secs_f64())
    }
}

fn measure_kind(kind: &str, chains: &Chains) -> Result<()> {
    let Chains { params, transactions, .. } = chains;
    let cores = std::thread::available_parallelism()?.get();
    // Alternating; the best of three runs counts.
    let (mut unseen, mut seen, mut bare) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..3 {
        bare = bare.max(bare_rate(params, transactions)?);
        let verifier = Arc::new(CachingVerifier::new(4 * BLOCKS * BLOCK_TRANSACTIONS));
        unseen = unseen.max(chains.connect(verifier.clone())?);
        for transaction in transactions {
            let text = transaction.text(params.network_id());
            transaction.verify(&text, &TransactionRules::of(params), verifier.as_ref())?;
        }
        seen = seen.max(chains.connect(verifier)?);
    }
    let (unit, limit) = ("tx/s", bare * cores as f64);
    let what = format!("connect a block of 2000 unseen transactions{kind}");
    println!("{}", Row { what, ours: unseen, limit, unit, goal: ">= 0.85".into() });
    let what = format!("connect a block of 2000 seen transactions{kind}");
    println!("{}", Row { what, ours: seen, limit: 100_000.0, unit, goal: ">= 1".into() });
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
