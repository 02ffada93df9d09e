//! What every model stands on: seeds, streams of random numbers, draws from them, and the queue of events.
//!
//! All numbers come from [`shared::random`]. Each stream of a run starts from its own mixed seed, so that drawing more
//! numbers for one purpose does not change the numbers of another.

mod draw;
mod seed;
mod wheel;

pub use draw::{Probability, exponential, exponential_ms};
pub use seed::{Stream, mixed, run_seed, stream};
pub use wheel::Wheel;
