//! Networks of real programs on several hosts: network namespaces with an address each, joined by a bridge. Links are
//! cut, slowed down and restored, hosts are killed, a disk is full and a clock is wrong.
//!
//! It needs root and `ip`, so only `cargo test -- --ignored` runs it. It has a harness of its own, because the usual
//! one cannot report that a test was not run. Networks on one machine are tested in `network`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod clock;
mod disk;
#[path = "../common/harness.rs"]
mod harness;
mod host_process;
mod lan;
mod measure;
mod name_server;
mod payments;
mod restart;
mod slow;
mod split;
mod sync;
mod tour;

use futures_util::FutureExt;
use harness::Test;
use std::process::ExitCode;

/// The token of all nodes.
const TOKEN: &str = "a secret of the tests";

const TESTS: [Test; 8] = [
    Test { name: "five_hosts_that_follow_the_readme_converge", run: || tour::several_machines().boxed_local() },
    Test { name: "a_network_that_was_cut_is_one_again", run: || split::split_and_heal().boxed_local() },
    Test { name: "a_host_is_killed_and_returns", run: || restart::host_returns().boxed_local() },
    Test { name: "a_new_tracker_takes_over_the_name", run: || restart::tracker_moves().boxed_local() },
    Test { name: "a_slow_lossy_link_still_converges", run: || slow::slow_link().boxed_local() },
    Test { name: "a_late_joiner_syncs", run: || sync::late_joiner().boxed_local() },
    Test { name: "a_disk_is_full_and_then_is_not", run: || disk::disk_full().boxed_local() },
    Test { name: "a_clock_is_ten_minutes_off", run: || clock::clock_ahead().boxed_local() },
];

fn main() -> ExitCode {
    harness::main(&TESTS, "needs root and ip, and takes a while; .ci/run runs it", lan::leftovers)
}
