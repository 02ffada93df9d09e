//! `links`: miners at the nodes of a graph of delays, each with a share of the hash rate and a strategy.
//!
//! A block reaches every miner along the fastest path. That is what relaying does, also where nodes pass on only what
//! they adopt: a node that has an equally good block has sent that one to its neighbours first. Difficulty is fixed.
//!
//! Nothing happens at an honest miner until it finds a block: only then one needs to know what it has heard of. So a
//! run costs a few comparisons a block, whatever the number of miners.

mod delays;
mod run;

pub use delays::{Delays, Edge, Unreachable};

use super::{Outcome, Watcher};
use crate::kernel::{Stream, stream};
use crate::network::Maker;
use crate::strategy::{StrategyName, StrategySetting};
use shared::params::Params;
use std::sync::Arc;

/// A graph of miners with everything filled in.
#[derive(Debug, Clone)]
pub struct Links {
    /// The miners, by node.
    pub miners: Vec<LinkedMiner>,
    /// How they are linked.
    pub graph: LinkGraph,
    /// What a block takes to be checked and sent for the first time, before its way begins.
    pub validation_ms: u64,
    /// Interval; the retarget rule is fixed.
    pub params: Params,
    /// Blocks to find after the warm-up.
    pub blocks: u64,
    /// Blocks to find before anything counts.
    pub warm_up: u64,
}

/// A miner at a node.
#[derive(Debug, Clone)]
pub struct LinkedMiner {
    /// Its hash rate, in any unit.
    pub power: f64,
    /// What it does.
    pub strategy: StrategySetting,
}

/// How miners are linked.
#[derive(Debug, Clone)]
pub enum LinkGraph {
    /// By listed delays.
    Listed(Arc<Delays>),
    /// By a maker, with the same delay on each link; random graphs are drawn from the seed of the run.
    Made {
        /// What links them.
        maker: Maker,
        /// The delay of a link.
        latency_ms: u64,
    },
}

impl Links {
    /// Runs it.
    pub fn run(&self, seed: u64) -> Outcome {
        self.run_watched(seed, None)
    }

    /// As [`Links::run`], with somebody who watches.
    pub fn run_watched(&self, seed: u64, watcher: Watcher<'_>) -> Outcome {
        match &self.graph {
            LinkGraph::Listed(delays) => run::run(self, delays, seed, watcher),
            LinkGraph::Made { maker, latency_ms } => {
                let delays = Delays::made(maker, &silent(&self.miners), *latency_ms, &mut stream(seed, Stream::Graph));
                run::run(self, &delays, seed, watcher)
            }
        }
    }
}

/// By node: whether it relays nobody else's blocks.
pub fn silent(miners: &[LinkedMiner]) -> Vec<bool> {
    miners.iter().map(|miner| miner.strategy.name() != StrategyName::Honest).collect()
}

#[cfg(test)]
mod tests;
