//! Past one machine: the shipped script of a Slurm array, and the parts of an experiment as other engines read them.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCENARIO: &str = r#"
title = "Small"
model = "race"
repeat = 6
blocks = 300
[[miner]]
name = "pool"
strategy = "selfish"
[sweep]
"miner.pool.share" = [0.1, 0.3, 0.4]
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Carries out the experiment in `out` as a Slurm array of `tasks` tasks, all at the same time.
fn as_an_array(folder: &Path, out: &str, tasks: u32) {
    let programs = Path::new(env!("CARGO_BIN_EXE_laboratory")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let start = |task: u32| {
        Command::new("bash")
            .arg(root().join("docs/examples/slurm.sh"))
            .args(["small.toml", out])
            .current_dir(folder)
            .env("PATH", &path)
            .env("SLURM_ARRAY_TASK_ID", task.to_string())
            .env("SLURM_ARRAY_TASK_COUNT", tasks.to_string())
            .spawn()
            .unwrap()
    };
    for mut task in (0..tasks).map(start).collect::<Vec<_>>() {
        assert!(task.wait().unwrap().success());
    }
}

fn laboratory(folder: &Path, arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_laboratory")).current_dir(folder).args(arguments).status().unwrap();
    assert!(status.success(), "{arguments:?}");
}

#[test]
fn the_tasks_of_a_slurm_array_give_the_same_bytes_as_one_process() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), SCENARIO).unwrap();
    as_an_array(folder.path(), "array", 4);
    laboratory(folder.path(), &["report", "array"]);
    laboratory(folder.path(), &["run", "small.toml", "--out", "whole"]);
    let bytes = |out: &str| fs::read(folder.path().join(out).join("runs.csv")).unwrap();
    assert_eq!(bytes("array"), bytes("whole"));
    assert_eq!(fs::read_dir(folder.path().join("array/parts")).unwrap().count(), 4);
}

/// Python with duckdb and polars; `None` where they are missing.
fn python() -> Option<PathBuf> {
    let own = root().join("target/frames/bin/python");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    let has = Command::new(&python).args(["-c", "import duckdb, polars"]).status();
    if has.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    println!("NOT RUN: Python lacks duckdb or polars; install them with python3 -m pip install duckdb polars");
    None
}

#[test]
#[ignore = "needs duckdb and polars from PyPI, which .ci/run installs into target/frames"]
fn duckdb_converts_to_parquet_as_the_documentation_says_and_loses_nothing() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenario = format!("{SCENARIO}[measure]\ntables = [\"blocks\"]\n");
    fs::write(folder.path().join("small.toml"), scenario).unwrap();
    laboratory(folder.path(), &["run", "small.toml", "--out", "out/x"]);
    let page = fs::read_to_string(root().join("docs/laboratory.md")).unwrap();
    let commands = page.lines().filter_map(|line| line.strip_prefix("duckdb -c \"")?.strip_suffix('"'));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    fs::write(folder.path().join("commands.sql"), commands.join(";\n")).unwrap();
    let script = r#"
import csv, duckdb, polars
for command in open("commands.sql").read().split(";\n"):
    duckdb.sql(command)
for table in ("runs", "blocks"):
    rows = list(csv.DictReader(open(f"out/x/{table}.csv")))
    frame = polars.read_parquet(f"{table}.parquet")
    assert frame.columns == list(rows[0]) and len(frame) == len(rows), frame
    for name in frame.columns:
        for got, text in zip(frame[name], rows, strict=True):
            expected = text[name]
            same = got is None and expected == "" or str(got) == expected
            # A fraction may be written in another way.
            assert same or isinstance(got, (float, bool)) and (str(got).lower() == expected or
                float(got) == float(expected)), (table, name, got, expected)
    for name in ("seed", "digest"):
        assert name not in frame.columns or frame[name].dtype in (polars.UInt64, polars.String), frame[name]
"#;
    let output = Command::new(&python).args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs duckdb and polars from PyPI, which .ci/run installs into target/frames"]
fn duckdb_and_polars_read_the_parts_by_glob_and_agree_with_runs_csv() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), SCENARIO).unwrap();
    as_an_array(folder.path(), "out", 3);
    laboratory(folder.path(), &["report", "out"]);
    let script = r#"
import duckdb, polars
parts, whole = "out/parts/*.csv", "out/runs.csv"
means = """SELECT "miner.pool.share" AS power, count(*) AS runs, avg(share) AS mean
           FROM read_csv_auto('{}') GROUP BY 1 ORDER BY 1"""
merged, single = [duckdb.sql(means.format(path)).fetchall() for path in (parts, whole)]
assert [row[:2] for row in merged] == [(0.1, 6), (0.3, 6), (0.4, 6)], merged
assert all(abs(one[2] - other[2]) < 1e-12 for one, other in zip(merged, single)), (merged, single)
frame = polars.read_csv(parts).sort("run")
assert frame.equals(polars.read_csv(whole)), frame
"#;
    let output = Command::new(&python).args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
