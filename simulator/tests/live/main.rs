//! Whole runs: real services on free ports, narrated as JSON, with real mining on a fast and easy network.
//!
//! Which node finds a block is real chance, so the tests check only what must hold in every run.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

mod attack;
mod coins;
mod data;
mod drive;
mod many;
mod money;
mod programs;
mod signals;

use serde_json::Value;
use shared::config::{Config, Hashrate};
use shared::work::Difficulty;
use simulator::{OutputFormat, RunOptions, RunReport};
use tokio_util::sync::CancellationToken;

/// Three nodes on any free ports, a block every 300 ms on average.
fn network() -> RunOptions {
    let mut config = Config::default();
    (config.simulator.nodes, config.simulator.hashrate) = (3, Hashrate::PerSecond(20_000));
    config.network.name = "live-test".to_owned();
    config.network.block_interval_ms = 300;
    config.network.initial_difficulty = Difficulty::clamped(3 * 20_000 * 3 / 10);
    config.node.poll_ms = 500;
    RunOptions { config, port: Some(0), seed: 1, ..RunOptions::default() }
}

async fn run(options: &RunOptions, stop: CancellationToken) -> (RunReport, Vec<Value>) {
    let mut out = Vec::new();
    let report = simulator::run(options, OutputFormat::Json, &mut out, stop).await.expect("the run starts");
    (report, parse_events(&out))
}

fn parse_events(out: &[u8]) -> Vec<Value> {
    std::str::from_utf8(out).expect("text").lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}
