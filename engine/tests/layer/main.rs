//! Layer `program` with the real machine: each rule by name, what programs see, what services remember, and random
//! programs on random branches (docs/protocol.md §15).
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

mod branches;
mod calls;
mod example;
mod lab;
mod programs;
mod rules;
