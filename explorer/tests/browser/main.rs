//! The explorer in a real browser: what people see and click, against whole networks in this process.
//!
//! Each test needs chromium and chromedriver (`.ci/run` installs and runs them), so all are ignored otherwise:
//! `cargo test -p explorer --test browser -- --ignored --test-threads=1`. At its end each asks whether the browser complained
//! and whether any request left the explorer. Pictures go to `$CHAINLAB_SCREENSHOTS`, or `target/screenshots`.

#![allow(clippy::unwrap_used, clippy::panic)] // tests: this is how they fail

mod hostility;
#[expect(dead_code, reason = "the tests without a browser share it and need more of it")]
#[path = "../common/lab.rs"]
mod lab;
mod learning;
mod newcomer;
mod noticing;
mod searching;
mod steering;
mod tour;
mod wallet;
mod watching;
