//! The program `user`, run as people run it: alone, and against a tracker, a node and a mempool in this process.

#![allow(clippy::unwrap_used)] // tests: this is how they fail

mod coins;
mod explained;
mod finding;
mod lab;
mod lessons;
mod liar;
mod mempools;
mod money;
mod offline;
mod page;
mod program;
mod programs;
mod wallet;
