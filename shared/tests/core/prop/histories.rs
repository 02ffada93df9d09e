//! Retarget rules on arbitrary valid histories: always within the bounds and without a panic, even at the bounds of all
//! parameters.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use proptest::prelude::*;
use shared::block::{Height, Timestamp};
use shared::json::MAX_INTEGER;
use shared::params::{Params, RetargetRule};
use shared::work::Difficulty;
use shared::work::retarget::{Ancestor, replay};

const RULES: [RetargetRule; 3] = [RetargetRule::Fixed, RetargetRule::Epoch, RetargetRule::Lwma];

fn params() -> impl Strategy<Value = Params> {
    let interval = prop_oneof![Just(4_u64), Just(86_400_000), 4_u64..=86_400_000, 4_u64..=10_000];
    let difficulty = prop_oneof![Just(1_u64), Just(MAX_INTEGER), 1..=MAX_INTEGER, 1_u64..=100];
    let window = prop_oneof![Just(2_u64), Just(10_000), 2_u64..=12];
    (interval, difficulty, window, prop::sample::select(&RULES[..])).prop_map(
        |(block_interval_ms, difficulty, retarget_window, retarget)| {
            let initial_difficulty = Difficulty::new(difficulty).unwrap();
            let params =
                Params { block_interval_ms, initial_difficulty, retarget_window, retarget, ..Params::default() };
            params.check().unwrap();
            params
        },
    )
}

/// Solve times from 1 ms to thousands of years, the time of genesis first.
fn times_ms() -> impl Strategy<Value = Vec<u64>> {
    let gap = prop_oneof![Just(1_u64), 1_u64..=10_000, 1_u64..=86_400_000, 1_u64..=1 << 44];
    (0..=1_u64 << 40, prop::collection::vec(gap, 0..60)).prop_map(|(start, gaps)| {
        let mut times = vec![start];
        for gap in gaps {
            let next = times[times.len() - 1] + gap;
            if next <= Timestamp::MAX.as_ms() {
                times.push(next);
            }
        }
        times
    })
}

/// Checks the step from the parent's difficulty to the next one.
fn check_step(params: &Params, index: u64, parent: u64, next: u64) -> Result<(), TestCaseError> {
    prop_assert!((1..=MAX_INTEGER).contains(&next));
    let initial = params.initial_difficulty.value();
    match params.retarget {
        RetargetRule::Fixed => prop_assert_eq!(next, initial),
        RetargetRule::Epoch if index <= params.retarget_window => prop_assert_eq!(next, initial),
        RetargetRule::Epoch if index % params.retarget_window != 1 => prop_assert_eq!(next, parent, "inside an epoch"),
        // The expected time is no multiple of four: a quarter of it, rounded down, allows a little more than times
        // four.
        RetargetRule::Epoch => {
            prop_assert!(next >= parent / 4 && next <= parent * 7, "a step of an epoch: {parent} to {next}")
        }
        RetargetRule::Lwma if index <= 2 => prop_assert_eq!(next, initial),
        RetargetRule::Lwma => {
            prop_assert!(next >= parent / 2 && next <= 2 * parent, "a step of lwma: {parent} to {next}")
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(super::config(1000))]

    #[test]
    fn every_result_keeps_its_bounds(params in params(), times in times_ms()) {
        let rule = RetargetRule::build(&params);
        let difficulties = replay(rule.as_ref(), &times);
        prop_assert_eq!(difficulties.len(), times.len() + 1);
        for (index, pair) in (1..).zip(difficulties.windows(2)) {
            check_step(&params, index, pair[0].value(), pair[1].value())?;
        }
    }

    #[test]
    fn only_the_last_ancestors_count_and_more_of_them_change_nothing(params in params(), times in times_ms()) {
        let rule = RetargetRule::build(&params);
        let difficulties = replay(rule.as_ref(), &times);
        let ancestors: Vec<_> = times.iter().zip(&difficulties)
            .map(|(&ms, &difficulty)| Ancestor { timestamp: Timestamp::from_ms(ms), difficulty })
            .collect();
        for index in 1..=ancestors.len() {
            let fewest = index.saturating_sub(rule.reach());
            for first in [0, fewest / 2, fewest] {
                let next = rule.next(Height(index as u64), &ancestors[first..index]);
                prop_assert_eq!(next, difficulties[index], "block {} from {} ancestors", index, index - first);
            }
        }
    }
}

/// Full windows at the bounds of all parameters, where an overflow would show.
#[test]
fn the_largest_windows_do_not_overflow() {
    for rule in RULES {
        for block_interval_ms in [4, 86_400_000] {
            for difficulty in [Difficulty::MIN, Difficulty::MAX] {
                for gap_ms in [1, block_interval_ms, 25_000_000_000] {
                    let params = Params {
                        retarget: rule,
                        retarget_window: 10_000,
                        block_interval_ms,
                        initial_difficulty: difficulty,
                        ..Params::default()
                    };
                    let built = RetargetRule::build(&params);
                    let ancestors: Vec<_> = (0..10_001)
                        .map(|n| Ancestor { timestamp: Timestamp::from_ms(n * gap_ms), difficulty })
                        .collect();
                    let index = 10_001;
                    let next = built.next(Height(index), &ancestors).value();
                    check_step(&params, index, difficulty.value(), next).unwrap();
                    // The highest index that JSON allows: nothing may be computed from it that overflows.
                    built.next(Height(MAX_INTEGER), &ancestors);
                }
            }
        }
    }
}
