//! Section `[mempool]`.

use super::node::empty_is_none;
use crate::ledger::Amount;
use crate::pool::{CoinPolicy, Replacement};
use serde::Deserialize;
use std::path::PathBuf;

/// Section `[mempool]`: settings of a mempool (docs/protocol.md §11).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MempoolConfig {
    /// Name or address that it listens on.
    pub host: String,
    /// The first port to try; the flag `--port` names the only one.
    pub port: u16,
    /// `host:port` of the tracker.
    pub tracker: String,
    /// Folder for the chain and the pool; relative to the working directory.
    pub data_dir: PathBuf,
    /// `host:port` that others reach it at; where it listens if not given.
    #[serde(deserialize_with = "empty_is_none")]
    pub advertise: Option<String>,
    /// Most peers that it follows.
    pub max_peers: usize,
    /// Milliseconds between two looks at each peer's tip.
    pub poll_ms: u64,
    /// Most pending transactions.
    pub max_count: usize,
    /// Most bytes of pending transactions, as JSON.
    pub max_bytes: usize,
    /// Most pending transactions of one sender.
    pub max_per_sender: usize,
    /// Seconds after which a pending transaction expires.
    pub max_age_seconds: u64,
    /// Least fee, in grains, where the network gives new addresses a balance.
    pub min_fee: Amount,
    /// What happens to a transaction that spends a coin which a pending one spends.
    pub replacement: Replacement,
    /// Smallest coin, in grains, that a pushed transaction may make; 0 for no limit.
    pub dust: Amount,
    /// Pushes per second that one source may sustain.
    pub pushes_per_second: u32,
    /// Pushes that one source may send at once.
    pub push_burst: u32,
}

impl Default for MempoolConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8091,
            tracker: "127.0.0.1:8090".to_owned(),
            data_dir: PathBuf::from("chaindata"),
            advertise: None,
            max_peers: 32,
            poll_ms: 500,
            max_count: 100_000,
            max_bytes: 64 << 20,
            max_per_sender: 2500,
            max_age_seconds: 259_200,
            min_fee: Amount::new(1000).unwrap_or_default(),
            replacement: CoinPolicy::default().replacement,
            dust: CoinPolicy::default().dust,
            pushes_per_second: 2000,
            push_burst: 40_000,
        }
    }
}
