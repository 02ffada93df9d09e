//! `core`: the real chain and the real syncer of `shared`, one of each a node, in virtual time.
//!
//! Nodes really mine, at a difficulty of a few thousand hashes; when a block is found and by whom is drawn, so that an
//! interval of ten minutes costs no ten minutes. Each node knows its neighbours in the graph and nobody else. A message
//! takes its latency, and blocks queue for their sender's upload as in `relay`. What a node does then is what our
//! program does: it pushes, relays, polls, syncs, reorganises and pauses.
//!
//! A run may go on from the chain of a live network, at its hash rates and with its money ([`Frozen`]). One miner may
//! have a strategy; it has links of its own to all nodes, as in `relay`, and no hash rate of theirs.

mod ends;
mod given;
mod node;
mod pool;
mod queue;
mod world;

pub use given::{Frozen, GivenChain};
pub(crate) use node::address as node_address;

use super::relay::Pool;
use super::{Outcome, Scheduled, Watcher};
use crate::network::{Network, NetworkSetting};
use shared::chain::{ChainEntry, Tip};
use shared::keys::KeyPair;
use shared::ledger::Address;
use shared::params::{LayerName, Params};
use shared::work::Difficulty;

/// A network of real nodes with everything filled in.
#[derive(Debug, Clone)]
pub struct Core {
    /// Regions, latencies, bandwidths, links, hash rate.
    pub network: NetworkSetting,
    /// Size of a block on its way; its data are a few bytes, whatever this says.
    pub block_bytes: u64,
    /// Partitions, changes of hash rate and latency.
    pub events: Vec<Scheduled>,
    /// The miner with a strategy.
    pub pool: Option<Pool>,
    /// What comes from a live network.
    pub frozen: Frozen,
    /// Interval, retarget rule, initial difficulty.
    pub params: Params,
    /// Blocks to find after the warm-up.
    pub blocks: u64,
    /// Blocks to find before anything counts.
    pub warm_up: u64,
}

impl Core {
    /// The difficulty at which all hash rate together finds a block once an interval: that of block 1, or what the
    /// given hash rates make.
    fn reference(&self) -> f64 {
        if self.frozen.hash_rates.is_empty() {
            return self.params.initial_difficulty.value() as f64;
        }
        let honest: f64 = self.frozen.hash_rates.iter().map(|rate| *rate as f64).sum();
        let pool = self.pool.as_ref().map_or(0.0, |pool| pool.share);
        honest / (1.0 - pool) * self.params.block_interval_ms as f64 / 1000.0
    }

    /// Whether blocks earn money.
    pub fn has_money(&self) -> bool {
        self.frozen.chain.as_ref().is_some_and(|chain| chain.params().layer.has_money())
    }

    /// Its network, as a run with this seed draws it.
    pub(crate) fn network(&self, seed: u64) -> Network {
        let mut network = Network::new(&self.network, seed);
        if !self.frozen.hash_rates.is_empty() {
            network.set_powers(&self.frozen.hash_rates);
        }
        network
    }

    /// The rules of its chain, and the block that it begins on.
    pub(crate) fn start(&self) -> (Params, Tip, Difficulty) {
        match &self.frozen.chain {
            Some(chain) => (chain.params().clone(), chain.entry().tip(), chain.entry().header.difficulty),
            None => {
                let params = Params { layer: LayerName::Data, ..self.params.clone() };
                let header = params.genesis().header().clone();
                let entry = ChainEntry { work: header.difficulty.work(), header };
                let (tip, difficulty) = (entry.tip(), entry.header.difficulty);
                (params, tip, difficulty)
            }
        }
    }

    /// Hashes per second of all nodes together.
    pub(crate) fn honest_hash_rate(&self) -> f64 {
        let pool = self.pool.as_ref().map_or(0.0, |pool| pool.share);
        self.reference() * (1.0 - pool) * 1000.0 / self.params.block_interval_ms as f64
    }

    /// Who earns what a node finds, on a chain with money.
    pub(crate) fn earner(&self, node: u32) -> Option<Address> {
        let unnamed = || KeyPair::from_seed(&format!("node {node}")).address();
        self.has_money().then(|| self.frozen.earners.get(node as usize).copied().unwrap_or_else(unnamed))
    }

    /// Runs the network; it, too, is drawn from the seed.
    pub fn run(&self, seed: u64) -> Outcome {
        self.run_watched(seed, None)
    }

    /// As [`Core::run`], with somebody who watches.
    pub fn run_watched(&self, seed: u64, watcher: Watcher<'_>) -> Outcome {
        let network = self.network(seed);
        world::run(self, &network, seed, watcher)
    }
}

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod tests;
