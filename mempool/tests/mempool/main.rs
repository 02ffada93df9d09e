//! A mempool as wallets and nodes meet it: over HTTP in this process, and as a real process that is killed.
//!
//! One binary, one module for each way to look at it. Nothing here waits for a time to pass: tests wait for a state, and
//! give up with its name when it does not come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod answers;
mod durability;
mod following;
mod history;
mod hostile;
mod lab;
mod process;
mod pushes;
