//! The beginning and the end of a run of real nodes: what the world is made of, and what it has become.

use super::node::{Node, NodeSetting, now};
use super::pool::PoolState;
use super::queue::Queue;
use super::world::World;
use super::{Core, GivenChain};
use crate::kernel::mixed;
use crate::model::event::Timeline;
use crate::model::tally::count;
use crate::model::{At, Outcome, Scheduled, Spread, Watcher};
use crate::network::Network;
use crate::tree::{BlockId, Tree};
use shared::chain::Rules;
use shared::layer::transaction::account_balance;
use shared::ledger::Address;
use shared::params::{LayerName, Params};
use shared::store::MemoryStore;
use std::collections::HashMap;
use std::sync::Arc;

/// Time between two polls of a peer, at least; and at least one interval between blocks. Blocks are pushed, so polls
/// matter only after a partition.
const POLL_MS: u64 = 3000;

impl<'a, 'w> World<'a, 'w> {
    pub(super) fn new(core: &'a Core, network: &'a Network, seed: u64, watcher: Watcher<'w>) -> Self {
        let chain = core.frozen.chain.as_deref();
        let rules = match chain {
            Some(chain) => chain.rules().clone(),
            None => Arc::new(Rules::new(Params { layer: LayerName::Data, ..core.params.clone() })),
        };
        let params = rules.params();
        let genesis = params.genesis_time;
        let start_ms = chain.map_or(0, GivenChain::end_ms);
        let start_hash = chain.map_or_else(|| params.network_id(), |chain| chain.entry().hash());
        let tree = match chain {
            Some(chain) => Tree::on(params, &chain.times(genesis)),
            None => Tree::new(params),
        };
        let count = network.len();
        let node = |node: u32| {
            let setting = NodeSetting {
                rules: &rules,
                store: chain.map_or_else(MemoryStore::default, GivenChain::store),
                neighbours: network.graph.neighbours(node),
                poll_ms: POLL_MS.max(core.params.block_interval_ms),
                block_bytes: core.block_bytes,
                seed: mixed(seed, &[u64::from(node)]),
            };
            Node::new(node, setting, now(genesis, start_ms))
        };
        let events = core.events.iter().map(|&event| match event.at {
            At::Ms(at_ms) => Scheduled { at: At::Ms(at_ms.saturating_add(start_ms)), ..event },
            At::Block(_) => event,
        });
        Self {
            core,
            network,
            watcher,
            seed,
            genesis,
            queue: Queue::new(start_ms),
            nodes: (0..count as u32).filter_map(node).collect(),
            pool: core.pool.as_ref().map(PoolState::new),
            earners: (0..count as u32).filter_map(|node| core.earner(node)).collect(),
            reference: core.reference(),
            timeline: Timeline::new(&events.collect::<Vec<_>>()),
            sides: Vec::new(),
            latency_hundredths: 100,
            factors: vec![1.0; count],
            paces: vec![(start_hash, 1.0); count],
            tree,
            blocks: HashMap::from([(start_hash, (BlockId::GENESIS, start_ms))]),
            hashes: vec![start_hash],
            sent: 0,
            spread: Spread::default(),
            // A run on another chain is another run.
            digest: chain
                .map_or(seed, |_| start_hash.as_bytes().iter().fold(seed, |sum, byte| mixed(sum, &[(*byte).into()]))),
            rules,
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        let tip = |node: &Node| self.blocks.get(&node.chain.tip().header.hash()).map(|(block, _)| *block);
        let mut tips: Vec<BlockId> = self.nodes.iter().filter_map(tip).collect();
        tips.sort_unstable();
        tips.dedup();
        let miners = 1 + usize::from(self.pool.is_some());
        let counted = count(&self.tree, &tips, self.core.warm_up, miners);
        let balances = self.balances();
        let tips = tips.iter().map(|tip| u64::from(tip.0));
        let figures = [self.spread.receipts, self.spread.messages, self.spread.delays_ms.digest()];
        let digest = mixed(self.digest, &tips.chain(figures).collect::<Vec<_>>());
        Outcome {
            miners: counted.miners,
            elapsed_ms: counted.elapsed_ms,
            thefts: self.pool.as_ref().and_then(|pool| pool.strategy.thefts()),
            batches: counted.batches,
            balances,
            spread: Some(self.spread),
            digest,
            ..Outcome::default()
        }
    }

    /// On a chain with money: what the miner with a strategy has in the end, if there is one, and then each node's
    /// miner.
    fn balances(&self) -> Vec<(Address, u64)> {
        let Some(view) = self.nodes.first().map(|node| node.chain.view()) else { return Vec::new() };
        let Ok(snapshot) = view.snapshot() else { return Vec::new() };
        let pool = self.pool.as_ref().filter(|_| !self.earners.is_empty()).map(|pool| pool.earner);
        let balance = |address: Address| {
            let balance = account_balance(snapshot.as_ref(), self.rules.params(), &address).ok()?;
            Some((address, balance.grains()))
        };
        pool.into_iter().chain(self.earners.iter().copied()).filter_map(balance).collect()
    }
}
