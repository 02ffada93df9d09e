//! From a scenario's text to a model with everything filled in: defaults, bounds, and keys that belong together.

use super::{Consensus, Miner, ModelName, Network, Scenario, ScenarioError};
use crate::model::Setting;
use crate::model::race::{Race, RaceStrategy};
use crate::model::relay::{Pool, Relay};
use crate::strategy::{StrategyName, Stubborn};
use shared::params::Params;
use shared::work::Difficulty;
use shared::work::retarget::RetargetRule;

/// The most blocks that a run may find: the tree keeps them all.
const MOST_BLOCKS: u64 = 50_000_000;
/// How many blocks behind a thief gives up, unless the scenario says otherwise.
const GIVE_UP: u32 = 40;
/// Nodes of a network, unless the scenario says otherwise; and the most: events have 20 bits for a node.
const DEFAULT_NODES: u64 = 600;
const MOST_NODES: u64 = 100_000;
/// Size of a block, unless the scenario says otherwise: SimBlock's.
const BLOCK_BYTES: u64 = 535_000;

fn within<T: PartialOrd + std::fmt::Display>(key: &str, got: T, least: T, most: T) -> Result<T, ScenarioError> {
    if got >= least && got <= most {
        return Ok(got);
    }
    Err(wrong(key, got.to_string(), format!("{least} to {most}")))
}

/// The error for a value that makes no sense here.
fn wrong(key: &str, got: impl Into<String>, expected: impl Into<String>) -> ScenarioError {
    ScenarioError::Value { key: key.to_owned(), got: got.into(), expected: expected.into() }
}

impl Scenario {
    /// The model that this point describes, with everything filled in.
    ///
    /// # Errors
    /// The first key whose value makes no sense.
    pub fn setting(&self) -> Result<Setting, ScenarioError> {
        within("repeat", self.repeat, 1, 1_000_000)?;
        within("blocks", self.blocks, 1, MOST_BLOCKS)?;
        within("warm_up", self.warm_up, 0, MOST_BLOCKS)?;
        within("measure.confidence", self.measure.confidence, 0.5, 0.999_999)?;
        if self.measure.quantities.is_empty() {
            return Err(wrong("measure.quantities", "[]", "at least one; `laboratory list` shows them"));
        }
        self.network.has_only_keys_of(self.model)?;
        match self.model {
            ModelName::Race => self.race().map(Setting::Race),
            ModelName::Relay => self.relay().map(Setting::Relay),
        }
    }

    fn race(&self) -> Result<Race, ScenarioError> {
        let [miner] = self.miner.as_slice() else {
            let expected = "one [[miner]] in a race: all others are honest";
            return Err(wrong("miner", format!("{} of them", self.miner.len()), expected));
        };
        if miner.link_ms.is_some() {
            return Err(wrong(&miner.key("link_ms"), "a value", "no such key in a race, which has no network"));
        }
        Ok(Race {
            share: miner.share()?,
            gamma: within("network.gamma", self.network.gamma.unwrap_or(0.0), 0.0, 1.0)?,
            strategy: miner.race_strategy()?,
            params: self.consensus.params()?,
            blocks: self.blocks,
            warm_up: self.warm_up,
        })
    }

    fn relay(&self) -> Result<Relay, ScenarioError> {
        let pool = match self.miner.as_slice() {
            [] => None,
            [miner] => Some(Pool {
                share: miner.share()?,
                strategy: miner.race_strategy()?,
                link_ms: within(&miner.key("link_ms"), miner.link_ms.unwrap_or(0), 0, 60_000)?,
            }),
            more => {
                let expected = "at most one [[miner]]: all others are the network's nodes";
                return Err(wrong("miner", format!("{} of them", more.len()), expected));
            }
        };
        if self.consensus.retarget != RetargetRule::Fixed {
            return Err(wrong(
                "consensus.retarget",
                "another rule",
                "\"fixed\" in this model; `race` knows the others",
            ));
        }
        let network = &self.network;
        Ok(Relay {
            preset: network.preset.unwrap_or_default(),
            nodes: within("network.nodes", network.nodes.unwrap_or(DEFAULT_NODES), 2, MOST_NODES)? as usize,
            latency_ms: within("network.latency_ms", network.latency_ms.unwrap_or(0), 0, 60_000)?,
            power: network.power.unwrap_or_default(),
            mode: network.relay.unwrap_or_default(),
            upload: network.upload.unwrap_or_default(),
            block_bytes: within("network.block_bytes", network.block_bytes.unwrap_or(BLOCK_BYTES), 1, 1 << 30)?,
            pool,
            params: self.consensus.params()?,
            blocks: self.blocks,
            warm_up: self.warm_up,
        })
    }
}

