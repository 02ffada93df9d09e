//! The pages, one file or folder each: what is known, as HTML.

pub(crate) mod address;
pub(crate) mod block;
pub(crate) mod blocks;
pub(crate) mod charts;
mod content;
pub(crate) mod errors;
mod health;
pub(crate) mod learn;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod pending;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod search;
pub(crate) mod transaction;
mod transaction_table;
pub(crate) mod wallet;
