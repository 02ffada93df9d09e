//! A node as its users and peers meet it: over HTTP in this process, and as real processes that are killed.
//!
//! One binary with a module for each subject. No test waits for a time to pass: tests wait for a state, and fail with
//! its name if it does not come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod blocks;
mod bundles;
mod chain;
mod check_it_yourself;
mod claims;
mod disk;
mod exchange;
mod forks;
mod guards;
mod hostile_input;
mod hostile_peers;
mod lab;
mod money;
mod payee;
mod process;
mod processes;
mod raw;
mod start;
mod steering;
mod templates;
mod waiting;
mod work;
