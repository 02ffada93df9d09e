//! The program as people use it: the same bytes for any number of threads, shards and interruptions, and exit codes.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SCENARIO: &str = r#"
title = "Small"
model = "race"
repeat = 5
blocks = 500
[[miner]]
name = "pool"
strategy = "selfish"
[sweep]
"miner.pool.share" = [0.1, 0.3, 0.4]
[expect]
curve = "eyal-sirer"
"#;

fn laboratory(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_laboratory")).current_dir(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn runs_csv(folder: &Path, out: &str) -> String {
    fs::read_to_string(folder.join(out).join("runs.csv")).unwrap()
}

#[test]
fn threads_shards_and_interruptions_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.toml"), SCENARIO).unwrap();
    for threads in ["1", "2", "8"] {
        let output = laboratory(path, &["run", "small.toml", "--threads", threads, "--out", threads]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let whole = runs_csv(path, "1");
    assert_eq!(whole.lines().count(), 16);
    assert_eq!((runs_csv(path, "2"), runs_csv(path, "8")), (whole.clone(), whole.clone()));
    for report in ["report.html", "report.md", "chart.svg"] {
        let bytes = |out: &str| fs::read(path.join(out).join(report)).unwrap();
        assert_eq!(bytes("1"), bytes("8"), "{report}");
    }

    for shard in ["0/3", "2/3", "1/3"] {
        assert!(!path.join("shards/runs.csv").exists());
        let output = laboratory(path, &["run", "small.toml", "--shard", shard, "--out", "shards"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(runs_csv(path, "shards"), whole);

    // As if it had been killed in the middle of a line, at any place.
    let part = path.join("1/parts/0-of-1.csv");
    let complete = fs::read_to_string(&part).unwrap();
    for kept in [0, 5, complete.len() / 3, complete.len() / 2, complete.len() - 1] {
        fs::write(&part, &complete[..kept]).unwrap();
        fs::remove_file(path.join("1/runs.csv")).unwrap();
        let output = laboratory(path, &["run", "small.toml", "--out", "1"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!((runs_csv(path, "1"), fs::read_to_string(&part).unwrap()), (whole.clone(), complete.clone()));
    }

    let other = laboratory(path, &["run", "small.toml", "--seed", "9", "--out", "1"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("another scenario"), "{other:?}");
}

#[test]
fn an_expectation_that_fails_is_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), SCENARIO).unwrap();
    let arguments = ["run", "small.toml", "--set", "expect.curve=fair", "--set", "blocks=20000", "--json"];
    let output = laboratory(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let last = text(&output.stdout).lines().last().map(str::to_owned).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!(summary["estimates"][0]["verdict"], "fails");
    assert_eq!(summary["point"][0][1], "0.4");
}

#[test]
fn a_wrong_scenario_or_flag_is_exit_code_2_and_makes_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("wrong.toml"), SCENARIO.replace("repeat", "repaet")).unwrap();
    let output = laboratory(path, &["run", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("Did you mean `repeat`?"), "{output:?}");
    assert!(!path.join("out").exists());
    let missing = laboratory(path, &["check", "none.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("laboratory new none.toml"), "{missing:?}");
    let typo = laboratory(path, &["reproduce", "nakamto"]);
    assert_eq!(typo.status.code(), Some(2));
    assert!(text(&typo.stderr).contains("Did you mean `nakamoto`?"), "{typo:?}");
    assert_eq!(laboratory(path, &["run", "wrong.toml", "--shard", "3/3"]).status.code(), Some(2));
}

#[test]
fn what_new_writes_can_be_checked_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert_eq!(laboratory(path, &["new", "first.toml"]).status.code(), Some(0));
    let checked = laboratory(path, &["check", "first.toml"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert!(text(&checked.stdout).contains("27 points × 20 replications = 540 runs"), "{checked:?}");
    assert_eq!(laboratory(path, &["new", "first.toml"]).status.code(), Some(2));
    assert_eq!(laboratory(path, &["list"]).status.code(), Some(0));
}

#[test]
fn every_experiment_of_the_project_can_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let output = laboratory(&folder, &["check", &name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        count += 1;
    }
    assert!(count >= 10, "{count} experiments");
}

#[test]
fn publications_are_reproduced() {
    let folder = tempfile::tempdir().unwrap();
    let output = laboratory(folder.path(), &["reproduce", "nakamoto"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("30 of 30 hold"), "{output:?}");
}
