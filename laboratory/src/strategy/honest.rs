//! `honest`: publishes every block at once and mines on the best public block.

use super::{Action, Fork, Policy};

/// The protocol as it is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Honest;

impl Policy for Honest {
    fn decide(&self, ours: u32, theirs: u32, _: Fork) -> Action {
        if ours > theirs { Action::Override } else { Action::Adopt }
    }
}
