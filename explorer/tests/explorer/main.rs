//! The explorer over HTTP, with whole networks inside this process; `tests/browser` adds a browser. Tests wait for
//! states, not for times, and fail with the name of a state that does not come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod coins;
#[expect(dead_code, reason = "the tests with a browser share this file and use more of it")]
#[path = "../common/lab.rs"]
mod lab;
mod late;
mod network;
mod pages;
mod programs;
mod recording;
mod splitting;
mod steering;
mod visitor;
mod work_offers;
