//! The race against exact results, its engines against one another, and the selfish miner against retarget rules.

use super::*;
use crate::exact::{policy_revenue, selfish_revenue, theft_bounded};
use crate::measure::{mean, wilson};
use crate::model::Tally;
use crate::strategy::Stubborn;
use shared::work::Difficulty;

fn race(share: f64, gamma: f64, strategy: StrategySetting) -> Race {
    let params = Params {
        retarget: RetargetRule::Fixed,
        initial_difficulty: Difficulty::clamped(1 << 40),
        block_interval_ms: 600_000,
        retarget_window: 144,
        ..Params::default()
    };
    Race { share, gamma, strategy, clock_ahead_ms: 0, params, blocks: 20_000, warm_up: 0 }
}

fn stubborn(lead: bool, equal_fork: bool, trail: u32) -> StrategySetting {
    StrategySetting::Stubborn(Stubborn { lead, equal_fork, trail })
}

#[test]
fn lengths_and_blocks_give_the_same_counts_for_the_same_seed() {
    let strategies = [
        StrategySetting::Honest,
        StrategySetting::Selfish,
        stubborn(true, false, 0),
        stubborn(false, true, 0),
        stubborn(false, false, 2),
        stubborn(true, true, 1),
    ];
    for strategy in strategies {
        for (share, gamma) in [(0.1, 0.0), (0.3, 0.5), (0.4, 0.9), (0.45, 1.0)] {
            let race = Race { blocks: 3000, ..race(share, gamma, strategy.clone()) };
            for seed in 0..4 {
                let (fast, full) = (race.run(seed), race.run_on_tree(seed));
                assert_eq!(fast.miners, full.miners, "{strategy:?}, {share}, {gamma}, seed {seed}");
            }
        }
    }
}

#[test]
fn selfish_mining_earns_what_the_closed_form_says() {
    for (share, gamma) in [(0.2, 0.0), (0.3, 0.5), (0.4, 1.0)] {
        let race = race(share, gamma, StrategySetting::Selfish);
        let shares: Vec<f64> = (0..40).map(|seed| race.run(seed).share().unwrap()).collect();
        let (found, exact) = (mean(&shares, 0.999).unwrap(), selfish_revenue(share, gamma));
        assert!(found.contains(exact), "{share}, {gamma}: {found:?} does not contain {exact}");
    }
}

#[test]
fn stubborn_mining_earns_what_the_markov_chain_says() {
    for stubborn in [
        Stubborn { lead: true, ..Stubborn::default() },
        Stubborn { equal_fork: true, ..Stubborn::default() },
        Stubborn { trail: 1, ..Stubborn::default() },
        Stubborn { lead: true, equal_fork: true, trail: 2 },
    ] {
        let race = race(0.36, 0.6, StrategySetting::Stubborn(stubborn));
        let shares: Vec<f64> = (0..40).map(|seed| race.run(seed).share().unwrap()).collect();
        let (found, exact) = (mean(&shares, 0.999).unwrap(), policy_revenue(&stubborn, 0.36, 0.6, 80).share());
        assert!(found.contains(exact), "{stubborn:?}: {found:?} does not contain {exact}");
    }
}

#[test]
fn thefts_succeed_as_often_as_the_exact_race_says_on_a_tree_and_alone() {
    for (share, confirmations, give_up) in [(0.3, 2, 8), (0.2, 1, 5), (0.45, 4, 10)] {
        let strategy = StrategySetting::DoubleSpend { confirmations, give_up };
        let on_tree = Race { blocks: 200_000, ..race(share, 0.0, strategy) }.run(1).thefts.unwrap();
        let alone = steal(&TheftRace { share, confirmations, head_start: 0, give_up }, 100_000, 2);
        let exact = theft_bounded(share, confirmations, 0, give_up);
        for thefts in [on_tree, alone] {
            let found = wilson(thefts.managed, thefts.tried, 0.999).unwrap();
            assert!(found.contains(exact), "{share}, {confirmations}: {found:?} does not contain {exact}");
        }
    }
}

#[test]
fn difficulty_settles_at_the_interval_that_the_rule_aims_at() {
    for retarget in [RetargetRule::Epoch, RetargetRule::Lwma] {
        let mut race = race(0.3, 0.0, StrategySetting::Honest);
        // The first guess is ten times too easy.
        race.params.retarget = retarget;
        race.params.initial_difficulty = Difficulty::clamped(1 << 30);
        race.warm_up = 1000;
        let outcome = race.run(5);
        let off = outcome.interval_ms().unwrap() / 600_000.0 - 1.0;
        assert!(off.abs() < 0.02, "{retarget:?} is off by {off}");
        assert!((outcome.share().unwrap() - 0.3).abs() < 0.015);
    }
}

#[test]
fn selfish_mining_earns_nothing_more_per_hour_before_difficulty_answers_and_more_after() {
    // Grunspan and Pérez-Marco, "On profitability of selfish mining" (2018): the attack is on the retarget rule.
    let per_interval = |retarget, blocks, warm_up| {
        let mut race = race(0.4, 0.5, StrategySetting::Selfish);
        race.params.retarget = retarget;
        (race.blocks, race.warm_up) = (blocks, warm_up);
        let earned: Vec<f64> =
            (0..10).map(|seed| race.run_on_tree(seed).revenue_per_interval(600_000).unwrap()).collect();
        mean(&earned, 0.999).unwrap()
    };
    assert!(per_interval(RetargetRule::Fixed, 20_000, 0).high < 0.4);
    assert!(per_interval(RetargetRule::Epoch, 20_000, 1000).low > 0.4);
    assert!(per_interval(RetargetRule::Lwma, 20_000, 1000).low > 0.4);
}

#[test]
fn a_seed_means_the_same_run_for_ever() {
    let mut race = race(0.35, 0.5, StrategySetting::Selfish);
    race.params.retarget = RetargetRule::Lwma;
    race.blocks = 1000;
    let miners = vec![Tally { found: 349, main: 321 }, Tally { found: 651, main: 435 }];
    let expected = (9_527_628_789_522_317_939, miners, 16_754_676_304_671_579_902);
    assert_eq!((race.run(42).digest, race.run(42).miners, race.run(0).digest), expected);
}
