//! Proof of work: difficulty, total work, retargeting, and the search for nonces.

pub mod retarget;
mod search;

pub use crate::block::difficulty::{Difficulty, Target, Work};
pub use search::{Kernel, search};
