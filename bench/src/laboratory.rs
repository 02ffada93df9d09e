//! Experiments in virtual time: how many blocks, races and receipts a second, on one thread.

use crate::report::Row;
use ::laboratory::model::race::{Race, RaceStrategy, TheftRace, steal};
use ::laboratory::model::relay::{Relay, RelayMode, Upload};
use ::laboratory::network::{Power, PresetName};
use shared::params::Params;
use shared::random::Random;
use shared::work::Difficulty;
use shared::work::retarget::RetargetRule;
use std::hint::black_box;
use std::time::Instant;

const DRAWS: u64 = 100_000_000;
const RACE_BLOCKS: u64 = 50_000_000;
const TREE_BLOCKS: u64 = 2_000_000;
const RACES: u64 = 2_000_000;
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

    let start = Instant::now();
    let outcome = network().run(1);
    let seconds = start.elapsed().as_secs_f64();
    print("10,000 nodes, 1,000 blocks, by the goal", seconds, 3.0, "s", "<= 1");
    let receipts = outcome.spread.map_or(0, |spread| spread.receipts) as f64;
    print("… receipts of blocks, by the goal", receipts / seconds, 4e6, "1/s", ">= 1");
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
    Race { share: 0.35, gamma: 0.5, strategy: RaceStrategy::Selfish, params, blocks, warm_up: 0 }
}

fn network() -> Relay {
    let params = Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() };
    Relay {
        preset: PresetName::Simblock2019,
        nodes: NODES,
        latency_ms: 0,
        power: Power::Normal,
        mode: RelayMode::Compact,
        upload: Upload::Transfer,
        block_bytes: 535_000,
        pool: None,
        params,
        blocks: NETWORK_BLOCKS,
        warm_up: 0,
    }
}
