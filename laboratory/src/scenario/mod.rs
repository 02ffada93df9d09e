//! The scenario: a TOML file that describes an experiment completely. Unknown keys are errors that name the nearest
//! known one, and every point of a sweep is checked before anything runs.

mod attacker;
mod event;
mod links;
mod live;
mod read;
mod setting;
mod sweep;

pub use attacker::attacker;
pub use event::{Event, HashRate, Latency, Partition};

pub use live::{Chains, Live};
pub use read::{ScenarioError, apply, read, spelt, with_nearest};
pub use sweep::{SweptPoint, points};

use crate::model::relay::{RelayMode, Upload};
use crate::network::{GraphName, Power, PresetName};
use crate::strategy::StrategyName;
use serde::{Deserialize, Serialize};
use shared::params::RetargetRule;

/// A commented scenario to start from; `laboratory new` writes it.
pub const EXAMPLE: &str = include_str!("example.toml");

/// An experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What a report is headed with.
    pub title: String,
    /// What one wants to know.
    #[serde(default)]
    pub question: String,
    /// What runs.
    pub model: ModelName,
    /// From which the seeds of all runs follow.
    #[serde(default = "one")]
    pub seed: u64,
    /// Runs per point of the sweep.
    #[serde(default = "twenty")]
    pub repeat: u64,
    /// Blocks to find in a run, after the warm-up.
    #[serde(default = "twenty_thousand")]
    pub blocks: u64,
    /// Blocks to find before anything counts.
    #[serde(default)]
    pub warm_up: u64,
    /// What lies between miners.
    #[serde(default)]
    pub network: Network,
    /// The rules of the chain, named as in Config.toml.
    #[serde(default)]
    pub consensus: Consensus,
    /// The miners; in a race, the one with a strategy.
    #[serde(default)]
    pub miner: Vec<Miner>,
    /// Partitions, changes of hash rate and latency.
    #[serde(default)]
    pub event: Vec<Event>,
    /// What comes from a live network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// Keys, each with the values that it takes.
    #[serde(default)]
    pub sweep: toml::Table,
    /// What is measured.
    #[serde(default)]
    pub measure: Measure,
    /// What the results are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// What the report draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// The models by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelName {
    /// Two parties, no network.
    Race,
    /// Miners at the nodes of a graph of delays.
    Links,
    /// A network of nodes that announce, request and send blocks.
    Relay,
    /// A network of real nodes.
    Core,
}

impl ModelName {
    /// Every model, with its name and what it is.
    pub const ALL: [(Self, &str, &str); 4] = [
        (Self::Race, "race", "one miner with a strategy against all others; no network"),
        (Self::Links, "links", "miners, each with a strategy, at the nodes of a graph of delays"),
        (Self::Relay, "relay", "nodes in regions that announce, request and send blocks; and a pool with a strategy"),
        (Self::Core, "core", "the chain and the syncer that our nodes run, one of each a node"),
    ];
}

/// `[network]`. Which keys a model knows, `Network::has_only_keys_of` says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Race: the share of the others that mines on the strategy's branch in a tie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// Regions, latencies and bandwidths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<PresetName>,
    /// How many nodes there are, the pool apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u64>,
    /// Latency of the preset `uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// How nodes are linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<GraphName>,
    /// Graph `regular`: links of a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degree: Option<u64>,
    /// Graph `list`: `A - B` links both ways, `A > B` one way; in `links` with the milliseconds that it takes after it,
    /// in `core` with or without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<String>>,
    /// Links: what a block takes to be checked and sent for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_ms: Option<u64>,
    /// How hash rate is spread over nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// How nodes pass blocks on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayMode>,
    /// How long sending a block keeps a node's upload busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// Size of a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_bytes: Option<u64>,
}

/// `[consensus]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consensus {
    /// Milliseconds between blocks that retargeting aims at.
    pub block_interval_ms: u64,
    /// The retarget rule.
    pub retarget: RetargetRule,
    /// Blocks that an epoch lasts, or that lwma looks back.
    pub retarget_window: u64,
    /// Difficulty of block 1; all hash rate together finds a block of this difficulty once per interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_difficulty: Option<u64>,
}

impl Default for Consensus {
    fn default() -> Self {
        Self {
            block_interval_ms: 600_000,
            retarget: RetargetRule::Fixed,
            retarget_window: 144,
            initial_difficulty: None,
        }
    }
}

/// `[[miner]]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miner {
    /// Its name, which a sweep uses: `"miner.NAME.share"`.
    pub name: String,
    /// Its share of the hash rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// What it does with blocks.
    #[serde(default)]
    pub strategy: StrategyName,
    /// Stubborn: keep the last block of a lead secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<bool>,
    /// Stubborn: keep the next block secret in a tie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equal_fork: Option<bool>,
    /// Stubborn: how many blocks behind it still goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<u32>,
    /// Network: how long one message over its links to all nodes takes, in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_ms: Option<u64>,
    /// Double spend: confirmations that the victim waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<u32>,
    /// Double spend: how many blocks behind the thief gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give_up: Option<u32>,
    /// Race: how far in the future it dates its blocks; nodes refuse more than `max_future_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<u64>,
    /// Withhold: how long a block is kept; for ever without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// Policy: the file with the table, beside the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Policy: the table itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

