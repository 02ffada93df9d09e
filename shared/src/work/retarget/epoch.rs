//! `epoch`: the difficulty stays for `n` blocks, then is corrected by how long they took (docs/protocol.md §5).
//!
//! It measures from the first to the last block of one epoch, so from `n` blocks it sees `n - 1` solve times.

use super::{Ancestor, Retarget};
use crate::block::Height;
use crate::params::Params;
use crate::work::Difficulty;

pub(super) struct Epoch {
    initial: Difficulty,
    length: u64,
    expected_ms: i64,
}

impl Epoch {
    pub(super) fn new(params: &Params) -> Self {
        let length = params.retarget_window;
        // At most 9999 intervals of a day each: far below 2^63.
        Self {
            initial: params.initial_difficulty,
            length,
            expected_ms: ((length - 1) * params.block_interval_ms) as i64,
        }
    }
}

impl Retarget for Epoch {
    fn reach(&self) -> usize {
        self.length as usize
    }

    fn next(&self, index: Height, ancestors: &[Ancestor]) -> Difficulty {
        let Some(parent) = ancestors.last() else { return self.initial };
        if index.0 <= self.length {
            return self.initial;
        }
        let epoch_begins = index.0 % self.length == 1;
        let first = ancestors.len().checked_sub(self.reach()).and_then(|position| ancestors.get(position));
        let (true, Some(first)) = (epoch_begins, first) else { return parent.difficulty };
        let actual_ms = parent.timestamp.ms_since(first.timestamp);
        let clamped_ms = actual_ms.clamp(self.expected_ms / 4, self.expected_ms * 4).max(1);
        Difficulty::clamped(u128::from(parent.difficulty.value()) * self.expected_ms as u128 / clamped_ms as u128)
    }
}
