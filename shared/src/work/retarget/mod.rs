//! Retarget rules: which difficulty the next block of a branch must have (docs/protocol.md §5).
//!
//! A rule is one file here, one variant of [`RetargetRule`] and one arm in [`RetargetRule::build`]. Rules count in integers only, see no
//! clock and no store: they get the last few ancestors of the block, and answer.

mod epoch;
mod fixed;
mod lwma;

use super::Difficulty;
use crate::block::{Height, Timestamp};
use crate::params::Params;
use serde::{Deserialize, Serialize};

/// What a rule may know of an ancestor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ancestor {
    /// When it was mined, by its own account.
    pub timestamp: Timestamp,
    /// How hard it was.
    pub difficulty: Difficulty,
}

/// A retarget rule with its parameters filled in.
pub trait Retarget: Send + Sync {
    /// How many ancestors [`Retarget::next`] looks back at, the parent included.
    fn reach(&self) -> usize;

    /// The difficulty that the block at `index` (1 or more) must have.
    ///
    /// `ancestors` are the headers below it on its branch, oldest first, the parent last: at least
    /// `min(reach, index)` of them.
    fn next(&self, index: Height, ancestors: &[Ancestor]) -> Difficulty;
}

/// The rules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetargetRule {
    /// Always the initial difficulty.
    Fixed,
    /// A step after each epoch of blocks.
    Epoch,
    /// Every block, from linearly weighted recent solve times.
    Lwma,
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

/// Runs a rule over a chain whose blocks are mined at `times_ms`, genesis first; answers each block's difficulty and the
/// one that the next block would need.
///
/// For trying a rule out on a made-up history: tests and benchmarks do.
pub fn replay(rule: &dyn Retarget, times_ms: &[u64]) -> Vec<Difficulty> {
    let mut ancestors: Vec<Ancestor> = Vec::with_capacity(times_ms.len());
    for (index, &ms) in times_ms.iter().enumerate() {
        let difficulty = if index == 0 { Difficulty::MIN } else { rule.next(Height(index as u64), &ancestors) };
        ancestors.push(Ancestor { timestamp: Timestamp::from_ms(ms), difficulty });
    }
    let next = rule.next(Height(times_ms.len() as u64), &ancestors);
    ancestors.iter().map(|ancestor| ancestor.difficulty).chain([next]).collect()
}
