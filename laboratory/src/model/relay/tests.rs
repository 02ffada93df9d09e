//! Laws of the network model, and the selfish pool whose links decide.

use super::*;
use crate::exact::selfish_revenue;
use shared::work::retarget::RetargetRule;

fn relay(nodes: usize, mode: RelayMode, pool: Option<Pool>) -> Relay {
    let params = Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() };
    Relay {
        preset: PresetName::Simblock2019,
        nodes,
        latency_ms: 0,
        power: Power::Normal,
        mode,
        upload: Upload::Transfer,
        block_bytes: 535_000,
        pool,
        params,
        blocks: 100,
        warm_up: 0,
    }
}

const MODES: [RelayMode; 3] = [RelayMode::Compact, RelayMode::Inv, RelayMode::Push];

#[test]
fn skipping_idle_announcements_changes_nothing() {
    let pool = Pool { share: 0.3, strategy: RaceStrategy::Selfish, link_ms: 60 };
    for mode in MODES {
        for pool in [None, Some(pool)] {
            let mut relay = relay(80, mode, pool);
            // Blocks come so fast that many are on their way at once.
            relay.params.block_interval_ms = 3000;
            for seed in 0..3 {
                let [skipped, whole] = [true, false].map(|skip_idle| relay.run_skipping(seed, skip_idle));
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
    relay.preset = PresetName::Uniform;
    // What is left are milliseconds for preparing and sending.
    let fast = relay.run(2).stale().unwrap();
    assert!(fast < 0.05, "{fast}");
}

#[test]
fn a_pool_with_fast_links_wins_ties_and_one_with_slow_links_loses_them() {
    let gamma = |link_ms| {
        let pool = Pool { share: 0.333, strategy: RaceStrategy::Selfish, link_ms };
        let mut relay = relay(200, RelayMode::Compact, Some(pool));
        relay.blocks = 2000;
        relay.run(3).gamma.unwrap()
    };
    let [fast, middle, slow] = [0, 100, 1000].map(gamma);
    assert!(fast > 0.98 && (0.1..0.9).contains(&middle) && slow < 0.05, "{fast} {middle} {slow}");
}

#[test]
fn the_pool_earns_what_the_closed_form_says_at_the_measured_gamma() {
    let pool = Pool { share: 0.35, strategy: RaceStrategy::Selfish, link_ms: 0 };
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
fn a_seed_means_the_same_run_for_ever() {
    assert_eq!(relay(50, RelayMode::Compact, None).run(42).digest, 2_094_316_314_793_373_205);
}
