//! The program as people use it: the same bytes for any number of threads, shards and interruptions, and exit codes.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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
fn tables_are_the_same_bytes_for_threads_shards_and_after_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.toml"), format!("{SCENARIO}[measure]\ntables = [\"miners\", \"blocks\"]\n")).unwrap();
    assert_eq!(laboratory(path, &["run", "small.toml", "--threads", "1", "--out", "1"]).status.code(), Some(0));
    assert_eq!(laboratory(path, &["run", "small.toml", "--threads", "2", "--out", "2"]).status.code(), Some(0));
    for shard in ["1/2", "0/2"] {
        assert_eq!(
            laboratory(path, &["run", "small.toml", "--shard", shard, "--out", "shards"]).status.code(),
            Some(0)
        );
    }
    let read = |out: &str, file: &str| fs::read_to_string(path.join(out).join(file)).unwrap();
    let [miners, blocks] = ["miners.csv", "blocks.csv"].map(|file| read("1", file));
    assert_eq!((miners.lines().count(), blocks.lines().count()), (1 + 15 * 2, 1 + 15 * 500));
    assert!(miners.starts_with("run,miner,found,main\n0,pool,") && blocks.starts_with("run,block,parent,"), "{miners}");
    // Runs whose rows were lost are carried out again, tables included.
    let part = path.join("1/parts/0-of-1.csv");
    fs::write(&part, &read("1", "parts/0-of-1.csv")[..300]).unwrap();
    fs::remove_file(path.join("1/tables/blocks-000014.csv")).unwrap();
    assert_eq!(laboratory(path, &["run", "small.toml", "--out", "1"]).status.code(), Some(0));
    for out in ["1", "2", "shards"] {
        assert!(read(out, "miners.csv") == miners && read(out, "blocks.csv") == blocks, "{out}");
    }
}

