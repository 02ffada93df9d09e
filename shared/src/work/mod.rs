//! Proof of work: how hard, how much, and the search itself.

mod difficulty;
pub mod retarget;
mod search;

pub use difficulty::{Difficulty, Target, Work};
pub use search::search;
