//! `selfish`: SM1 of Eyal and Sirer, "Majority is not enough: Bitcoin mining is vulnerable" (2014), algorithm 1.

use super::{Action, Fork, Policy};

/// Keeps a lead secret; publishes all of it when others come within one block, and one block for each of theirs before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selfish;

impl Policy for Selfish {
    fn decide(&self, ours: u32, theirs: u32, fork: Fork) -> Action {
        if theirs > ours {
            Action::Adopt
        } else if theirs > 0 && ours == theirs + 1 {
            // Either others have come within one block, or we have broken a tie.
            Action::Override
        } else if theirs > 0 && fork == Fork::Relevant {
            Action::Match
        } else {
            Action::Wait
        }
    }
}
