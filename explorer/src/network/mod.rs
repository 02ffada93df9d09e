//! What is known of the network: which services there are, which blocks they have, and what happened lately.
//!
//! Pure: [`state`] is plain values, [`reducer`] turns answers and events into them, [`news`] puts events into words,
//! [`agreement`] decides which nodes follow which branch, and [`split`] which nodes talk to each other; [`measures`]
//! remembers what charts need. Nothing here knows HTTP or reads a clock; `monitor` feeds it.

mod agreement;
mod change;
mod contents;
mod measures;
mod news;
mod reducer;
#[cfg(test)]
pub(crate) mod samples;
mod split;
mod state;
mod words;

pub(crate) use agreement::Agreement;
pub(crate) use change::{Change, Versions};
pub(crate) use contents::BlockContents;
pub(crate) use measures::{Measures, PoolSample, SplitSpan, Spread};
pub(crate) use news::PaymentStep;
pub(crate) use reducer::{MAX_SERVICES, Reducer, ServiceId};
pub(crate) use split::{Side, Split, in_order, sides};
pub(crate) use state::{
    BlockSummary, KEPT_HEIGHTS, NetworkState, NewsItem, Outside, Paid, ServiceState, Topic, lowest_kept,
};
pub(crate) use words::{Word, Words};
