//! Real nodes in virtual time: they agree, they are replayed byte for byte, and they spread blocks as `relay` says.

use super::*;
use crate::exact::theft_bounded;
use crate::measure::{mean, wilson};
use crate::model::relay::Pool;
use crate::model::relay::{Relay, RelayMode, Upload};
use crate::model::{At, Change, Group, Step};
use crate::network::{Maker, Power, PresetName};
use crate::strategy::StrategySetting;
use shared::params::RetargetRule;
use shared::work::Difficulty;

pub(super) fn core(nodes: usize, interval_ms: u64) -> Core {
    Core {
        network: NetworkSetting {
            preset: PresetName::Uniform,
            nodes,
            latency_ms: 50,
            power: Power::Equal,
            graph: Maker::Regular(4),
        },
        block_bytes: 1000,
        events: Vec::new(),
        pool: None,
        frozen: Frozen::default(),
        params: Params {
            retarget: RetargetRule::Fixed,
            block_interval_ms: interval_ms,
            initial_difficulty: Difficulty::clamped(64),
            ..Params::default()
        },
        blocks: 60,
        warm_up: 0,
    }
}

#[test]
fn all_blocks_reach_all_nodes_and_the_same_seed_is_the_same_run() {
    let core = core(12, 20_000);
    let outcome = core.run(1);
    let spread = outcome.spread.as_ref().unwrap();
    assert_eq!((outcome.main(), spread.receipts), (60, 60 * 12), "{outcome:?}");
    assert_eq!(core.run(1), outcome);
    assert_ne!(core.run(2).digest, outcome.digest);
}

#[test]
fn a_block_crosses_a_wide_network_with_little_more_than_a_copy_for_each_node() {
    let mut core = core(100, 30_000);
    (core.network.preset, core.network.graph, core.blocks) = (PresetName::Simblock2019, Maker::Regular(8), 20);
    core.block_bytes = 20_000;
    let spread = core.run(1).spread.unwrap();
    let copies = spread.messages as f64 / spread.receipts as f64;
    println!("{copies:.2} copies a node, half of the nodes after {:?} ms", spread.delays_ms.quantile(0.5));
    assert!((0.98..1.3).contains(&copies), "{copies}");
}

#[test]
fn halves_that_were_apart_agree_again_and_lose_the_blocks_of_one() {
    let mut core = core(10, 10_000);
    let split = Change::Partition(Group::Percent(50));
    core.events = vec![Scheduled { at: At::Block(10), change: split, for_ms: Some(200_000) }];
    let outcome = core.run(3);
    let stale = outcome.miners[0].found - outcome.main();
    assert!((3..=17).contains(&stale), "{outcome:?}");
}

#[test]
fn the_real_retarget_rule_answers_hash_rate_that_leaves() {
    let mut core = core(6, 10_000);
    core.params.initial_difficulty = Difficulty::clamped(1000);
    (core.params.retarget, core.params.retarget_window) = (RetargetRule::Lwma, 20);
    (core.warm_up, core.blocks) = (100, 400);
    core.events = vec![Scheduled { at: At::Block(1), change: Change::HashRate(Group::All, 0.25), for_ms: None }];
    let interval = core.run(4).interval_ms().unwrap() / 10_000.0;
    assert!((interval - 1.0).abs() < 0.15, "{interval}");
}

#[test]
fn a_selfish_pool_earns_more_than_its_share_and_keeps_and_publishes_real_blocks() {
    let mut core = core(6, 30_000);
    core.blocks = 1500;
    core.pool = Some(Pool { share: 0.4, strategy: StrategySetting::Selfish, link_ms: 0 });
    let share = core.run(5).share().unwrap();
    // At gamma = 1, the pool would have 0.525 of the chain; at gamma = 0, 0.484.
    assert!((0.44..0.57).contains(&share), "{share}");
    let mut published = 0;
    let watched =
        core.run_watched(5, Some(&mut |step: &Step| published += u64::from(matches!(step, Step::Published { .. }))));
    assert_eq!(watched, core.run(5), "watching changes nothing");
    assert!(published >= watched.miners[0].main, "{published} of {:?}", watched.miners);
    core.pool = Some(Pool { share: 0.4, strategy: StrategySetting::Honest, link_ms: 0 });
    let honest = core.run(5).share().unwrap();
    assert!((honest - 0.4).abs() < 0.045, "{honest}");
}

#[test]
fn a_thief_steals_from_real_nodes_as_often_as_the_exact_table_says() {
    let mut core = core(4, 60_000);
    core.blocks = 3000;
    let strategy = StrategySetting::DoubleSpend { confirmations: 2, give_up: 10 };
    core.pool = Some(Pool { share: 0.3, strategy, link_ms: 0 });
    let thefts = core.run(1).thefts.unwrap();
    let interval = wilson(thefts.managed, thefts.tried, 0.999).unwrap();
    assert!(thefts.tried > 100 && interval.contains(theft_bounded(0.3, 2, 0, 10)), "{thefts:?} {interval:?}");
}

#[test]
fn relay_and_core_agree_on_how_fast_blocks_spread() {
    let core = core(40, 30_000);
    let relay = Relay {
        network: core.network.clone(),
        mode: RelayMode::Push,
        upload: Upload::Transfer,
        block_bytes: core.block_bytes,
        pool: None,
        events: Vec::new(),
        params: core.params.clone(),
        blocks: core.blocks,
        warm_up: 0,
    };
    for share in [0.5, 0.9] {
        let times = |run: &dyn Fn(u64) -> Outcome| -> Vec<f64> {
            (0..6).map(|seed| run(seed).propagation_ms(share).unwrap()).collect()
        };
        let (ours, theirs) = (times(&|seed| core.run(seed)), times(&|seed| relay.run(seed)));
        let (one, other) = (mean(&ours, 0.99).unwrap(), mean(&theirs, 0.99).unwrap());
        let off = (one.estimate / other.estimate - 1.0).abs();
        assert!(off < 0.1, "{share}: {one:?} and {other:?}");
    }
}
