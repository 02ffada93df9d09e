//! Properties, searched for counterexamples with proptest: the same ones each time, so that a failure is the code's
//! doing.
//!
//! `PROPTEST_CASES=100000 PROPTEST_RNG_SEED=7 cargo test -p shared --test core prop` searches further and elsewhere.

mod histories;
mod journal;
mod json;
mod ledger;
mod paces;
mod trees;

use proptest::test_runner::{Config, RngSeed};

/// A fixed seed and this many cases, unless the environment says otherwise. A counterexample is printed whole, so none
/// is written to the source tree.
pub(crate) fn config(cases: u32) -> Config {
    let said = |name: &str| std::env::var_os(name).is_some();
    let default = Config { failure_persistence: None, ..Config::default() };
    Config {
        cases: if said("PROPTEST_CASES") { default.cases } else { cases },
        rng_seed: if said("PROPTEST_RNG_SEED") { default.rng_seed } else { RngSeed::Fixed(1) },
        ..default
    }
}
