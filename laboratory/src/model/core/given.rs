//! A chain that is there before a run begins: the blocks of a live network, checked by the real rules, money included.

use shared::block::{Block, Header, Timestamp};
use shared::chain::{Chain, ChainEntry, Origin, Rules, SideLimits};
use shared::ledger::Address;
use shared::params::Params;
use shared::store::MemoryStore;
use shared::work::Difficulty;
use std::sync::Arc;

/// The longest chain: each block is one of the run's tree.
const MOST_BLOCKS: usize = 1_000_000;

/// A valid chain, and the rules that make it valid.
#[derive(Clone)]
pub struct GivenChain {
    rules: Arc<Rules>,
    store: MemoryStore,
    /// From block 1 on.
    headers: Vec<Header>,
    tip: ChainEntry,
}

impl std::fmt::Debug for GivenChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenChain").field("blocks", &self.headers.len()).finish_non_exhaustive()
    }
}

impl GivenChain {
    /// Reads a chain: on the first line the parameters of its network as JSON, then one block a line, from block 1 on.
    /// `until`: the last block that is taken.
    ///
    /// # Errors
    /// In words, what is wrong with it and on which line.
    pub fn read(text: &str, until: Option<u64>) -> Result<Self, String> {
        let mut lines = text.lines();
        let params: Params = serde_json::from_str(lines.next().unwrap_or_default())
            .map_err(|error| format!("line 1: expected the network's parameters: {error}"))?;
        params.check().map_err(|error| format!("line 1: {error}"))?;
        if params.layer.has_programs() {
            return Err("line 1: layer program: the laboratory has no machine that runs programs".to_owned());
        }
        if params.layer.has_coins() {
            return Err("line 1: layer utxo: the laboratory counts balances, and that layer has coins".to_owned());
        }
        let rules = Arc::new(Rules::new(params));
        let store = MemoryStore::default();
        let failed = |error: &dyn std::fmt::Display| format!("the chain cannot be kept: {error}");
        let opened = Chain::open(rules.clone(), Arc::new(store.clone()), SideLimits::default());
        let mut chain = opened.map_err(|error| failed(&error))?;
        let mut headers = Vec::new();
        for (number, line) in lines.enumerate().take(until.map_or(MOST_BLOCKS, |until| until as usize)) {
            let number = number + 2;
            let block: Block = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
            let header = block.header().clone();
            // Its time was judged when it was found.
            let accepted = chain.accept(block, header.timestamp, Origin::Bulk);
            accepted.map_err(|error| format!("line {number}: {error}"))?;
            if chain.tip().header.hash() != header.hash() {
                return Err(format!("line {number}: the block does not follow the one before it"));
            }
            headers.push(header);
        }
        if let Some(until) = until.filter(|until| *until > headers.len() as u64) {
            return Err(format!("the chain has {} blocks, so it cannot be taken up to block {until}", headers.len()));
        }
        chain.commit().and_then(|()| chain.flush()).map_err(|error| failed(&error))?;
        let tip = chain.tip().clone();
        drop(chain);
        Ok(Self { rules, store, headers, tip })
    }

    /// The parameters of its network.
    pub fn params(&self) -> &Params {
        self.rules.params()
    }

    /// Its rules.
    pub(super) const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// When each of its blocks was found, in milliseconds since `genesis`, and its difficulty; from genesis on.
    pub(super) fn times(&self, genesis: Timestamp) -> Vec<(u64, Difficulty)> {
        let time = |header: &Header| u64::try_from(header.timestamp.ms_since(genesis)).unwrap_or(0);
        let blocks = self.headers.iter().map(|header| (time(header), header.difficulty));
        std::iter::once((0, Difficulty::MIN)).chain(blocks).collect()
    }

    /// Its last block.
    pub(super) const fn entry(&self) -> &ChainEntry {
        &self.tip
    }

    /// A store with the chain, for one node.
    pub(super) fn store(&self) -> MemoryStore {
        self.store.fork()
    }

    /// When its last block was found, in milliseconds since genesis.
    pub(super) fn end_ms(&self) -> u64 {
        let last = self.headers.last().map_or(self.params().genesis_time, |header| header.timestamp);
        u64::try_from(last.ms_since(self.params().genesis_time)).unwrap_or(0)
    }
}

/// What a run takes over from a live network.
#[derive(Debug, Clone, Default)]
pub struct Frozen {
    /// Hashes per second, by node; empty where hash rate is drawn.
    pub hash_rates: Vec<u64>,
    /// What a message takes between two nodes, the smaller number first; pairs that are not there take what the preset
    /// says.
    pub delays_ms: std::collections::BTreeMap<(u32, u32), u64>,
    /// The chain that the run goes on from.
    pub chain: Option<Arc<GivenChain>>,
    /// Who earns what a node finds, by node, on a chain with money.
    pub earners: Vec<Address>,
}
