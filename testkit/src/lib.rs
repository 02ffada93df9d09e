//! What the tests of several crates share: waiting for a condition, services in this process or as processes of their
//! own, HTTP requests, payments, and (feature `browser`) a browser.
//!
//! Only tests depend on this crate. Its functions panic where a test would: a step that fails ends the test.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: this is how they fail")]

#[cfg(feature = "browser")]
pub mod browser;
mod fixed_answer;
mod http;
mod logged;
mod money;
mod process;
mod process_network;
mod services;
mod until;

pub use fixed_answer::FixedAnswer;
pub use http::{Answer, client, http};
pub use logged::{Ended, LoggedProcess};
pub use money::{address, key, pay, payment};
pub use process::{Process, finish, free_port, program, remove_settings, signal};
pub use process_network::{ProcessNetwork, REWARD, succeeded};
pub use services::{Running, listener, start_mempool, start_node, start_tracker};
pub use until::{DEADLINE, until, until_ok};

/// The token of every node that a test steers.
pub const TOKEN: &str = "the-token-of-the-lab";
/// Nothing listens there (the discard port, which current systems do not serve).
pub const UNUSED_ADDRESS: &str = "127.0.0.1:9";
