//! Proof of work: difficulty, total work, retargeting, and the search for nonces.

mod difficulty;
pub mod retarget;
mod search;

pub use difficulty::{Difficulty, Target, Work};
pub use search::search;
