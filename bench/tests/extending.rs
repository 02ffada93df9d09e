//! Follows docs/extending.md: makes its changes in a copy of the project, which must then build and pass the tests on
//! the page.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A change that the page makes to a file.
enum Step {
    Create(String),
    /// Lines to find, and their replacement.
    Change {
        from: String,
        to: String,
    },
}

/// The steps of a page: fenced blocks, each below a line that names the file.
fn steps(page: &str) -> Vec<(String, Step)> {
    let mut steps = Vec::new();
    let mut file = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(named) = line.strip_prefix("**New file** `").or_else(|| line.strip_prefix("**Change** `")) {
            file = Some(named.trim_end_matches('`').to_owned());
        }
        let Some(language @ ("rust" | "diff")) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let file = file.clone().expect("a block of code belongs to a file");
        let with = |marks: [char; 2]| {
            let kept = block.iter().filter_map(|line| line.strip_prefix(marks));
            kept.map(|line| format!("{line}\n")).collect::<String>()
        };
        let step = if language == "rust" {
            Step::Create(block.join("\n") + "\n")
        } else {
            Step::Change { from: with([' ', '-']), to: with([' ', '+']) }
        };
        steps.push((file, step));
    }
    steps
}

fn copy_of_the_project(to: &Path) {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    for file in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        let (from, to) = (root().join(file), to.join(file));
        if from.exists() {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(from, to).unwrap();
        }
    }
}

fn make(folder: &Path, file: &str, step: Step) {
    let path = folder.join(file);
    match step {
        Step::Create(text) => {
            assert!(!path.exists(), "{file} exists already");
            std::fs::write(path, text).unwrap();
        }
        Step::Change { from, to } => {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.matches(&from).count(), 1, "{file} must have these lines once:\n{from}");
            std::fs::write(path, text.replace(&from, &to)).unwrap();
        }
    }
}

fn cargo(folder: &Path, arguments: &[&str]) -> String {
    // The same target folder, so that dependencies are not built again.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "cargo {arguments:?} failed:\n{text}");
    text
}

#[test]
fn every_step_of_the_tutorial_finds_its_place() {
    let page = std::fs::read_to_string(root().join("docs/extending.md")).unwrap();
    let steps = steps(&page);
    assert_eq!(steps.len(), 21, "three new files and eighteen changes");
    for (file, step) in steps {
        if let Step::Change { from, .. } = step {
            let text = std::fs::read_to_string(root().join(&file)).unwrap();
            assert_eq!(text.matches(&from).count(), 1, "{file} must have these lines once:\n{from}");
        }
    }
}

#[test]
#[ignore = "builds the whole project once more, some minutes; .ci/run runs it"]
fn the_tutorial_builds_and_its_tests_pass() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_the_project(folder.path());
    let page = std::fs::read_to_string(root().join("docs/extending.md")).unwrap();
    for (file, step) in steps(&page) {
        make(folder.path(), &file, step);
    }
    let text = cargo(folder.path(), &["test", "-p", "shared", "--lib", "--", "nudge::", "names::"]);
    assert!(text.contains("2 passed"), "{text}");
    let text = cargo(folder.path(), &["test", "-p", "laboratory", "--lib", "--", "ambush::"]);
    assert!(text.contains("1 passed"), "{text}");
    cargo(folder.path(), &["check", "--workspace"]);
    // The new strategy runs virtually as the page says; live, its flag is read.
    let arguments = "run -p laboratory -- run labs/selfish-mining.toml --out ambush --set miner.pool.strategy=ambush \
                     --set expect.curve=policy --set blocks=5000";
    let text = cargo(folder.path(), &arguments.split_whitespace().collect::<Vec<_>>());
    assert!(text.contains("27 of 27 expectations hold"), "{text}");
}