#[test]
fn the_network_of_a_run_is_written_as_a_graph() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let scenario = "title = \"t\"\nmodel = \"relay\"\nrepeat = 2\nblocks = 5\n[network]\nnodes = 9\n";
    fs::write(path.join("net.toml"), scenario).unwrap();
    assert_eq!(laboratory(path, &["run", "net.toml", "--out", "out"]).status.code(), Some(0));
    let output = laboratory(path, &["replay", "out", "1", "--graph", "net.graphml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(fs::read_to_string(path.join("net.graphml")).unwrap().matches("<node ").count(), 9);
    fs::write(path.join("small.toml"), SCENARIO).unwrap();
    assert_eq!(laboratory(path, &["run", "small.toml", "--out", "race"]).status.code(), Some(0));
    let refused = laboratory(path, &["replay", "race", "1", "--graph", "x"]);
    assert!(refused.status.code() == Some(2) && text(&refused.stderr).contains("draws no network"), "{refused:?}");
}

#[test]
fn a_changed_experiment_is_told_the_command_that_keeps_both_results() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.toml"), SCENARIO).unwrap();
    assert_eq!(laboratory(path, &["run", "small.toml"]).status.code(), Some(0));
    let refused = laboratory(path, &["run", "small.toml", "--set", "measure.quantities=[\"stale\", \"share\"]"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let command = "laboratory run small.toml --set 'measure.quantities=[\"stale\", \"share\"]' --out out/small-2";
    assert!(text(&refused.stderr).contains(command), "{refused:?}");
    let once = laboratory(path, &["run", "small.toml", "--set", "repeat=1", "--out", "out/once"]);
    assert!(once.status.code() == Some(0) && text(&once.stdout).contains("was run once"), "{once:?}");
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
    let other = laboratory(path, &["reproduce", "nosuch"]);
    assert!(other.status.code() == Some(2) && !text(&other.stderr).contains("Did you mean"), "{other:?}");
    let folder = laboratory(path, &["check", "."]);
    assert!(folder.status.code() == Some(2) && text(&folder.stderr).contains(". is a folder"), "{folder:?}");
    assert_eq!(laboratory(path, &["run", "wrong.toml", "--shard", "3/3"]).status.code(), Some(2));
}

#[test]
fn what_new_writes_can_be_checked_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert_eq!(laboratory(path, &["new", "first.toml"]).status.code(), Some(0));
    let checked = laboratory(path, &["check", "first.toml"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    for line in [
        "Model race: one miner with a strategy",
        "retarget rule fixed",
        "Miner pool: selfish, with a swept share of the hash rate.",
        "27 points × 20 replications = 540 runs",
        "10,800,000 blocks to find in all",
    ] {
        assert!(text(&checked.stdout).contains(line), "{line}: {checked:?}");
    }
    for wrong in ["miner.pool.share=1.3", "network.gamma=2.0"] {
        let refused = laboratory(path, &["check", "first.toml", "--set", wrong]);
        assert!(refused.status.code() == Some(2) && text(&refused.stderr).contains("expected 0 to 1"), "{refused:?}");
    }
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

#[test]
fn kill_9_and_resumption_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let scenario = SCENARIO.replace("blocks = 500", "blocks = 100000").replace("repeat = 5", "repeat = 60");
    fs::write(path.join("long.toml"), scenario).unwrap();
    assert_eq!(laboratory(path, &["run", "long.toml", "--out", "whole"]).status.code(), Some(0));
    let part = path.join("killed/parts/0-of-1.csv");
    let mut kills = 0;
    for _ in 0..3 {
        let lines = || fs::read_to_string(&part).map_or(0, |text| text.lines().count());
        let before = lines();
        let mut child = Command::new(env!("CARGO_BIN_EXE_laboratory"))
            .current_dir(path)
            .args(["run", "long.toml", "--out", "killed", "--threads", "1"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while lines() <= before && child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(2));
        }
        if child.try_wait().unwrap().is_none() {
            kills += 1;
        }
        // SIGKILL, as kill -9 sends it.
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(kills > 0, "every run was done before it could be killed");
    let output = laboratory(path, &["run", "long.toml", "--out", "killed"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for file in ["runs.csv", "parts/0-of-1.csv", "report.html", "report.md", "scenario.toml", "manifest.json"] {
        let bytes = |out: &str| fs::read(path.join(out).join(file)).unwrap();
        assert_eq!(bytes("killed"), bytes("whole"), "{file}");
    }
}

#[test]
fn shards_of_until_run_at_the_same_time_and_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let until = format!("{SCENARIO}[measure]\nuntil = {{ half_width = 0.02, at_most = 40 }}\n");
    fs::write(path.join("until.toml"), until).unwrap();
    assert_eq!(laboratory(path, &["run", "until.toml", "--out", "whole"]).status.code(), Some(0));
    let whole = runs_csv(path, "whole");
    assert!((16..121).contains(&whole.lines().count()), "{whole}");
    let start = |shard: &str| {
        let arguments = ["run", "until.toml", "--shard", shard, "--out", "shards"];
        let command = &mut Command::new(env!("CARGO_BIN_EXE_laboratory"));
        command.current_dir(path).args(arguments).stdout(Stdio::null()).spawn().unwrap()
    };
    for mut child in ["0/3", "1/3", "2/3"].map(start) {
        assert!(child.wait().unwrap().success());
    }
    // The last shard has seen all parts; if two ended at once, `report` puts them together.
    assert_eq!(laboratory(path, &["report", "shards"]).status.code(), Some(0));
    assert_eq!(runs_csv(path, "shards"), whole);
}

#[test]
fn a_run_is_replayed_from_its_number_and_traced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.toml"), SCENARIO).unwrap();
    assert_eq!(laboratory(path, &["run", "small.toml", "--out", "out"]).status.code(), Some(0));
    let whole = runs_csv(path, "out");
    for (run, line) in [("13", 14), ("2:3", 14), ("0002:0003", 14), ("0", 1)] {
        let output = laboratory(path, &["replay", "out", run]);
        assert_eq!(text(&output.stdout).lines().nth(1), whole.lines().nth(line), "{output:?}");
    }
    let trace = laboratory(path, &["replay", "out", "13", "--trace"]);
    let steps: Vec<serde_json::Value> =
        text(&trace.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| steps.iter().filter(|step| step["step"] == kind).count();
    assert_eq!(of("found"), 500);
    assert!(of("published") > 10, "{}", of("published"));
    for (run, complaint) in [
        ("15", "there is no run 15; the last one is 14"),
        ("x", "expected a run"),
        ("0:9", "point 0 has 5 runs, 0 to 4"),
        ("3:0", "there is no point 3; the last one is 2"),
    ] {
        let output = laboratory(path, &["replay", "out", run]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(complaint), "{output:?}");
    }
    assert_eq!(laboratory(path, &["replay", "nowhere", "1"]).status.code(), Some(2));
}

#[test]
fn a_report_is_written_again_from_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.toml"), SCENARIO).unwrap();
    assert_eq!(laboratory(path, &["run", "small.toml", "--out", "out"]).status.code(), Some(0));
    let page = fs::read(path.join("out/report.html")).unwrap();
    fs::remove_file(path.join("out/report.html")).unwrap();
    let output = laboratory(path, &["report", "out"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("3 of 3 expectations hold"), "{output:?}");
    assert_eq!(fs::read(path.join("out/report.html")).unwrap(), page);
    assert_eq!(laboratory(path, &["report", "nowhere"]).status.code(), Some(2));
}

#[test]
fn a_policy_is_read_from_the_file_beside_its_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("here")).unwrap();
    let scenario = SCENARIO.replace("\"selfish\"", "\"policy\"\nfile = \"table.csv\"").replace("eyal-sirer", "policy");
    fs::write(path.join("here/policy.toml"), scenario).unwrap();
    let missing = laboratory(path, &["run", "here/policy.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("miner.pool.file: cannot read \"table.csv\""), "{missing:?}");
    fs::write(path.join("here/table.csv"), "ours,theirs,fork,action\n1,0,irrelevant,wait\n").unwrap();
    let output = laboratory(path, &["run", "here/policy.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // The folder has the table: it can be replayed where the file is not.
    fs::remove_file(path.join("here/table.csv")).unwrap();
    let line = text(&laboratory(path, &["replay", "out", "7"]).stdout);
    assert_eq!(line.lines().nth(1), runs_csv(path, "out").lines().nth(8));
}
