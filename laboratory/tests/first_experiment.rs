//! Follows "a first experiment" of docs/laboratory.md: its commands, and the table at its end.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn section() -> String {
    let page = fs::read_to_string(root().join("docs/laboratory.md")).unwrap();
    let from = page.find("## A first experiment").unwrap();
    let to = page[from + 3..].find("\n## ").unwrap();
    page[from..from + 3 + to].to_owned()
}

fn laboratory(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_laboratory")).current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "laboratory {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn its_commands_work_and_its_table_is_what_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let section = section();
    // Those with --set are what to try next.
    let commands = section.lines().filter_map(|line| line.strip_prefix("laboratory "));
    let commands: Vec<&str> = commands.filter(|command| !command.contains("--set")).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    let (last, before) = commands.split_last().unwrap();
    for command in before {
        laboratory(folder.path(), &command.split(' ').collect::<Vec<_>>());
    }
    // A point gives the same bytes in every sweep: the fastest links and the slowest are enough.
    let file = root().join(last.strip_prefix("run ").unwrap());
    let sweep = "sweep={ \"miner.pool.link_ms\" = [0, 400] }";
    laboratory(folder.path(), &["run", file.to_str().unwrap(), "--out", "out/table", "--set", sweep]);
    let table = fs::read_to_string(folder.path().join("out/table/report.md")).unwrap();
    let rows = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("| "));
        rows.filter(|row| !["| 20 ", "| 50 ", "| 100", "| 200"].contains(&&row[..5])).map(str::to_owned).collect()
    };
    assert_eq!(rows(&section), rows(&table));
    assert_eq!(rows(&section).len(), 3, "the head and two points");
}
