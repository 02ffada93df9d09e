//! States of a network that tests begin with (tests only).

use super::state::{BlockSummary, NetworkState, ServiceState};
use serde_json::Value;
use shared::block::{BlockHash, Height, Timestamp};
use shared::chain::Tip;
use shared::wire::Info;
use shared::work::Work;

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
