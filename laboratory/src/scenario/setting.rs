//! From a scenario's text to a model with everything filled in: defaults, bounds, and keys that belong together.

use super::event::scheduled;
use super::{Chains, Consensus, Miner, ModelName, Network, Scenario, ScenarioError};
use crate::model::Setting;
use crate::model::core::Core;
use crate::model::race::Race;
use crate::model::relay::{Pool, Relay};
use crate::network::{Graph, GraphName, Maker, NetworkSetting, Preset};
use crate::strategy::{PolicyTable, StrategyName, StrategySetting, Stubborn};
use shared::params::Params;
use shared::work::Difficulty;
use std::sync::Arc;

/// The most blocks that a run may find: the tree keeps them all.
const MOST_BLOCKS: u64 = 50_000_000;
/// The farthest that a miner may date its blocks ahead.
const MOST_AHEAD_MS: u64 = 86_400_000;
/// How many blocks behind a thief gives up, unless the scenario says otherwise.
const GIVE_UP: u32 = 40;
/// Nodes of a network, unless the scenario says otherwise; and the most: events have 20 bits for a node.
const DEFAULT_NODES: u64 = 600;
const MOST_NODES: u64 = 100_000;
/// The most nodes that are all linked with one another.
const MOST_IN_FULL: usize = 1000;
/// The same with real nodes, each of which keeps every block.
const DEFAULT_CORE_NODES: u64 = 20;
const MOST_CORE_NODES: u64 = 1000;
const MOST_CORE_BLOCKS: u64 = 100_000;
/// Size of a block, unless the scenario says otherwise: SimBlock's.
const BLOCK_BYTES: u64 = 535_000;
/// Initial difficulty, unless the scenario says otherwise: high, so that rounding is nothing; or, where blocks are
/// really mined, low.
const DIFFICULTY: u64 = 1 << 40;
const CORE_DIFFICULTY: u64 = 1000;
const MOST_CORE_DIFFICULTY: u64 = 1_000_000;

pub(super) fn within<T: PartialOrd + std::fmt::Display>(
    key: &str,
    got: T,
    least: T,
    most: T,
) -> Result<T, ScenarioError> {
    if got >= least && got <= most {
        return Ok(got);
    }
    Err(wrong(key, got.to_string(), format!("{least} to {most}")))
}

/// The error for a value that makes no sense here.
pub(super) fn wrong(key: &str, got: impl Into<String>, expected: impl Into<String>) -> ScenarioError {
    ScenarioError::Value { key: key.to_owned(), got: got.into(), expected: expected.into() }
}

impl Scenario {
    /// The model that this point describes, with everything filled in.
    ///
    /// # Errors
    /// The first key whose value makes no sense.
    pub fn setting(&self) -> Result<Setting, ScenarioError> {
        self.setting_on(&mut Chains::default())
    }

    /// As [`Scenario::setting`], with chains that other points have checked already.
    ///
    /// # Errors
    /// The first key whose value makes no sense.
    pub fn setting_on(&self, chains: &mut Chains) -> Result<Setting, ScenarioError> {
        within("repeat", self.repeat, 1, 1_000_000)?;
        within("blocks", self.blocks, 1, MOST_BLOCKS)?;
        within("warm_up", self.warm_up, 0, MOST_BLOCKS)?;
        within("measure.confidence", self.measure.confidence, 0.5, 0.999_999)?;
        if self.measure.quantities.is_empty() {
            return Err(wrong("measure.quantities", "[]", "at least one; `laboratory list` shows them"));
        }
        if let Some(until) = &self.measure.until {
            within("measure.until.half_width", until.half_width, 0.0, f64::MAX)?;
            within("measure.until.at_most", until.at_most, self.repeat.max(2), 1_000_000)?;
        }
        self.network.has_only_keys_of(self.model)?;
        if !self.event.is_empty() && !matches!(self.model, ModelName::Relay | ModelName::Core) {
            return Err(wrong("event", "some", "none in this model; relay and core know them"));
        }
        if self.live.is_some() && self.model != ModelName::Core {
            return Err(wrong("live", "a section", "no such section in this model; core knows it"));
        }
        let dated_ahead = self.miner.iter().find(|miner| miner.clock_ahead_ms.is_some());
        if let Some(miner) = dated_ahead.filter(|_| self.model != ModelName::Race) {
            return Err(wrong(&miner.key("clock_ahead_ms"), "a value", "no such key in this model; race knows it"));
        }
        match self.model {
            ModelName::Race => self.race().map(Setting::Race),
            ModelName::Links => self.links().map(Setting::Links),
            ModelName::Relay => self.relay().map(Setting::Relay),
            ModelName::Core => self.core(chains).map(Setting::Core),
        }
    }