/// `[measure]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Measure {
    /// Which columns results have.
    pub quantities: Vec<Quantity>,
    /// How sure an interval is: 0.95 means that 5 of 100 miss.
    pub confidence: f64,
    /// When a point has been measured well enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Which tables there are beside `runs.csv`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
}

impl Default for Measure {
    fn default() -> Self {
        Self { quantities: vec![Quantity::Share, Quantity::Stale], confidence: 0.999, until: None, tables: Vec::new() }
    }
}

/// Tables beside `runs.csv`, each a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// A row a run and miner: blocks found, and those in the main chain.
    Miners,
    /// A row a block.
    Blocks,
    /// A row a receipt of a block by a node.
    Receipts,
    /// On a live chain with money, a row for each miner's address.
    Balances,
}

impl Table {
    /// Every table, with its name and what it holds.
    pub const ALL: [(Self, &str, &str); 4] = [
        (Self::Miners, "miners", "a row a run and miner: blocks found, and those in the main chain"),
        (Self::Blocks, "blocks", "a row a block: parent, height, finder, difficulty, when found and published"),
        (Self::Receipts, "receipts", "relay and core: a row a receipt of a block by a node"),
        (Self::Balances, "balances", "core on a live chain: what each miner's address has at the end, in grains"),
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(table, ..)| *table == self).map_or("", |(_, name, _)| name)
    }
}

/// `measure.until`: each point is run in batches of `repeat` until its first quantity is known well enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Half of the widest interval that is good enough.
    pub half_width: f64,
    /// The most runs of a point.
    pub at_most: u64,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The first miner's share of the main chain.
    Share,
    /// The standard error of `share` within a run, by batch means: for a single long run.
    ShareError,
    /// The share of found blocks that are not in the main chain.
    Stale,
    /// Blocks of the main chain that the first miner earned per block interval of time.
    RevenuePerInterval,
    /// Mean time between blocks of the main chain.
    IntervalMs,
    /// The share of thefts that succeeded.
    Theft,
    /// The share of the others' hash rate that mines on the first miner's branch in ties, measured.
    Gamma,
    /// Half of all receipts of blocks come within this time.
    PropagationP50Ms,
    /// Nine of ten receipts of blocks come within this time.
    PropagationP90Ms,
}

impl Quantity {
    /// Every quantity, with its name and what it is.
    pub const ALL: [(Self, &str, &str); 9] = [
        (Self::Share, "share", "the first miner's share of the main chain"),
        (Self::ShareError, "share_error", "the standard error of share within a run, by batch means"),
        (Self::Stale, "stale", "the share of found blocks that are not in the main chain"),
        (Self::RevenuePerInterval, "revenue_per_interval", "main-chain blocks of the first miner per block interval"),
        (Self::IntervalMs, "interval_ms", "mean time between blocks of the main chain"),
        (Self::Theft, "theft", "the share of double spends that succeeded"),
        (Self::Gamma, "gamma", "the others' hash rate on the first miner's branch in ties, measured"),
        (Self::PropagationP50Ms, "propagation_p50_ms", "half of all receipts of blocks come within this time"),
        (Self::PropagationP90Ms, "propagation_p90_ms", "nine of ten receipts come within this time"),
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(quantity, ..)| *quantity == self).map_or("", |(_, name, _)| name)
    }

    /// Whether it lies within 0 to 1.
    pub const fn is_rate(self) -> bool {
        matches!(self, Self::Share | Self::Stale | Self::Theft | Self::Gamma)
    }
}

/// `[report]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The quantity of the chart; without it, the one that the expected curve is about, or the first.
    pub quantity: Quantity,
}

/// `[expect]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The exact curve.
    pub curve: Curve,
}

/// Exact curves that results are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curve {
    /// `share` is the miner's share of the hash rate.
    Fair,
    /// `share` of a selfish miner by the closed form; in a network, at the measured gamma.
    EyalSirer,
    /// `share` of any policy by its Markov chain.
    Policy,
    /// `theft` by the exact race.
    DoubleSpend,
}

impl Curve {
    /// Every curve, with its name and what it is.
    pub const ALL: [(Self, &str, &str); 4] = [
        (Self::Fair, "fair", "share: as much as the hash rate"),
        (Self::EyalSirer, "eyal-sirer", "share: selfish mining, closed form"),
        (Self::Policy, "policy", "share: any of honest, selfish and stubborn, by its Markov chain"),
        (Self::DoubleSpend, "double-spend", "theft: the exact race"),
    ];

    /// What it is, in words.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(curve, ..)| *curve == self).map_or("", |(.., words)| words)
    }

    /// The quantity that it is about.
    pub const fn quantity(self) -> Quantity {
        match self {
            Self::Fair | Self::EyalSirer | Self::Policy => Quantity::Share,
            Self::DoubleSpend => Quantity::Theft,
        }
    }
}

const fn one() -> u64 {
    1
}
const fn twenty() -> u64 {
    20
}
const fn twenty_thousand() -> u64 {
    20_000
}
