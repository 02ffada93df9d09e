//! The reward of a block, which halves (docs/protocol.md §7).

use crate::block::Height;
use crate::ledger::Amount;
use crate::params::Params;

/// The rule of a network's rewards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RewardSchedule {
    first: Amount,
    halving_blocks: u64,
}

impl RewardSchedule {
    /// The rewards that `params` choose.
    pub fn of(params: &Params) -> Self {
        // Within bounds, since the parameters were checked.
        Self { first: Amount::new(params.reward).unwrap_or(Amount::MAX), halving_blocks: params.halving_blocks }
    }

    /// The reward of the block at `index`; genesis has none.
    pub fn at(&self, index: Height) -> Amount {
        if index == Height::GENESIS {
            return Amount::ZERO;
        }
        let halvings = (index.0 - 1).checked_div(self.halving_blocks).unwrap_or(0);
        let grains = if halvings >= 64 { 0 } else { self.first.grains() >> halvings };
        Amount::new(grains).unwrap_or(self.first)
    }

    /// The sum of the rewards up to and including `index`; in u128, since nothing bounds the sum of all money.
    pub fn total(&self, index: Height) -> u128 {
        let first = u128::from(self.first.grains());
        if self.halving_blocks == 0 {
            return u128::from(index.0) * first;
        }
        let (mut left, mut reward, mut sum) = (index.0, first, 0);
        while left > 0 && reward > 0 {
            let blocks = left.min(self.halving_blocks);
            sum += u128::from(blocks) * reward;
            (left, reward) = (left - blocks, reward >> 1);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reward(first: u64, halving_blocks: u64) -> RewardSchedule {
        RewardSchedule::of(&Params { reward: first, halving_blocks, ..Params::default() })
    }

    #[test]
    fn the_reward_halves_after_so_many_blocks() {
        let rule = reward(100, 10);
        let rewards = [0, 1, 10, 11, 20, 21, 61, 71].map(|index| rule.at(Height(index)).grains());
        assert_eq!(rewards, [0, 100, 100, 50, 50, 25, 1, 0]);
        assert_eq!(reward(Amount::MAX.grains(), 1).at(Height(65)).grains(), 0, "a shift by 64 is 0");
        assert_eq!(reward(100, 0).at(Height(1 << 50)).grains(), 100, "0 = never");
    }

    #[test]
    fn the_total_is_the_sum() {
        for rule in [reward(100, 10), reward(7, 3), reward(100, 0), reward(0, 5), reward(1, 1)] {
            let mut sum = 0;
            for index in 0..200 {
                sum += u128::from(rule.at(Height(index)).grains());
                assert_eq!(rule.total(Height(index)), sum, "{rule:?} at {index}");
            }
        }
    }
}