    /// Checks the rates that a sweep may replace at every point, so that no point would find them wrong.
    ///
    /// # Errors
    /// The first that lies outside of 0 to 1.
    pub fn check_rates(&self) -> Result<(), ScenarioError> {
        within("network.gamma", self.network.gamma.unwrap_or_default(), 0.0, 1.0)?;
        // In `links` without further nodes, shares are weights.
        for miner in self.miner.iter().filter(|_| self.model != ModelName::Links) {
            within(&miner.key("share"), miner.share.unwrap_or_default(), 0.0, 1.0)?;
        }
        Ok(())
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
            strategy: miner.strategy_setting()?,
            clock_ahead_ms: within(&miner.key("clock_ahead_ms"), miner.clock_ahead_ms.unwrap_or(0), 0, MOST_AHEAD_MS)?,
            params: self.consensus.params(DIFFICULTY, u64::MAX)?,
            blocks: self.blocks,
            warm_up: self.warm_up,
        })
    }

    fn relay(&self) -> Result<Relay, ScenarioError> {
        let pool = self.pool()?;
        let network = self.network.setting(DEFAULT_NODES, MOST_NODES)?;
        if !self.network.delays(network.nodes)?.is_empty() {
            return Err(wrong("network.links", "milliseconds", "links without them; core and links know delays"));
        }
        Ok(Relay {
            events: scheduled(&self.event, &Preset::new(network.preset, network.latency_ms), pool.is_some())?,
            network,
            mode: self.network.relay.unwrap_or_default(),
            upload: self.network.upload.unwrap_or_default(),
            block_bytes: self.network.block_bytes()?,
            pool,
            params: self.consensus.params(DIFFICULTY, u64::MAX)?,
            blocks: self.blocks,
            warm_up: self.warm_up,
        })
    }

    /// The miner with a strategy among a network's nodes, if there is one.
    fn pool(&self) -> Result<Option<Pool>, ScenarioError> {
        match self.miner.as_slice() {
            [] => Ok(None),
            [miner] => Ok(Some(Pool {
                share: miner.share()?,
                strategy: miner.strategy_setting()?,
                link_ms: within(&miner.key("link_ms"), miner.link_ms.unwrap_or(0), 0, 60_000)?,
            })),
            more => {
                let expected = "at most one [[miner]]: all others are the network's nodes";
                Err(wrong("miner", format!("{} of them", more.len()), expected))
            }
        }
    }

    fn core(&self, chains: &mut Chains) -> Result<Core, ScenarioError> {
        within("blocks", self.blocks, 1, MOST_CORE_BLOCKS)?;
        let pool = self.pool()?;
        let network = self.network.setting(DEFAULT_CORE_NODES, MOST_CORE_NODES)?;
        let frozen = self.frozen(network.nodes, chains)?;
        let params = match &frozen.chain {
            Some(chain) => chain.params().clone(),
            None => self.consensus.params(CORE_DIFFICULTY, MOST_CORE_DIFFICULTY)?,
        };
        Ok(Core {
            events: scheduled(&self.event, &Preset::new(network.preset, network.latency_ms), pool.is_some())?,
            network,
            pool,
            block_bytes: self.network.block_bytes()?,
            params,
            frozen,
            blocks: self.blocks,
            warm_up: self.warm_up,
        })
    }
}

impl Network {
    /// A key that the model does not have would be ignored: better an error.
    fn has_only_keys_of(&self, model: ModelName) -> Result<(), ScenarioError> {
        use ModelName::{Core, Links, Race, Relay};
        let keys: [(&str, bool, &[ModelName]); 13] = [
            ("gamma", self.gamma.is_some(), &[Race]),
            ("preset", self.preset.is_some(), &[Relay, Core]),
            ("nodes", self.nodes.is_some(), &[Links, Relay, Core]),
            ("latency_ms", self.latency_ms.is_some(), &[Links, Relay, Core]),
            ("graph", self.graph.is_some(), &[Links, Relay, Core]),
            ("degree", self.degree.is_some(), &[Links, Relay, Core]),
            ("links", self.links.is_some(), &[Links, Relay, Core]),
            ("validation_ms", self.validation_ms.is_some(), &[Links]),
            ("power", self.power.is_some(), &[Relay, Core]),
            ("relay", self.relay.is_some(), &[Relay]),
            ("upload", self.upload.is_some(), &[Relay]),
            ("block_bytes", self.block_bytes.is_some(), &[Relay, Core]),
            ("degree", self.degree.is_some() && self.graph != Some(GraphName::Regular), &[]),
        ];
        match keys.iter().find(|(_, given, owners)| *given && !owners.contains(&model)) {
            None => Ok(()),
            Some((key, ..)) => Err(wrong(&format!("network.{key}"), "a value", "no such key in this model or graph")),
        }
    }

    fn block_bytes(&self) -> Result<u64, ScenarioError> {
        within("network.block_bytes", self.block_bytes.unwrap_or(BLOCK_BYTES), 1, 1 << 30)
    }

    fn setting(&self, nodes: u64, most: u64) -> Result<NetworkSetting, ScenarioError> {
        let nodes = within("network.nodes", self.nodes.unwrap_or(nodes), 2, most)? as usize;
        let graph = match self.graph.unwrap_or_default() {
            GraphName::Degrees => Maker::Degrees,
            GraphName::Regular => Maker::Regular(self.degree()?),
            GraphName::Ring => Maker::Ring,
            GraphName::Full => {
                within("network.nodes in a full graph", nodes, 2, MOST_IN_FULL)?;
                Maker::Full
            }
            GraphName::List => Maker::List(self.pairs(nodes)?),
        };
        Ok(NetworkSetting {
            preset: self.preset.unwrap_or_default(),
            nodes,
            latency_ms: within("network.latency_ms", self.latency_ms.unwrap_or(0), 0, 60_000)?,
            power: self.power.unwrap_or_default(),
            graph,
        })
    }

