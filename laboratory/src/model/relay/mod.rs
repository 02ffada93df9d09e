//! `relay`: nodes in regions, linked at random, that announce, request and send blocks; and one pool with a strategy,
//! if the scenario has one.
//!
//! A message takes a latency looked up by block, sender, receiver and kind, and blocks queue for their sender's upload.
//! Nodes follow the chain with most work that they heard of first, and announce what they adopt. A received block
//! brings its ancestors along: fetching missing ones costs nothing. Difficulty follows the real retarget rule on every
//! branch.
//!
//! An announcement that cannot matter, because its receiver will have requested the block from another node by then, is
//! counted, but makes no event. This changes nothing else, since a node never forgets its requests; a test compares
//! runs with and without these events.
//!
//! A partition stops announcements between its sides; what was announced before is still asked for and sent. When it
//! ends, nodes with links across announce their tips again.

mod change;
mod clock;
mod flight;
mod pool;
mod run;
mod transfer;

pub use transfer::{RelayMode, Upload};

use super::{Outcome, Scheduled, Watcher};
use crate::network::{Network, NetworkSetting};
use crate::strategy::{Honest, PolicyMiner, Strategy, StrategySetting};
use shared::params::Params;

/// A network run with everything filled in.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Regions, latencies, bandwidths, links, hash rate.
    pub network: NetworkSetting,
    /// How nodes pass blocks on.
    pub mode: RelayMode,
    /// How long sending a block keeps a node's upload busy.
    pub upload: Upload,
    /// Size of a block.
    pub block_bytes: u64,
    /// The pool with a strategy.
    pub pool: Option<Pool>,
    /// Partitions, changes of hash rate and latency.
    pub events: Vec<Scheduled>,
    /// Interval, retarget rule, initial difficulty.
    pub params: Params,
    /// Blocks to find after the warm-up.
    pub blocks: u64,
    /// Blocks to find before anything counts.
    pub warm_up: u64,
}

/// A miner with links of its own to every node.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its share of all hash rate.
    pub share: f64,
    /// What it does.
    pub strategy: StrategySetting,
    /// How long one message over its links takes, in both directions. A block is announced, requested and sent, unless
    /// nodes push; links have no limit of bandwidth.
    pub link_ms: u64,
}

impl Relay {
    /// Runs the network; it, too, is drawn from the seed.
    pub fn run(&self, seed: u64) -> Outcome {
        self.run_skipping(seed, true, None)
    }

    /// As [`Relay::run`], with somebody who watches.
    pub fn run_watched(&self, seed: u64, watcher: Watcher<'_>) -> Outcome {
        self.run_skipping(seed, true, watcher)
    }

    /// As [`Relay::run`], with idle announcements as events or not.
    fn run_skipping(&self, seed: u64, skip_idle: bool, watcher: Watcher<'_>) -> Outcome {
        let network = Network::new(&self.network, seed);
        let mut strategy: Box<dyn Strategy> = match &self.pool {
            None => Box::new(PolicyMiner::new(Honest)),
            Some(pool) => pool.strategy.build(),
        };
        run::run(self, &network, strategy.as_mut(), seed, skip_idle, watcher)
    }
}

#[cfg(test)]
mod tests;
