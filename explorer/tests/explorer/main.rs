//! The explorer as its visitors meet it, over HTTP: whole networks inside this process, without a browser (`tests/browser` is
//! with one). Nothing here waits for a time to pass: tests wait for a state, and give up with its name when it does not come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the browser's tests share it and need more of it")]
#[path = "../common/lab.rs"]
mod lab;
mod late;
mod network;
mod pages;
mod splitting;
mod steering;
mod visitor;
mod working;