impl Network {
    /// A key that the model does not have would be ignored: better an error.
    fn has_only_keys_of(&self, model: ModelName) -> Result<(), ScenarioError> {
        let keys = [
            ("gamma", self.gamma.is_some(), ModelName::Race),
            ("preset", self.preset.is_some(), ModelName::Relay),
            ("nodes", self.nodes.is_some(), ModelName::Relay),
            ("latency_ms", self.latency_ms.is_some(), ModelName::Relay),
            ("power", self.power.is_some(), ModelName::Relay),
            ("relay", self.relay.is_some(), ModelName::Relay),
            ("upload", self.upload.is_some(), ModelName::Relay),
            ("block_bytes", self.block_bytes.is_some(), ModelName::Relay),
        ];
        match keys.iter().find(|(_, given, owner)| *given && *owner != model) {
            None => Ok(()),
            Some((key, ..)) => Err(wrong(&format!("network.{key}"), "a value", "no such key in this model")),
        }
    }
}

impl Consensus {
    fn params(&self) -> Result<Params, ScenarioError> {
        let initial = within("consensus.initial_difficulty", self.initial_difficulty, 1, Difficulty::MAX.value())?;
        let params = Params {
            block_interval_ms: self.block_interval_ms,
            retarget: self.retarget,
            retarget_window: self.retarget_window,
            initial_difficulty: Difficulty::clamped(u128::from(initial)),
            ..Params::default()
        };
        params.check().map_err(|error| ScenarioError::Toml(error.to_string().replace("[network]", "[consensus]")))?;
        Ok(params)
    }
}

impl Miner {
    fn share(&self) -> Result<f64, ScenarioError> {
        let key = self.key("share");
        let share = self.share.ok_or_else(|| wrong(&key, "nothing", "its share of the hash rate, 0 to 1"))?;
        within(&key, share, 0.0, 1.0)
    }

    fn race_strategy(&self) -> Result<RaceStrategy, ScenarioError> {
        self.only_its_own_keys()?;
        Ok(match self.strategy {
            StrategyName::Honest => RaceStrategy::Honest,
            StrategyName::Selfish => RaceStrategy::Selfish,
            StrategyName::Stubborn => RaceStrategy::Stubborn(Stubborn {
                lead: self.lead.unwrap_or_default(),
                equal_fork: self.equal_fork.unwrap_or_default(),
                trail: self.trail.unwrap_or_default(),
            }),
            StrategyName::DoubleSpend => RaceStrategy::DoubleSpend {
                confirmations: within(&self.key("confirmations"), self.confirmations.unwrap_or(6), 1, 1000)?,
                give_up: within(&self.key("give_up"), self.give_up.unwrap_or(GIVE_UP), 1, 10_000)?,
            },
        })
    }

    /// A key that the strategy does not have would be ignored: better an error.
    fn only_its_own_keys(&self) -> Result<(), ScenarioError> {
        let keys = [
            ("lead", self.lead.is_some(), StrategyName::Stubborn),
            ("equal_fork", self.equal_fork.is_some(), StrategyName::Stubborn),
            ("trail", self.trail.is_some(), StrategyName::Stubborn),
            ("confirmations", self.confirmations.is_some(), StrategyName::DoubleSpend),
            ("give_up", self.give_up.is_some(), StrategyName::DoubleSpend),
        ];
        match keys.iter().find(|(_, given, strategy)| *given && *strategy != self.strategy) {
            None => Ok(()),
            Some((key, ..)) => Err(wrong(&self.key(key), "a value", "no such key with this strategy")),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("miner.{}.{key}", self.name)
    }
}
