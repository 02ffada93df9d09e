//! `withhold`: keeps every block that it finds for a while, or for ever, and mines on the best branch that it knows.
//!
//! A pool that never publishes hurts the others at its own cost, as in M. Rosenfeld, "Analysis of Bitcoin pooled mining
//! reward systems" (2011), section 6.2. One that publishes late shows what delay costs.

use super::{Act, Strategy, View};
use crate::tree::BlockId;
use std::collections::VecDeque;

/// Keeps blocks secret.
#[derive(Debug, Clone)]
pub struct Withhold {
    hold_ms: Option<u64>,
    public: BlockId,
    /// Blocks to publish, each with its time; the earliest first.
    held: VecDeque<(u64, BlockId)>,
}

impl Withhold {
    /// A miner that keeps each block for `hold_ms`, or for ever.
    pub const fn new(hold_ms: Option<u64>) -> Self {
        Self { hold_ms, public: BlockId::GENESIS, held: VecDeque::new() }
    }
}

impl Strategy for Withhold {
    fn found(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>) {
        match self.hold_ms {
            Some(hold_ms) => {
                let at_ms = view.now_ms() + hold_ms;
                if self.held.is_empty() {
                    acts.push(Act::WakeAt(at_ms));
                }
                self.held.push_back((at_ms, block));
            }
            // A block that nobody will ever see is worth nothing: go on from the public one.
            None => acts.push(Act::MineOn(self.public)),
        }
    }

    fn heard(&mut self, view: &View<'_>, block: BlockId, acts: &mut Vec<Act>) {
        if view.work(block) > view.work(self.public) {
            self.public = block;
        }
        if view.work(block) > view.work(view.mining_on()) {
            acts.push(Act::MineOn(block));
        }
    }

    fn woken(&mut self, view: &View<'_>, acts: &mut Vec<Act>) {
        while let Some(&(at_ms, block)) = self.held.front() {
            if at_ms > view.now_ms() {
                acts.push(Act::WakeAt(at_ms));
                return;
            }
            self.held.pop_front();
            acts.push(Act::Publish(block));
        }
    }
}
