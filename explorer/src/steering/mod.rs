//! Steers nodes with their tokens: tells them to mine, to sync, and whom to talk to. Decides nothing about requests.

mod link;
mod splitter;
mod time;
mod tokens;

pub(crate) use link::Link;
pub(crate) use splitter::{SPLIT_TIME, Split, SplitEnd, Splitter};
pub(crate) use time::{SYNC_TIME, within};
pub(crate) use tokens::Tokens;

/// Most blocks that one order mines.
pub(crate) const MAX_BLOCKS: u64 = 20;
