//! What is known of the network: which services there are, which blocks they have, and what happened lately.
//!
//! Pure: [`state`] is plain values, [`reducer`] turns answers and events into them, [`news`] puts events into words,
//! and [`agreement`] decides which nodes follow which branch. Nothing here knows HTTP or reads a clock; `monitor`
//! feeds it.

mod agreement;
mod change;
mod news;
mod reducer;
#[cfg(test)]
pub(crate) mod samples;
mod state;

pub(crate) use agreement::{Agreement, FollowedBranch};
pub(crate) use change::{Change, Versions};
pub(crate) use reducer::{Reducer, ServiceId};
pub(crate) use state::{BlockSummary, KEPT_HEIGHTS, NetworkState, NewsItem, ServiceState, Topic, chain, lowest_kept};
