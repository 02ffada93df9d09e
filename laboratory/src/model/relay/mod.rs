//! `relay`: nodes in regions, linked at random, that announce, request and send blocks; and one pool with a strategy,
//! if the scenario has one.
//!
//! A message takes a latency looked up by block, sender, receiver and kind, and blocks queue for their sender's upload.
//! Nodes follow the chain with most work that they heard of first, and announce what they adopt. A received block
//! brings its ancestors along: fetching missing ones costs nothing.
//!
//! An announcement that cannot matter, because its receiver will have asked somebody else by then, is counted but is no
//! event. That changes nothing else, since what a node has asked for is never forgotten; a test compares both ways.

mod flight;
mod run;
mod transfer;

pub use transfer::{RelayMode, Upload};

use super::Outcome;
use super::race::RaceStrategy;
use crate::network::{Network, Power, PresetName};
use crate::strategy::{DoubleSpend, Honest, PolicyMiner, Selfish, Strategy};
use shared::params::Params;

/// A network run with everything filled in.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Regions, latencies, bandwidths.
    pub preset: PresetName,
    /// How many nodes there are, the pool apart.
    pub nodes: usize,
    /// Latency of the preset `uniform`.
    pub latency_ms: u64,
    /// How hash rate is spread over nodes.
    pub power: Power,
    /// How nodes pass blocks on.
    pub mode: RelayMode,
    /// How long sending a block keeps a node's upload busy.
    pub upload: Upload,
    /// Size of a block.
    pub block_bytes: u64,
    /// The pool with a strategy.
    pub pool: Option<Pool>,
    /// Interval; the retarget rule is fixed.
    pub params: Params,
    /// Blocks to find after the warm-up.
    pub blocks: u64,
    /// Blocks to find before anything counts.
    pub warm_up: u64,
}

/// A miner with links of its own to every node.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Its share of all hash rate.
    pub share: f64,
    /// What it does.
    pub strategy: RaceStrategy,
    /// How long one message over its links takes, in both directions. A block is announced, requested and sent, unless
    /// nodes push; links have no limit of bandwidth.
    pub link_ms: u64,
}

impl Relay {
    /// Runs the network; it, too, is drawn from the seed.
    pub fn run(&self, seed: u64) -> Outcome {
        self.run_skipping(seed, true)
    }

    /// As [`Relay::run`], with idle announcements as events or not.
    fn run_skipping(&self, seed: u64, skip_idle: bool) -> Outcome {
        let network = Network::new(self.preset, self.nodes, self.latency_ms, self.power, seed);
        let mut strategy: Box<dyn Strategy> = match self.pool.map(|pool| pool.strategy) {
            None | Some(RaceStrategy::Honest) => Box::new(PolicyMiner::new(Honest)),
            Some(RaceStrategy::Selfish) => Box::new(PolicyMiner::new(Selfish)),
            Some(RaceStrategy::Stubborn(stubborn)) => Box::new(PolicyMiner::new(stubborn)),
            Some(RaceStrategy::DoubleSpend { confirmations, give_up }) => {
                Box::new(DoubleSpend::new(confirmations, give_up))
            }
        };
        run::run(self, &network, strategy.as_mut(), seed, skip_idle)
    }
}

#[cfg(test)]
mod tests;
