//! The pure core of Chainlab, shared by all its programs.
//!
//! Rules live here and effects do not: nothing in this crate reads a clock, a socket, a file, a thread or a random
//! source. Time, randomness, storage and messages come in as arguments and leave as values, so that the same code runs
//! behind HTTP, in tests, and in simulations. ARCHITECTURE.md is the map; docs/protocol.md is the law.

pub mod block;
pub mod chain;
pub mod config;
pub mod explain;
mod hex;
pub mod json;
pub mod keys;
pub mod layer;
pub mod ledger;
pub mod params;
pub mod pool;
pub mod random;
pub mod state;
pub mod store;
pub mod sync;
pub mod wire;
pub mod work;
