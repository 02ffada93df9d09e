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

use super::Outcome;
use crate::strategy::{DoubleSpend, Honest, Policy, PolicyMiner, Selfish, Strategy, StrategyName, Stubborn};
use shared::params::Params;
use shared::work::retarget::RetargetRule;

/// A race with everything filled in.
#[derive(Debug, Clone)]
pub struct Race {
    /// Share of the hash rate of the miner with the strategy.
    pub share: f64,
    /// Share of the others that mine on its branch in a tie.
    pub gamma: f64,
    /// What it does.
    pub strategy: RaceStrategy,
    /// Retarget rule, interval and initial difficulty.
    pub params: Params,
    /// Blocks to find after the warm-up.
    pub blocks: u64,
    /// Blocks to find before anything counts.
    pub warm_up: u64,
}

/// A strategy with its parameters.
#[derive(Debug, Clone, Copy)]
pub enum RaceStrategy {
    /// See [`Honest`].
    Honest,
    /// See [`Selfish`].
    Selfish,
    /// See [`Stubborn`].
    Stubborn(Stubborn),
    /// See [`DoubleSpend`].
    DoubleSpend {
        /// Confirmations that the victim waits for.
        confirmations: u32,
        /// How many blocks behind the thief gives up.
        give_up: u32,
    },
}

impl RaceStrategy {
    /// Its name.
    pub const fn name(&self) -> StrategyName {
        match self {
            Self::Honest => StrategyName::Honest,
            Self::Selfish => StrategyName::Selfish,
            Self::Stubborn(_) => StrategyName::Stubborn,
            Self::DoubleSpend { .. } => StrategyName::DoubleSpend,
        }
    }
}

impl Race {
    /// Runs the race; where nothing depends on difficulty, by lengths alone.
    pub fn run(&self, seed: u64) -> Outcome {
        if self.params.retarget != RetargetRule::Fixed {
            return self.run_on_tree(seed);
        }
        match self.strategy {
            RaceStrategy::Honest => self.run_by_lengths(&Honest, seed),
            RaceStrategy::Selfish => self.run_by_lengths(&Selfish, seed),
            RaceStrategy::Stubborn(stubborn) => self.run_by_lengths(&stubborn, seed),
            RaceStrategy::DoubleSpend { .. } => self.run_on_tree(seed),
        }
    }

    /// Runs the race on a tree of blocks.
    pub fn run_on_tree(&self, seed: u64) -> Outcome {
        let mut strategy: Box<dyn Strategy> = match self.strategy {
            RaceStrategy::Honest => Box::new(PolicyMiner::new(Honest)),
            RaceStrategy::Selfish => Box::new(PolicyMiner::new(Selfish)),
            RaceStrategy::Stubborn(stubborn) => Box::new(PolicyMiner::new(stubborn)),
            RaceStrategy::DoubleSpend { confirmations, give_up } => Box::new(DoubleSpend::new(confirmations, give_up)),
        };
        blocks::run(self, strategy.as_mut(), seed)
    }

    /// Plays a policy without a tree, as if under the fixed rule.
    pub fn run_by_lengths(&self, policy: &impl Policy, seed: u64) -> Outcome {
        lengths::run(self, policy, seed)
    }
}

#[cfg(test)]
mod tests;
