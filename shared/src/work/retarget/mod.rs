//! Retarget rules: which difficulty the next block of a branch must have (docs/protocol.md §5).
//!
//! A rule is one file here, one variant of [`RetargetRule`] and one arm in [`RetargetRule::build`]. Rules use only
//! integers, and see neither clock nor store: they get the last few ancestors of a block, and return its difficulty.

mod epoch;
mod fixed;
mod lwma;

use super::Difficulty;
use crate::block::{Height, Timestamp};
use crate::params::{Params, RetargetRule};

/// The part of an ancestor that a rule sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ancestor {
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// Its difficulty.
    pub difficulty: Difficulty,
}

/// A retarget rule with its parameters filled in.
pub trait Retarget: Send + Sync {
    /// How many ancestors [`Retarget::next`] needs, including the parent.
    fn reach(&self) -> usize;

    /// The difficulty that the block at `index` (1 or more) must have.
    ///
    /// `ancestors` are the headers below it on its branch, oldest first, the parent last: at least
    /// `min(reach, index)` of them.
    fn next(&self, index: Height, ancestors: &[Ancestor]) -> Difficulty;
}

impl RetargetRule {
    /// The rule that `params` choose.
    pub fn build(params: &Params) -> Box<dyn Retarget> {
        match params.retarget {
            Self::Fixed => Box::new(fixed::Fixed::new(params)),
            Self::Epoch => Box::new(epoch::Epoch::new(params)),
            Self::Lwma => Box::new(lwma::Lwma::new(params)),
        }
    }
}

/// Runs a rule over a chain whose blocks are mined at `times_ms`, genesis first. Returns each block's difficulty and
/// the one of the next block.
///
/// For trying a rule on an invented history, in tests and benchmarks.
pub fn replay(rule: &dyn Retarget, times_ms: &[u64]) -> Vec<Difficulty> {
    let mut ancestors: Vec<Ancestor> = Vec::with_capacity(times_ms.len());
    for (index, &ms) in times_ms.iter().enumerate() {
        let difficulty = if index == 0 { Difficulty::MIN } else { rule.next(Height(index as u64), &ancestors) };
        ancestors.push(Ancestor { timestamp: Timestamp::from_ms(ms), difficulty });
    }
    let next = rule.next(Height(times_ms.len() as u64), &ancestors);
    ancestors.iter().map(|ancestor| ancestor.difficulty).chain([next]).collect()
}
