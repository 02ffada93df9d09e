//! `[live]`: what a scenario takes from a live network. `laboratory new --from` writes it; only `core` knows it.

use super::setting::{within, wrong};
use super::{Consensus, Network, Scenario, ScenarioError};
use crate::model::core::{Frozen, GivenChain};
use crate::network::GraphName;
use serde::{Deserialize, Serialize};
use shared::ledger::Address;
use shared::params::{Params, RetargetRule};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest delay between two nodes, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// The most hashes per second of a node.
const MOST_HASHES: u64 = 1_000_000_000_000;
/// The largest share of a miner beside hash rates that are given.
const MOST_SHARE: f64 = 0.99;

/// What comes from a live network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Hashes per second, by node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_rates: Option<Vec<u64>>,
    /// On a chain with money: the address that each node mines to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earners: Option<Vec<String>>,
    /// The file with the chain, beside the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The last block of the chain that is taken; all of them without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The chain itself: the parameters of its network, and then a block a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<String>,
}

/// Chains that were checked already: the points of a sweep share them.
#[derive(Debug, Default)]
pub struct Chains(Vec<(String, Option<u64>, Arc<GivenChain>)>);

impl Chains {
    fn read(&mut self, text: &str, until: Option<u64>) -> Result<Arc<GivenChain>, String> {
        if let Some((.., chain)) = self.0.iter().find(|(known, end, _)| *end == until && known == text) {
            return Ok(chain.clone());
        }
        let chain = Arc::new(GivenChain::read(text, until)?);
        self.0.push((text.to_owned(), until, chain.clone()));
        Ok(chain)
    }
}

impl Scenario {
    /// What comes from a live network, for `nodes` nodes.
    pub(super) fn frozen(&self, nodes: usize, chains: &mut Chains) -> Result<Frozen, ScenarioError> {
        let delays_ms = self.network.delays(nodes)?;
        let Some(live) = &self.live else { return Ok(Frozen { delays_ms, ..Frozen::default() }) };
        let of_each = |key: &str, count: usize| {
            if count == nodes {
                return Ok(());
            }
            Err(wrong(&format!("live.{key}"), format!("{count} of them"), format!("one for each of {nodes} nodes")))
        };
        let hash_rates = live.hash_rates.clone().unwrap_or_default();
        if live.hash_rates.is_some() {
            of_each("hash_rates", hash_rates.len())?;
            within("the sum of live.hash_rates", hash_rates.iter().sum::<u64>(), 1, MOST_HASHES)?;
            if let Some(miner) = self.miner.first() {
                within(&miner.key("share"), miner.share.unwrap_or_default(), 0.0, MOST_SHARE)?;
            }
        }
        let earners = live.earners.iter().flatten().map(|text| {
            let expected = "an address";
            text.parse::<Address>().map_err(|_| wrong("live.earners", format!("\"{text}\""), expected))
        });
        let earners = earners.collect::<Result<Vec<_>, _>>()?;
        if live.earners.is_some() {
            of_each("earners", earners.len())?;
        }
        let chain = match (&live.blocks, &live.chain) {
            (Some(text), _) => Some(chains.read(text, live.until).map_err(|error| {
                // The parameters have a line, and every block.
                let blocks = text.lines().count().saturating_sub(1) as u64;
                match live.until.filter(|until| *until > blocks) {
                    Some(until) => {
                        wrong("live.until", until.to_string(), format!("at most {blocks}, the chain's blocks"))
                    }
                    None => {
                        wrong("live.chain", error, "a chain, as `laboratory new FILE --from http://NODE` writes it")
                    }
                }
            })?),
            (None, Some(file)) => {
                return Err(wrong("live.chain", format!("\"{file}\", which was not read"), "a file with a chain"));
            }
            (None, None) => None,
        };
        if let Some(chain) = &chain {
            self.consensus.agrees_with(chain.params())?;
        } else if let Some(until) = live.until {
            return Err(wrong("live.until", until.to_string(), "a chain to take up to this block: live.chain"));
        }
        Ok(Frozen { hash_rates, delays_ms, chain, earners })
    }
}

impl Network {
    /// The delays of listed links, by pairs of nodes, the smaller number first.
    pub(super) fn delays(&self, nodes: usize) -> Result<BTreeMap<(u32, u32), u64>, ScenarioError> {
        let lines = self.links.iter().flatten().filter(|_| self.graph == Some(GraphName::List));
        let mut delays = BTreeMap::new();
        for line in lines {
            let ((one, other), delay_ms) = self.link(line, nodes)?;
            if let Some(delay_ms) = delay_ms {
                delays.insert((one.min(other), one.max(other)), within("network.links", delay_ms, 0, LONGEST_MS)?);
            }
        }
        Ok(delays)
    }
}

impl Consensus {
    /// The rules of a chain are its own: those that the scenario names must be the same.
    fn agrees_with(&self, params: &Params) -> Result<(), ScenarioError> {
        let name = |rule: RetargetRule| format!("{rule:?}").to_lowercase();
        let initial = params.initial_difficulty.value();
        let pairs = [
            ("block_interval_ms", self.block_interval_ms.to_string(), params.block_interval_ms.to_string()),
            ("retarget", name(self.retarget), name(params.retarget)),
            ("retarget_window", self.retarget_window.to_string(), params.retarget_window.to_string()),
            ("initial_difficulty", self.initial_difficulty.unwrap_or(initial).to_string(), initial.to_string()),
        ];
        match pairs.into_iter().find(|(_, ours, theirs)| ours != theirs) {
            None => Ok(()),
            Some((key, ours, theirs)) => {
                Err(wrong(&format!("consensus.{key}"), ours, format!("{theirs}, which the chain has")))
            }
        }
    }
}
