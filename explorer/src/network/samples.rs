//! States of a network that tests begin with (tests only).

use super::contents::{BlockContents, PaymentSummary};
use super::state::{BlockSummary, NetworkState, ServiceState};
use serde_json::Value;
use shared::block::{BlockHash, Height, Timestamp};
use shared::chain::Tip;
use shared::keys::KeyPair;
use shared::ledger::{Address, TransactionId};
use shared::wire::{Info, MiningInfo};
use shared::work::Work;
use std::sync::Arc;

pub(crate) fn hash(name: &str) -> BlockHash {
    BlockHash::of(name)
}

/// Block `name` of height `index` on `parent`; one block a second.
pub(crate) fn summary(index: u64, name: &str, parent: &str) -> BlockSummary {
    BlockSummary {
        index: Height(index),
        hash: hash(name),
        prev_hash: hash(parent),
        timestamp: Timestamp::from_ms(index * 1000),
        heard: Timestamp::from_ms(index * 1000),
        difficulty: 1,
        mined_by: None,
    }
}

pub(crate) fn tip(index: u64, name: &str) -> Tip {
    Tip {
        index: Height(index),
        hash: hash(name),
        timestamp: Timestamp::from_ms(index * 1000),
        work: Work(index.into()),
    }
}

pub(crate) fn info(tip: Option<Tip>) -> Info {
    Info {
        service: "node".to_owned(),
        version: "1".to_owned(),
        network_id: hash("network"),
        network: Value::Null,
        address: "a:1".to_owned(),
        started: Timestamp::from_ms(0),
        tip,
        peers: Some(3),
        mining: None,
        pool: None,
        members: None,
        health: None,
    }
}

/// Adds a node that answers, with block `name` as its tip.
pub(crate) fn put_node_at(state: &mut NetworkState, node: &str, index: u64, name: &str) {
    let service = ServiceState { info: Some(info(Some(tip(index, name)))), ..ServiceState::default() };
    state.nodes.insert(node.to_owned(), service);
}

/// Cuts the link between two nodes.
pub(crate) fn cut(state: &mut NetworkState, one: &str, other: &str) {
    state.nodes.get_mut(one).expect("a node").refused.insert(other.to_owned());
}

pub(crate) fn heal(state: &mut NetworkState, one: &str, other: &str) {
    state.nodes.get_mut(one).expect("a node").refused.remove(other);
}

/// Lets a node mine to an address.
pub(crate) fn mining_for(state: &mut NetworkState, node: &str, address: &Address) {
    let info = state.nodes.get_mut(node).and_then(|node| node.info.as_mut()).expect("a node that answers");
    info.mining = Some(MiningInfo { enabled: true, address: Some(address.to_string()), threads: 1, hashrate: 50_000 });
}

/// Fills block `name`, found by the key of the seed `miner`, with payments: each the seed of its sender and a number.
pub(crate) fn contents(state: &mut NetworkState, name: &str, miner: &str, payments: &[(&str, u32)]) {
    let address = |seed: &str| KeyPair::from_seed(seed).address();
    let payment = |(from, number): &(&str, u32)| PaymentSummary {
        id: TransactionId::of(number.to_string()),
        from: address(from),
        to: address("max"),
        amount: 100_000_000,
        fee: 1000,
    };
    let payments: Vec<_> = payments.iter().map(payment).collect();
    let (miner, count) = (Some(address(miner)), payments.len());
    let earned = 5_000_000_000 + 1000 * count as u64;
    let contents = BlockContents { miner, count, payments, bytes: 300 * count, earned };
    state.contents.insert(hash(name), Arc::new(contents));
}
