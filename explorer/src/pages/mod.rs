//! The pages, one file or folder each: what is known, as HTML.

pub(crate) mod address;
pub(crate) mod block;
pub(crate) mod blocks;
mod calls;
pub(crate) mod charts;
pub(crate) mod coin;
mod content;
pub(crate) mod debugger;
pub(crate) mod errors;
pub(crate) mod exercises;
mod flow;
mod health;
pub(crate) mod lab;
mod ladder;
pub(crate) mod learn;
pub(crate) mod lists;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod pending;
pub(crate) mod program;
pub(crate) mod programs;
mod receipt;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod search;
mod stale;
mod steps;
pub(crate) mod transaction;
mod transaction_table;
pub(crate) mod wallet;
