//! Laws of the network model, and the selfish pool whose links decide.

use super::*;
use crate::exact::selfish_revenue;
use crate::model::{At, Change, Group};
use crate::network::{Maker, Power, PresetName};
use shared::params::RetargetRule;
use shared::work::Difficulty;

fn relay(nodes: usize, mode: RelayMode, pool: Option<Pool>) -> Relay {
    let params = Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() };
    Relay {
        network: NetworkSetting {
            preset: PresetName::Simblock2019,
            nodes,
            latency_ms: 0,
            power: Power::Normal,
            graph: Maker::Degrees,
        },
        mode,
        upload: Upload::Transfer,
        block_bytes: 535_000,
        pool,
        events: Vec::new(),
        params,
        blocks: 100,
        warm_up: 0,
    }
}

const MODES: [RelayMode; 3] = [RelayMode::Compact, RelayMode::Inv, RelayMode::Push];

#[test]
fn skipping_idle_announcements_changes_nothing() {
    let pool = Pool { share: 0.3, strategy: StrategySetting::Selfish, link_ms: 60 };
    for mode in MODES {
        for pool in [None, Some(pool.clone())] {
            let mut relay = relay(80, mode, pool);
            // Blocks come so fast that many are on their way at once.
            relay.params.block_interval_ms = 3000;
            for seed in 0..3 {
                let [skipped, whole] = [true, false].map(|skip_idle| relay.run_skipping(seed, skip_idle, None));
                let (one, other) = (skipped.spread.as_ref().unwrap(), whole.spread.as_ref().unwrap());
                let figures = |spread: &crate::model::Spread| (spread.receipts, spread.messages, spread.bytes);
                assert_eq!(figures(one), figures(other), "{mode:?} {seed}");
                assert_eq!(skipped.digest, whole.digest, "{mode:?} {seed}");
            }
        }
    }
}

#[test]
fn every_node_gets_every_block_when_blocks_are_rare() {
    for mode in MODES {
        let outcome = relay(120, mode, None).run(1);
        let spread = outcome.spread.as_ref().unwrap();
        assert_eq!((outcome.main(), spread.receipts, spread.delays_ms.count()), (100, 12_000, 12_000), "{mode:?}");
    }
}

#[test]
fn without_delay_no_block_is_stale_and_with_it_some_are() {
    let mut relay = relay(60, RelayMode::Compact, None);
    relay.params.block_interval_ms = 4000;
    relay.blocks = 1000;
    let slow = relay.run(2).stale().unwrap();
    assert!(slow > 0.1, "{slow}");
    relay.network.preset = PresetName::Uniform;
    // What is left are milliseconds for preparing and sending.
    let fast = relay.run(2).stale().unwrap();
    assert!(fast < 0.05, "{fast}");
}

#[test]
fn a_pool_with_fast_links_wins_ties_and_one_with_slow_links_loses_them() {
    let gamma = |link_ms| {
        let pool = Pool { share: 0.333, strategy: StrategySetting::Selfish, link_ms };
        let mut relay = relay(200, RelayMode::Compact, Some(pool));
        relay.blocks = 2000;
        relay.run(3).gamma.unwrap()
    };
    let [fast, middle, slow] = [0, 100, 1000].map(gamma);
    assert!(fast > 0.98 && (0.1..0.9).contains(&middle) && slow < 0.05, "{fast} {middle} {slow}");
}

#[test]
fn the_pool_earns_what_the_closed_form_says_at_the_measured_gamma() {
    let pool = Pool { share: 0.35, strategy: StrategySetting::Selfish, link_ms: 0 };
    let mut relay = relay(30, RelayMode::Compact, Some(pool));
    relay.blocks = 10_000;
    let outcomes: Vec<Outcome> = (0..6).map(|seed| relay.run(seed)).collect();
    let shares: Vec<f64> = outcomes.iter().filter_map(Outcome::share).collect();
    let gamma = outcomes.iter().filter_map(|outcome| outcome.gamma).sum::<f64>() / 6.0;
    let found = crate::measure::mean(&shares, 0.999).unwrap();
    let exact = selfish_revenue(0.35, gamma);
    assert!(found.contains(exact), "{found:?} does not contain {exact} at gamma {gamma}");
}

