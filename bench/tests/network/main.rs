//! A network of real processes: tracker, nodes, mempool and the command line, under load, killed and restarted; and the
//! wallets and shell commands of the documentation.
//!
//! Tests wait for a state, not for a time, and fail with the last state they saw. Each program alone is tested in its
//! own crate.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod commands;
mod documents;
mod ledger;
mod load;
