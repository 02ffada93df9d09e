//! `double-spend`: pays in a public block, mines a secret branch without that payment, and publishes it when the
//! payment has enough confirmations and the branch has more work (Rosenfeld, "Analysis of hashrate-based double
//! spending", 2014).

use super::{Act, Strategy, View};
use crate::tree::BlockId;
use serde::Serialize;

/// Attempts that have ended, and how many of them succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Thefts {
    /// Attempts that have ended.
    pub tried: u64,
    /// Attempts in which the payment was confirmed and then replaced.
    pub managed: u64,
}

/// One attempt after another. Each begins on the best public block; the payment is in the first block that others find
/// on top of that.
#[derive(Debug, Clone)]
pub struct DoubleSpend {
    confirmations: u32,
    give_up: u32,
    base: BlockId,
    public: BlockId,
    thefts: Thefts,
}

impl DoubleSpend {
    /// A thief whose victim waits for `confirmations`, and who starts anew when `give_up` blocks behind after that.
    pub const fn new(confirmations: u32, give_up: u32) -> Self {
        Self {
            confirmations,
            give_up,
            base: BlockId::GENESIS,
            public: BlockId::GENESIS,
            thefts: Thefts { tried: 0, managed: 0 },
        }
    }

    fn consider(&mut self, view: &View<'_>, ours: BlockId, acts: &mut Vec<Act>) {
        let confirmations = view.height(self.public) - view.height(self.base);
        if confirmations < self.confirmations {
            return;
        }
        let won = view.work(ours) > view.work(self.public);
        let behind = view.height(self.public).saturating_sub(view.height(ours));
        if won {
            self.thefts.managed += 1;
            acts.push(Act::Publish(ours));
            self.public = ours;
        } else if behind >= self.give_up {
            acts.push(Act::MineOn(self.public));
        } else {
            return;
        }
        self.thefts.tried += 1;
        self.base = self.public;
    }
}

impl Strategy for DoubleSpend {
    fn found(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>) {
        self.consider(view, block, acts);
    }

    fn heard(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>) {
        if view.work(block) > view.work(self.public) {
            self.public = block;
            self.consider(view, view.mining_on(), acts);
        }
    }

    fn thefts(&self) -> Option<Thefts> {
        Some(self.thefts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::theft_bounded;
    use crate::kernel::{Probability, Stream, stream};
    use crate::measure::wilson;
    use crate::tree::{MinerId, Tree};
    use shared::params::Params;
    use shared::work::Difficulty;

    const THIEF: MinerId = MinerId(0);
    const OTHERS: MinerId = MinerId(1);
    /// How far behind the thief gives up, as on the explorer's first page.
    const GIVE_UP: u32 = 10;

    /// One attempt on a tree of its own, by the strategy alone: whether it succeeds.
    fn succeeds(share: f64, confirmations: u32, seed: u64) -> bool {
        let mut tree = Tree::new(&Params::default());
        let mut thief = DoubleSpend::new(confirmations, GIVE_UP);
        let mut random = stream(seed, Stream::Miner);
        let share = Probability::new(share);
        let (mut secret, mut public, mut acts) = (BlockId::GENESIS, BlockId::GENESIS, Vec::new());
        for now_ms in (1..).map(|number| number * 1000) {
            let difficulty = Difficulty::clamped(100);
            if share.happens(&mut random) {
                secret = tree.add(secret, THIEF, now_ms, difficulty);
                thief.found(&View::new(&tree, THIEF, secret, now_ms), secret, &mut acts);
            } else {
                public = tree.add(public, OTHERS, now_ms, difficulty);
                tree.publish(public);
                thief.heard(&View::new(&tree, THIEF, secret, now_ms), public, &mut acts);
            }
            if thief.thefts().is_some_and(|thefts| thefts.tried > 0) {
                break;
            }
        }
        let has_stolen = thief.thefts().is_some_and(|thefts| thefts.managed == 1);
        // What it says is what it does: it publishes its own branch, which has more work, or goes over to the other.
        let act = if has_stolen { Act::Publish(secret) } else { Act::MineOn(public) };
        assert_eq!((acts, tree.work(secret) > tree.work(public)), (vec![act], has_stolen), "seed {seed}");
        has_stolen
    }

    #[test]
    fn many_thefts_succeed_as_often_as_the_exact_table_says() {
        const RUNS: u64 = 20_000;
        for share in [0.1, 0.3, 0.45, 0.6] {
            for confirmations in [1, 2, 6, 20] {
                let managed = (0..RUNS).filter(|seed| succeeds(share, confirmations, *seed)).count() as u64;
                let exact = theft_bounded(share, confirmations, 0, GIVE_UP);
                let interval = wilson(managed, RUNS, 0.9999).unwrap();
                assert!(interval.contains(exact), "{share}, {confirmations}: {managed} of {RUNS}, exactly {exact}");
            }
        }
    }

    #[test]
    fn a_theft_succeeds_with_2_confirmations_and_the_same_luck_fails_with_20() {
        let seeds = || 0..500_u64;
        let with = |confirmations| seeds().filter(|seed| succeeds(0.3, confirmations, *seed)).collect::<Vec<_>>();
        let (with_2, with_20) = (with(2), with(20));
        assert!((85..150).contains(&with_2.len()), "23 of 100 are expected: {}", with_2.len());
        assert!((1..9).contains(&with_20.len()), "5 of 1,000 are expected: {with_20:?}");
        let saved = with_2.iter().filter(|seed| !with_20.contains(seed)).count();
        assert!(saved > 80, "18 more confirmations have saved these payments: {saved}");
    }
}