#[test]
fn with_events_and_retargeting_skipping_changes_nothing_either() {
    let mut relay = relay(60, RelayMode::Compact, None);
    relay.params.block_interval_ms = 4000;
    relay.params.retarget = RetargetRule::Lwma;
    relay.params.retarget_window = 20;
    relay.params.initial_difficulty = Difficulty::clamped(1 << 40);
    relay.blocks = 300;
    let event = |at, change, for_ms| Scheduled { at, change, for_ms };
    relay.events = vec![
        event(At::Block(20), Change::Partition(Group::Percent(40)), Some(200_000)),
        event(At::Ms(500_000), Change::Latency(400), Some(90_000)),
        event(At::Block(200), Change::HashRate(Group::Region(1), 0.2), None),
    ];
    for seed in 0..3 {
        let [skipped, whole] = [true, false].map(|skip_idle| relay.run_skipping(seed, skip_idle, None));
        assert_eq!(skipped, whole, "{seed}");
    }
}

#[test]
fn a_partition_makes_two_branches_and_its_end_leaves_one() {
    let mut relay = relay(60, RelayMode::Inv, None);
    relay.network.preset = PresetName::Lan;
    let half = Change::Partition(Group::Percent(50));
    relay.events = vec![Scheduled { at: At::Block(10), change: half, for_ms: Some(24 * 600_000) }];
    let split = relay.run(4);
    // In 24 intervals each half finds about twelve blocks; those of one half are lost.
    let stale = split.miners[1].found - split.main();
    assert!((4..=16).contains(&stale), "{split:?}");
    relay.events.clear();
    assert_eq!(relay.run(4).stale(), Some(0.0));
}

#[test]
fn difficulty_follows_the_hash_rate_that_leaves() {
    let mut relay = relay(20, RelayMode::Compact, None);
    relay.params.initial_difficulty = Difficulty::clamped(1 << 40);
    relay.blocks = 1500;
    relay.events = vec![Scheduled { at: At::Block(1), change: Change::HashRate(Group::All, 0.5), for_ms: None }];
    let interval_of = |relay: &Relay| relay.run(6).interval_ms().unwrap() / 600_000.0;
    let fixed = interval_of(&relay);
    assert!((fixed - 2.0).abs() < 0.2, "without retargeting blocks take twice as long: {fixed}");
    (relay.params.retarget, relay.params.retarget_window, relay.warm_up) = (RetargetRule::Lwma, 45, 300);
    let lwma = interval_of(&relay);
    assert!((lwma - 1.0).abs() < 0.06, "{lwma}");
}

#[test]
fn without_room_for_more_blocks_on_their_way_a_run_ends_and_measures_nothing() {
    let mut relay = relay(2000, RelayMode::Push, None);
    relay.params.block_interval_ms = 1;
    relay.blocks = 40_000;
    let outcome = relay.run(1);
    assert!(outcome.congested);
}

#[test]
fn a_pool_that_publishes_late_loses_blocks_and_one_that_never_does_loses_all() {
    let share = |hold_ms| {
        let strategy = StrategySetting::Withhold { hold_ms };
        let mut relay = relay(20, RelayMode::Compact, Some(Pool { share: 0.3, strategy, link_ms: 0 }));
        relay.blocks = 2000;
        relay.run(3).share().unwrap()
    };
    let [soon, late, never] = [Some(0), Some(300_000), None].map(share);
    assert!((soon - 0.3).abs() < 0.05 && late < soon - 0.03 && never == 0.0, "{soon} {late} {never}");
}

#[test]
fn who_watches_changes_nothing() {
    let pool = Pool { share: 0.3, strategy: StrategySetting::Selfish, link_ms: 60 };
    let relay = relay(30, RelayMode::Compact, Some(pool));
    let mut steps = 0;
    let watched = relay.run_watched(9, Some(&mut |_: &crate::model::Step| steps += 1));
    assert_eq!(watched, relay.run(9));
    assert!(steps > 2000, "{steps}");
}

#[test]
fn a_seed_means_the_same_run_for_ever() {
    assert_eq!(relay(50, RelayMode::Compact, None).run(42).digest, 2_094_316_314_793_373_205);
}
