//! Experiments in virtual time: how many blocks, races and receipts a second, on one thread.

use crate::report::Row;
use ::laboratory::model::core::{Core, Frozen};
use ::laboratory::model::links::{LinkGraph, LinkedMiner, Links};
use ::laboratory::model::race::{Race, TheftRace, steal};
use ::laboratory::model::relay::{Relay, RelayMode, Upload};
use ::laboratory::network::{Maker, NetworkSetting, Power, PresetName};
use ::laboratory::published::Publication;
use ::laboratory::strategy::StrategySetting;
use shared::params::{Params, RetargetRule};
use shared::random::Random;
use shared::work::Difficulty;
use std::hint::black_box;
use std::time::Instant;

const DRAWS: u64 = 100_000_000;
const RACE_BLOCKS: u64 = 50_000_000;
const TREE_BLOCKS: u64 = 2_000_000;
const RACES: u64 = 2_000_000;
const LINK_BLOCKS: u64 = 2_000_000;
const CORE_NODES: usize = 100;
const CORE_BLOCKS: u64 = 500;
const RUNS: u64 = 8;
const RUN_BLOCKS: u64 = 200_000;
const NODES: usize = 10_000;
const NETWORK_BLOCKS: u64 = 1000;

pub(crate) fn measure() {
    let draws = rate(DRAWS, || {
        let mut random = Random::new(1);
        black_box((0..DRAWS).fold(0, |sum: u64, _| sum.wrapping_add(random.next_u64())));
    });
    let by_lengths = rate(RACE_BLOCKS, || {
        black_box(race(RetargetRule::Fixed, RACE_BLOCKS).run(1));
    });
    print("race, selfish, one draw a block", by_lengths, draws, "blocks/s", ">= 100 million");
    let on_tree = rate(TREE_BLOCKS, || {
        black_box(race(RetargetRule::Lwma, TREE_BLOCKS).run(1));
    });
    print("race with lwma, by the goal", on_tree, 2e6, "blocks/s", ">= 1");
    let theft = TheftRace { share: 0.3, confirmations: 6, head_start: 0, give_up: 20 };
    let races = rate(RACES, || {
        black_box(steal(&theft, RACES, 1));
    });
    print("double spends, by the goal", races, 2e6, "races/s", ">= 1");

    let on_links = rate(LINK_BLOCKS, || {
        black_box(links().run(1));
    });
    print("links, 8 miners in a ring, by the goal", on_links, 1e6, "blocks/s", ">= 1");

    let resident_mb = crate::lab::resident_mb(std::process::id()).unwrap_or(f64::NAN);
    let start = Instant::now();
    let outcome = network().run(1);
    let seconds = start.elapsed().as_secs_f64();
    print("10,000 nodes, 1,000 blocks, by the goal", seconds, 3.0, "s", "<= 1");
    let receipts = outcome.spread.map_or(0, |spread| spread.receipts) as f64;
    print("… receipts of blocks, by the goal", receipts / seconds, 4e6, "1/s", ">= 1");
    let grown_mb = crate::lab::resident_mb(std::process::id()).unwrap_or(f64::NAN) - resident_mb;
    print("… memory that it adds, by the goal", grown_mb.max(0.1), 50.0, "MB", "<= 1");

    let start = Instant::now();
    black_box(core().run(1));
    let node_blocks = (CORE_NODES as u64 * CORE_BLOCKS) as f64 / start.elapsed().as_secs_f64();
    print("100 real nodes, a block a minute, by the goal", node_blocks, 8000.0, "node·blk/s", ">= 1");

    let one = seconds_of_runs(1);
    print("two threads, by one thread", one / seconds_of_runs(2), 1.0, "×", ">= 1.9");
    let start = Instant::now();
    for publication in Publication::ALL {
        black_box(publication.reproduce(1));
    }
    print("reproduce all, by the goal", start.elapsed().as_secs_f64(), 30.0, "s", "<= 1");
}

/// Seconds that a number of runs take on this many threads.
fn seconds_of_runs(threads: u64) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for run in (thread..RUNS).step_by(threads as usize) {
                    black_box(race(RetargetRule::Lwma, RUN_BLOCKS).run(run));
                }
            });
        }
    });
    start.elapsed().as_secs_f64()
}

fn links() -> Links {
    let honest = || LinkedMiner { power: 1.0, strategy: StrategySetting::Honest };
    let params = Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() };
    Links {
        miners: (0..8).map(|_| honest()).collect(),
        graph: LinkGraph::Made { maker: Maker::Ring, latency_ms: 1000 },
        validation_ms: 0,
        params,
        blocks: LINK_BLOCKS,
        warm_up: 0,
    }
}

fn core() -> Core {
    let params = Params {
        retarget: RetargetRule::Lwma,
        block_interval_ms: 60_000,
        initial_difficulty: Difficulty::clamped(1000),
        ..Params::default()
    };
    Core {
        network: NetworkSetting {
            preset: PresetName::Simblock2019,
            nodes: CORE_NODES,
            latency_ms: 0,
            power: Power::Normal,
            graph: Maker::Degrees,
        },
        block_bytes: 20_000,
        events: Vec::new(),
        pool: None,
        frozen: Frozen::default(),
        params,
        blocks: CORE_BLOCKS,
        warm_up: 0,
    }
}

fn print(what: &str, ours: f64, limit: f64, unit: &'static str, goal: &str) {
    println!("{}", Row { what: what.to_owned(), ours, limit, unit, goal: goal.to_owned() });
}

fn rate(count: u64, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    count as f64 / start.elapsed().as_secs_f64()
}

fn race(retarget: RetargetRule, blocks: u64) -> Race {
    let params = Params { retarget, initial_difficulty: Difficulty::clamped(1 << 40), ..Params::default() };
    Race { share: 0.35, gamma: 0.5, strategy: StrategySetting::Selfish, clock_ahead_ms: 0, params, blocks, warm_up: 0 }
}

fn network() -> Relay {
    let params = Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() };
    Relay {
        network: NetworkSetting {
            preset: PresetName::Simblock2019,
            nodes: NODES,
            latency_ms: 0,
            power: Power::Normal,
            graph: Maker::Degrees,
        },
        events: Vec::new(),
        mode: RelayMode::Compact,
        upload: Upload::Transfer,
        block_bytes: 535_000,
        pool: None,
        params,
        blocks: NETWORK_BLOCKS,
        warm_up: 0,
    }
}
