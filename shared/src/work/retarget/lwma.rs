//! `lwma`: every block, from the linearly weighted moving average of recent solve times (docs/protocol.md §5).
//!
//! The newest solve time weighs most, so a change of hash rate is answered within a few blocks; clamping single solve
//! times and each step keeps one odd timestamp, or a night's pause, from throwing the difficulty far.

use super::{Ancestor, Retarget};
use crate::block::Height;
use crate::params::Params;
use crate::work::Difficulty;

/// The first block whose solve time counts: block 1's would measure from genesis.
const FIRST_SOLVED: u64 = 2;

pub(super) struct Lwma {
    initial: Difficulty,
    window: u64,
    interval_ms: u64,
}

impl Lwma {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            initial: params.initial_difficulty,
            window: params.retarget_window,
            interval_ms: params.block_interval_ms,
        }
    }
}

impl Retarget for Lwma {
    fn reach(&self) -> usize {
        self.window as usize + 1
    }

    fn next(&self, index: Height, ancestors: &[Ancestor]) -> Difficulty {
        let solved = self.window.min(index.0.saturating_sub(FIRST_SOLVED));
        let Some(first) = ancestors.len().checked_sub(solved as usize + 1) else { return self.initial };
        let (Some(parent), true) = (ancestors.last(), solved > 0) else { return self.initial };

        let (mut difficulties, mut weighted_ms) = (0_u128, 0_u128);
        for (weight, pair) in (1..).zip(ancestors[first..].windows(2)) {
            let solve_ms = pair[1].timestamp.ms_since(pair[0].timestamp);
            let solve_ms = solve_ms.clamp(1, 6 * self.interval_ms as i64);
            difficulties += u128::from(pair[1].difficulty.value());
            weighted_ms += weight * solve_ms as u128;
        }
        // The sum is below 2^67, the interval below 2^27, the window below 2^14: the product fits easily.
        let next = difficulties * u128::from(self.interval_ms) * u128::from(solved + 1) / (2 * weighted_ms);
        let d = u128::from(parent.difficulty.value());
        Difficulty::clamped(next.clamp(d / 2, 2 * d))
    }
}