    /// A listed link: two numbers of nodes, and the milliseconds between them if they are there.
    pub(super) fn link(&self, line: &str, nodes: usize) -> Result<((u32, u32), Option<u64>), ScenarioError> {
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|node| (*node as usize) < nodes);
        let link = line.split_once('-').and_then(|(one, other)| {
            let (other, delay_ms) = match other.trim().split_once(' ') {
                Some((other, delay_ms)) => (other, Some(delay_ms.trim().parse().ok()?)),
                None => (other, None),
            };
            Some(((number(one)?, number(other)?), delay_ms))
        });
        let expected = format!("\"A - B\" with numbers from 0 to {}", nodes - 1);
        link.ok_or_else(|| wrong("network.links", format!("\"{line}\""), expected))
    }

    /// The listed links of numbered nodes.
    fn pairs(&self, nodes: usize) -> Result<Vec<(u32, u32)>, ScenarioError> {
        let pair = |line: &String| self.link(line, nodes).map(|(pair, _)| pair);
        let pairs = self.links.iter().flatten().map(pair).collect::<Result<Vec<_>, _>>()?;
        let graph: Graph = Maker::List(pairs.clone()).make(nodes, &[], &mut shared::random::Random::new(0));
        if !graph.reaches_all() {
            let expected = "links by which every node can be reached";
            return Err(wrong("network.links", "a graph in several parts", expected));
        }
        Ok(pairs)
    }
}

impl Consensus {
    pub(super) fn params(&self, difficulty: u64, most: u64) -> Result<Params, ScenarioError> {
        let most = most.min(Difficulty::MAX.value());
        let initial = self.initial_difficulty.unwrap_or(difficulty);
        let initial = within("consensus.initial_difficulty", initial, 1, most)?;
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

    pub(super) fn strategy_setting(&self) -> Result<StrategySetting, ScenarioError> {
        self.only_its_own_keys()?;
        Ok(match self.strategy {
            StrategyName::Honest => StrategySetting::Honest,
            StrategyName::Selfish => StrategySetting::Selfish,
            StrategyName::Stubborn => StrategySetting::Stubborn(Stubborn {
                lead: self.lead.unwrap_or_default(),
                equal_fork: self.equal_fork.unwrap_or_default(),
                trail: self.trail.unwrap_or_default(),
            }),
            StrategyName::DoubleSpend => StrategySetting::DoubleSpend {
                confirmations: within(&self.key("confirmations"), self.confirmations.unwrap_or(6), 1, 1000)?,
                give_up: within(&self.key("give_up"), self.give_up.unwrap_or(GIVE_UP), 1, 10_000)?,
            },
            StrategyName::Withhold => StrategySetting::Withhold {
                hold_ms: match self.hold_ms {
                    Some(hold_ms) => Some(within(&self.key("hold_ms"), hold_ms, 0, 1_000_000_000)?),
                    None => None,
                },
            },
            StrategyName::Policy => StrategySetting::Policy(Arc::new(self.policy_table()?)),
        })
    }

    fn policy_table(&self) -> Result<PolicyTable, ScenarioError> {
        let (key, got) = match (&self.file, &self.table) {
            (_, Some(table)) => match PolicyTable::read(table) {
                Ok(table) => return Ok(table),
                Err(error) => (self.file.as_ref().map_or("table", |_| "file"), error.to_string()),
            },
            (Some(file), None) => ("file", format!("\"{file}\", which was not read")),
            (None, None) => ("file", "nothing".to_owned()),
        };
        Err(wrong(&self.key(key), got, "a table of actions: ours,theirs,fork,action"))
    }

    /// A key that the strategy does not have would be ignored: better an error.
    fn only_its_own_keys(&self) -> Result<(), ScenarioError> {
        let keys = [
            ("lead", self.lead.is_some(), StrategyName::Stubborn),
            ("equal_fork", self.equal_fork.is_some(), StrategyName::Stubborn),
            ("trail", self.trail.is_some(), StrategyName::Stubborn),
            ("confirmations", self.confirmations.is_some(), StrategyName::DoubleSpend),
            ("give_up", self.give_up.is_some(), StrategyName::DoubleSpend),
            ("hold_ms", self.hold_ms.is_some(), StrategyName::Withhold),
            ("file", self.file.is_some(), StrategyName::Policy),
            ("table", self.table.is_some(), StrategyName::Policy),
        ];
        match keys.iter().find(|(_, given, strategy)| *given && *strategy != self.strategy) {
            None => Ok(()),
            Some((key, ..)) => Err(wrong(&self.key(key), "a value", "no such key with this strategy")),
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("miner.{}.{key}", self.name)
    }
}
