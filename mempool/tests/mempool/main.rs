//! A mempool as wallets and nodes meet it: over HTTP in this process, and as a real process that is killed.
//!
//! One binary with a module for each subject. No test waits for a time to pass: tests wait for a state, and fail with
//! its name if it does not come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod answers;
mod coins;
mod durability;
mod following;
mod history;
mod hostile;
mod lab;
mod process;
mod programs;
mod pushes;
mod rpc;
