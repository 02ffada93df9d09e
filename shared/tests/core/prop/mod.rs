//! Properties, checked with proptest on the same cases each time, so that a new failure is due to the code.
//!
//! `PROPTEST_CASES=100000 PROPTEST_RNG_SEED=7 cargo test -p shared --test core prop` checks more and other cases.

mod coins;
mod histories;
mod journal;
mod json;
mod ledger;
mod paces;
mod trees;

use proptest::test_runner::{Config, RngSeed};

/// A fixed seed and this many cases, unless the environment sets others. Counterexamples are printed completely, so
/// none is written to the source tree.
pub(crate) fn config(cases: u32) -> Config {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let default = Config { failure_persistence: None, ..Config::default() };
    Config {
        cases: if is_set("PROPTEST_CASES") { default.cases } else { cases },
        rng_seed: if is_set("PROPTEST_RNG_SEED") { default.rng_seed } else { RngSeed::Fixed(1) },
        ..default
    }
}
