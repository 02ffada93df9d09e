//! Ethereum's own tests over our rows: its published state tests, and random programs against its specification.
//!
//! The state tests are files of others that lie beside the checkout (`../shared/ethereum-tests`), and the
//! specification is a Python package that `.ci/run` installs. Where either is missing, its test says that it was not
//! run, and why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod differential;
mod harness;
mod json;
mod programs;
mod rows;
mod state_tests;

use harness::Test;
use std::process::ExitCode;

const TESTS: [Test; 3] = [
    Test { name: "ethereum_state_tests_pass_over_our_rows", is_long: false, run: state_tests::run },
    Test { name: "ethereum_state_tests_that_take_long_pass", is_long: true, run: state_tests::run_slow },
    Test { name: "random_programs_run_as_the_specification_says", is_long: true, run: differential::run },
];

fn main() -> ExitCode {
    harness::main(&TESTS)
}
