//! `stubborn`: selfish mining that gives up later (Nayak, Kumar, Miller and Shi, "Stubborn mining", 2016).

use super::{Action, Fork, Policy};

/// Selfish mining with three kinds of stubbornness, alone or combined.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stubborn {
    /// When others come within one block, publish only as much as they have, and keep the last block secret.
    pub lead: bool,
    /// In a tie, keep the next own block secret instead of winning with it.
    pub equal_fork: bool,
    /// Keep mining on the own branch while it is at most this many blocks behind.
    pub trail: u32,
}

impl Policy for Stubborn {
    fn decide(&self, ours: u32, theirs: u32, fork: Fork) -> Action {
        if theirs > ours {
            return if ours > 0 && theirs - ours <= self.trail { Action::Wait } else { Action::Adopt };
        }
        if theirs == 0 {
            return Action::Wait;
        }
        match fork {
            Fork::Relevant if ours == theirs + 1 && !self.lead => Action::Override,
            Fork::Relevant => Action::Match,
            // A tie was broken by our own block, or a branch that trailed has overtaken.
            Fork::Active if ours == theirs + 1 && !self.equal_fork => Action::Override,
            Fork::Irrelevant if ours == theirs + 1 => Action::Override,
            Fork::Active | Fork::Irrelevant => Action::Wait,
        }
    }
}
