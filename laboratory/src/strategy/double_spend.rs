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
