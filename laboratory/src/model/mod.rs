//! Models: what runs. A model turns a setting and a seed into an outcome, and nothing else matters to it.

pub mod core;
mod event;
pub mod links;
pub mod race;
pub mod relay;
mod step;
mod tally;

pub use event::{At, Change, Group, Scheduled};
pub use step::{Step, Watcher};
pub use tally::BATCHES;

use self::core::Core;
use crate::measure::{Histogram, standard_error};
use crate::strategy::{StrategySetting, Thefts};
use links::Links;
use race::Race;
use relay::Relay;
use serde::Serialize;
use shared::ledger::Address;
use shared::params::RetargetRule;

/// A model with everything filled in.
#[derive(Debug, Clone)]
pub enum Setting {
    /// Two parties, no network.
    Race(Race),
    /// Miners at the nodes of a graph of delays.
    Links(Links),
    /// A network of nodes.
    Relay(Relay),
    /// A network of real nodes.
    Core(Core),
}

impl Setting {
    /// Runs it. The outcome depends on nothing else.
    pub fn run(&self, seed: u64) -> Outcome {
        match self {
            Self::Race(race) => race.run(seed),
            Self::Links(links) => links.run(seed),
            Self::Relay(relay) => relay.run(seed),
            Self::Core(core) => core.run(seed),
        }
    }

    /// As [`Setting::run`], with somebody who watches every step. A race then keeps its blocks, so that its digest, and
    /// nothing else, may differ.
    pub fn run_watched(&self, seed: u64, watcher: &mut dyn FnMut(&Step)) -> Outcome {
        match self {
            Self::Race(race) => race.run_watched(seed, Some(watcher)),
            Self::Links(links) => links.run_watched(seed, Some(watcher)),
            Self::Relay(relay) => relay.run_watched(seed, Some(watcher)),
            Self::Core(core) => core.run_watched(seed, Some(watcher)),
        }
    }

    /// Blocks that a run finds, the warm-up included.
    pub const fn blocks(&self) -> u64 {
        let (blocks, warm_up) = match self {
            Self::Race(race) => (race.blocks, race.warm_up),
            Self::Links(links) => (links.blocks, links.warm_up),
            Self::Relay(relay) => (relay.blocks, relay.warm_up),
            Self::Core(core) => (core.blocks, core.warm_up),
        };
        blocks + warm_up
    }

    /// The same with this many blocks, for a trial of its speed.
    pub fn with_blocks(&self, wanted: u64) -> Self {
        let mut setting = self.clone();
        let (blocks, warm_up) = match &mut setting {
            Self::Race(race) => (&mut race.blocks, &mut race.warm_up),
            Self::Links(links) => (&mut links.blocks, &mut links.warm_up),
            Self::Relay(relay) => (&mut relay.blocks, &mut relay.warm_up),
            Self::Core(core) => (&mut core.blocks, &mut core.warm_up),
        };
        (*blocks, *warm_up) = (wanted, 0);
        setting
    }

    /// The interval that retargeting aims at.
    pub const fn interval_ms(&self) -> u64 {
        match self {
            Self::Race(race) => race.params.block_interval_ms,
            Self::Links(links) => links.params.block_interval_ms,
            Self::Relay(relay) => relay.params.block_interval_ms,
            Self::Core(core) => core.params.block_interval_ms,
        }
    }

    /// Share of the hash rate and strategy of the first miner, if there is one.
    pub fn first_miner(&self) -> Option<(f64, &StrategySetting)> {
        match self {
            Self::Race(race) => Some((race.share, &race.strategy)),
            Self::Links(links) => {
                let total: f64 = links.miners.iter().map(|miner| miner.power).sum();
                links.miners.first().map(|miner| (miner.power / total, &miner.strategy))
            }
            Self::Relay(relay) => relay.pool.as_ref().map(|pool| (pool.share, &pool.strategy)),
            Self::Core(core) => core.pool.as_ref().map(|pool| (pool.share, &pool.strategy)),
        }
    }

    /// Gamma where it is given, not measured.
    pub const fn gamma(&self) -> Option<f64> {
        match self {
            Self::Race(race) => Some(race.gamma),
            Self::Links(_) | Self::Relay(_) | Self::Core(_) => None,
        }
    }

    /// Whether every block of a run is kept until its end.
    pub fn keeps_blocks(&self) -> bool {
        match self {
            Self::Race(race) => race.params.retarget != RetargetRule::Fixed || race.strategy.policy().is_none(),
            Self::Links(_) | Self::Relay(_) | Self::Core(_) => true,
        }
    }
}

/// What became of one miner's blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Blocks that count: found after the warm-up, and settled at the end of the run.
    pub found: u64,
    /// Those that are in the main chain.
    pub main: u64,
}

/// What a run has measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// By miner, in the order of the scenario.
    pub miners: Vec<Tally>,
    /// Virtual time that the counted blocks of the main chain took.
    pub elapsed_ms: u64,
    /// Thefts of the miner that steals, if one does.
    pub thefts: Option<Thefts>,
    /// The share of the others' hash rate that mined on the first miner's branch in ties, measured.
    pub gamma: Option<f64>,
    /// How blocks spread, where there is a network.
    pub spread: Option<Spread>,
    /// On a chain with money, what the miner with a strategy, if there is one, and each node's miner have at the end,
    /// in grains.
    pub balances: Vec<(Address, u64)>,
    /// The first miner's share of the main chain, by batches of consecutive blocks.
    pub batches: Vec<f64>,
    /// Whether the run ended early, since more blocks were on their way at once than there is room for. Such a run has
    /// measured nothing.
    pub congested: bool,
    /// Names the run: runs of equal digests went the same way.
    pub digest: u64,
}

/// How blocks spread through a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// From the finding of a block to each node's receipt of it; without blocks of a pool, whose publication is its own
    /// decision.
    pub delays_ms: Histogram,
    /// Receipts of blocks by nodes.
    pub receipts: u64,
    /// Announcements, or blocks pushed.
    pub messages: u64,
    /// Bytes of blocks sent.
    pub bytes: u64,
}

impl Outcome {
    /// Blocks of the main chain.
    pub fn main(&self) -> u64 {
        self.miners.iter().map(|miner| miner.main).sum()
    }

    /// The first miner's share of the main chain.
    pub fn share(&self) -> Option<f64> {
        ratio(self.miners.first()?.main, self.main())
    }

    /// The standard error of [`Outcome::share`] within this run, by batch means.
    pub fn share_error(&self) -> Option<f64> {
        standard_error(&self.batches)
    }

    /// The share of found blocks that are not in the main chain.
    pub fn stale(&self) -> Option<f64> {
        let found = self.miners.iter().map(|miner| miner.found).sum::<u64>();
        ratio(found.saturating_sub(self.main()), found)
    }

    /// Blocks of the main chain that the first miner earned per block interval of virtual time.
    pub fn revenue_per_interval(&self, interval_ms: u64) -> Option<f64> {
        Some(ratio(self.miners.first()?.main, self.elapsed_ms)? * interval_ms as f64)
    }

    /// Mean time between blocks of the main chain.
    pub fn interval_ms(&self) -> Option<f64> {
        ratio(self.elapsed_ms, self.main())
    }

    /// The time within which this share of the nodes that got a block got it.
    pub fn propagation_ms(&self, share: f64) -> Option<f64> {
        self.spread.as_ref()?.delays_ms.quantile(share)
    }

    /// The share of thefts that succeeded.
    pub fn theft(&self) -> Option<f64> {
        self.thefts.and_then(|thefts| ratio(thefts.managed, thefts.tried))
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
