//! The container image, the network of compose.yaml, and the files for Kubernetes, Prometheus and Grafana.
//!
//! It needs Docker, so only `cargo test -- --ignored` runs it. It shares the harness of `hosts`, because the usual one
//! cannot report that a test was not run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod compose_project;
mod docker;
#[path = "../common/harness.rs"]
mod harness;
mod image;
mod kubernetes;
mod metrics;
mod network;

use futures_util::FutureExt;
use harness::Test;
use std::process::ExitCode;

const TESTS: [Test; 5] = [
    Test { name: "programs_in_the_image_are_healthy_and_end_with_0", run: || image::programs().boxed_local() },
    Test {
        name: "the_network_of_compose_mines_pays_splits_and_heals",
        run: || network::compose_network().boxed_local(),
    },
    Test { name: "the_stack_is_one_that_swarm_takes", run: || network::swarm_stack().boxed_local() },
    Test { name: "kubernetes_manifests_keep_the_published_schemas", run: || kubernetes::manifests().boxed_local() },
    Test { name: "dashboards_name_metrics_that_programs_have", run: || metrics::dashboards().boxed_local() },
];

fn main() -> ExitCode {
    harness::main(&TESTS, "needs Docker, and builds all programs; .ci/run runs it", docker::leftovers)
}
