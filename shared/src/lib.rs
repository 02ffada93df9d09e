//! The pure core of Chainlab, shared by all its programs.
//!
//! Rules live here and effects do not: nothing in this crate reads a clock, a socket, a file, a thread or a random
//! source. Time, randomness, storage and messages come in as arguments and leave as values, so that the same code runs
//! behind HTTP, in tests, and in simulations. ARCHITECTURE.md is the map; docs/protocol.md is the law.
//!
//! The modules stand on floors. A module uses its own floor and those below it, never one above, and modules form no
//! circles; a test of the project reads this table and checks that.
//!
//! | floors, from the top | what they add |
//! |---|---|
//! | `wire` `config` `explain` `agreement` `wallet` | no consensus: JSON, settings, commands, agreement, payments |
//! | `sync` | keeps a chain in step with its peers |
//! | `pool` | transactions that wait for a block |
//! | `chain` | the block tree, and which branch is the best |
//! | `layer` | what the data of a block means |
//! | `program` | accounts with code, and the machine that runs it, as a trait |
//! | `state` | the key-value state that a layer reads and writes |
//! | `store` | ordered tables of bytes |
//! | `keys` | key pairs and key files, which sign |
//! | `ledger` | addresses, transactions, signatures |
//! | `work` | the search for nonces, and the rules of difficulty |
//! | `params` | consensus parameters |
//! | `block` | blocks, difficulty and work |
//! | `hex` `json` `random` `violation` | spelling, random numbers, the name of a broken rule |

#![warn(missing_docs)]

pub mod agreement;
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
pub mod program;
pub mod random;
pub mod state;
pub mod store;
pub mod sync;
pub mod violation;
pub mod wallet;
pub mod wire;
pub mod work;
