//! Large networks: nodes have a bounded number of peers, and a low limit of open files is respected or refused in
//! words.

use super::{of_kind, parse_events};
use serde_json::Value;
use std::process::{Command, Output};

/// Runs the program with these limits of open files.
fn run_within(soft: u64, hard: u64, args: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_simulator");
    let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec {program} --json --port 0 {args}");
    Command::new("sh").args(["-c", &script]).current_dir(std::env::temp_dir()).output().unwrap()
}

#[track_caller]
fn agrees_without_trouble(output: &Output) -> Vec<Value> {
    let (errors, events) = (String::from_utf8_lossy(&output.stderr), parse_events(&output.stdout));
    assert!(output.status.success(), "{:?}: {errors}\n{:?}", output.status, of_kind(&events, "report"));
    assert!(!errors.contains("open files") && of_kind(&events, "trouble").is_empty(), "{errors}\n{events:?}");
    events
}

#[test]
#[ignore = "runs 24 nodes at a time; .ci/run runs it"]
fn twenty_four_nodes_need_no_more_than_the_usual_files() {
    let events = agrees_without_trouble(&run_within(
        256,
        1024,
        "--nodes 24 --layer data --interval 1000 --hashrate 200 --seconds 20 --partition 5:5",
    ));
    let report = of_kind(&events, "report")[0];
    assert!(report["blocks"].as_u64() >= Some(1) && report["agreed"] == true, "{report}");
}

#[test]
#[ignore = "runs 100 nodes at a time; .ci/run runs it"]
fn a_hundred_nodes_run_and_agree() {
    let args = "--nodes 100 --layer data --interval 5000 --hashrate 20 --seconds 40 --no-explorer";
    let events = agrees_without_trouble(&run_within(1024, 4096, args));
    let report = of_kind(&events, "report")[0];
    assert!(report["blocks"].as_u64() >= Some(1) && report["agreed"] == true, "{report}");
}

#[test]
fn more_nodes_than_files_allow_are_refused_before_the_start() {
    let output = run_within(256, 512, "--nodes 100");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{errors}");
    for part in ["too many nodes: 100", "start at most ", "ulimit -Hn"] {
        assert!(errors.contains(part), "no {part} in {errors}");
    }
}
