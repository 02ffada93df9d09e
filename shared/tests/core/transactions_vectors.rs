//! Known answers that were computed apart from this code: a chain with payments, and the final balances.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::transactions_lab::rows;
use crate::transactions_oracle::Oracle;
use serde_json::Value;
use shared::block::Block;
use shared::chain::{Accepted, Chain, Origin, Rules, SideLimits};
use shared::layer::transaction::{AccountBalance, accounts};
use shared::params::Params;
use shared::store::MemoryStore;
use shared::work::Work;
use std::sync::Arc;

#[test]
fn a_whole_chain_with_payments_connects_and_has_the_known_balances() {
    let file: Value = serde_json::from_str(include_str!("../vectors/blocks_transaction.json")).unwrap();
    let params: Params = serde_json::from_value(file["params"].clone()).unwrap();
    let json = file["blocks"].as_array().unwrap();
    let blocks: Vec<_> = json.iter().map(|json| Block::from_json(json.to_string().as_bytes()).unwrap()).collect();
    assert_eq!(params.genesis(), blocks[0]);
    let rules = Arc::new(Rules::new(params.clone()));
    let mut chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default()).unwrap();
    for block in &blocks[1..] {
        let accepted = chain.accept(block.clone(), block.header().timestamp, Origin::Single);
        assert_eq!(accepted, Ok(Accepted::Best), "block {}", block.index());
    }
    assert_eq!(chain.tip().work, Work(u128::from(file["work"].as_u64().unwrap())));
    let state = chain.view().snapshot().unwrap();
    let got = accounts(state.as_ref(), "", "", usize::MAX).unwrap();
    let got: Value =
        got.iter().map(|AccountBalance { address, balance }| (address.to_string(), balance.grains())).collect();
    assert_eq!(got, file["balances"]);
    assert_eq!(rows(&state), Oracle::replay(&params, &blocks).unwrap().rows(false));
}
