//! A network of real processes, as people run it: tracker, nodes, mempool and the commands of users, under load, killed
//! and started again; and the wallets and shell commands of the documentation against it.
//!
//! Nothing here waits for a time to pass: tests wait for a state, and give up with what they saw last when it does not
//! come. What the programs do alone is tested beside each of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod commands;
mod documents;
mod lab;
mod ledger;
mod load;
mod service;
