//! `race`: one miner with a strategy against all others, who are honest; no network between them.
//!
//! Three engines share the model. `lengths` plays a policy by branch lengths alone, for the fixed rule; `blocks`
//! plays any strategy on a tree with the real retarget rules; `theft` runs single attempts at a double spend. The
//! first two draw the same numbers, so that they give the same counts where both apply; a test holds them together.
//!
//! In a tie (a branch published in answer to an equally good one) a share `gamma` of the others mines on the strategy's
//! branch; all others stay on what they heard first.

mod blocks;
mod lengths;
mod theft;

pub use theft::{TheftRace, steal};

use super::{Outcome, Watcher};
use crate::strategy::{Honest, Policy, Selfish, StrategySetting};
use shared::params::Params;
use shared::params::RetargetRule;

/// A race with everything filled in.
#[derive(Debug, Clone)]
pub struct Race {
    /// Share of the hash rate of the miner with the strategy.
    pub share: f64,
    /// Share of the others that mine on its branch in a tie.
    pub gamma: f64,
    /// What it does.
    pub strategy: StrategySetting,
    /// How far in the future it dates its blocks.
    pub clock_ahead_ms: u64,
    /// Retarget rule, interval and initial difficulty.
    pub params: Params,
    /// Blocks to find after the warm-up.
    pub blocks: u64,
    /// Blocks to find before anything counts.
    pub warm_up: u64,
}

impl Race {
    /// Runs the race; where nothing depends on difficulty, by lengths alone.
    pub fn run(&self, seed: u64) -> Outcome {
        if self.params.retarget != RetargetRule::Fixed {
            return self.run_on_tree(seed);
        }
        match &self.strategy {
            StrategySetting::Honest => self.run_by_lengths(&Honest, seed),
            StrategySetting::Selfish => self.run_by_lengths(&Selfish, seed),
            StrategySetting::Stubborn(stubborn) => self.run_by_lengths(stubborn, seed),
            StrategySetting::Policy(table) => self.run_by_lengths(table, seed),
            other => match other.policy() {
                Some(policy) => self.run_by_lengths(&policy, seed),
                None => self.run_on_tree(seed),
            },
        }
    }

    /// Runs the race on a tree of blocks.
    pub fn run_on_tree(&self, seed: u64) -> Outcome {
        blocks::run(self, self.strategy.build().as_mut(), seed, None)
    }

    /// As [`Race::run_on_tree`], with somebody who watches.
    pub fn run_watched(&self, seed: u64, watcher: Watcher<'_>) -> Outcome {
        blocks::run(self, self.strategy.build().as_mut(), seed, watcher)
    }

    /// Plays a policy without a tree, as if under the fixed rule.
    pub fn run_by_lengths(&self, policy: &impl Policy, seed: u64) -> Outcome {
        lengths::run(self, policy, seed)
    }
}

#[cfg(test)]
mod tests;
