//! The explorer in a real browser: what people see and click, against whole networks in this process.
//!
//! Each test needs chromium and chromedriver, which `.ci/run` installs, so all are ignored by default:
//! `cargo test -p explorer --test browser -- --ignored --test-threads=1`. At its end each
//! test checks that the browser has no errors and that no request went to another server. Pictures go to
//! `$CHAINLAB_SCREENSHOTS`, or `target/screenshots`.

#![allow(clippy::unwrap_used, clippy::panic)] // tests: this is how they fail

mod charts;
mod coins;
mod copying;
mod hostility;
#[expect(dead_code, reason = "the tests without a browser share it and need more of it")]
#[path = "../common/lab.rs"]
mod lab;
mod learning;
mod newcomer;
mod noticing;
mod programs;
mod proxy;
mod recording;
mod refusals;
mod rewinding;
mod searching;
mod stage;
mod steering;
mod tour;
mod wallet;
mod watching;
