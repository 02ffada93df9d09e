//! The program `laboratory`: experiments with proof-of-work chains in virtual time.
//!
//! Exit codes: 0, all expectations hold; 1, one does not, or the run failed; 2, wrong usage or a wrong scenario.

mod program;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    program::run(program::Args::parse())
}
