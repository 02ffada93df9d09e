//! The rules of the code that a machine can check: dependencies point down only, every file says what it is, the core
//! has no effects, nothing unfinished is left behind, and files, functions and lines are short enough to read.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

mod circles;
mod sizes;

/// The workspace crates that each crate may depend on. Tests may use `testkit` everywhere.
const ARROWS: [(&str, &[&str]); 13] = [
    ("shared", &[]),
    ("engine", &["shared"]),
    ("runtime", &["shared"]),
    ("laboratory", &["shared"]),
    ("abi", &["shared", "runtime"]),
    ("tracker", &["shared", "runtime"]),
    ("node", &["shared", "engine", "runtime"]),
    ("mempool", &["shared", "engine", "runtime"]),
    ("user", &["shared", "abi", "runtime"]),
    ("explorer", &["shared", "abi", "laboratory", "runtime"]),
    ("simulator", &["shared", "engine", "laboratory", "runtime", "tracker", "node", "mempool", "user", "explorer"]),
    ("bench", &["shared", "engine", "runtime", "laboratory", "tracker", "node", "mempool", "user"]),
    ("testkit", &["shared", "runtime", "tracker", "node", "mempool"]),
];

/// Crates from outside that the core may depend on.
const PURE: [&str; 11] =
    ["bech32", "chrono", "ecdsa", "imbl", "p256", "pkcs8", "serde", "serde_json", "sha2", "thiserror", "utoipa"];

/// Names of clocks, sockets, files, threads and random sources, which pure code must not use.
const EFFECTS: [&str; 10] = [
    "std::net",
    "std::fs",
    "std::thread",
    "std::time::Instant",
    "SystemTime",
    "Utc::now",
    "tokio",
    "rand::",
    "rayon",
    "std::env",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files of the repository with this extension, sorted.
fn files(extension: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
                folders.push(path);
            } else if path.extension().is_some_and(|other| other == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    files("rs").into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn arrows_point_down_only() {
    let metadata = MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    let ours: BTreeSet<_> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    assert_eq!(ours, ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect(), "a crate is missing in ARROWS");
    for package in &metadata.packages {
        let (_, allowed) = ARROWS.iter().find(|(name, _)| **name == **package.name).unwrap();
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            let is_ours = ours.contains(&dependency.name);
            assert!(
                !is_ours || allowed.contains(&&*dependency.name),
                "{} must not use {}",
                package.name,
                dependency.name
            );
            if **package.name == *"shared" {
                assert!(PURE.contains(&&*dependency.name), "the core must not depend on {}", dependency.name);
            }
        }
    }
}

/// Features of revm that change what programs do, or that need a C compiler. The features of a crate are united over
/// all crates that use it, so that a single line anywhere could change consensus.
const FEATURES_OF_REVM: [&str; 5] = ["optional_", "memory_limit", "c-kzg", "blst", "secp256k1"];

#[test]
fn no_crate_asks_revm_for_other_rules() {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(root()).args(["tree", "--workspace", "--offline", "--prefix", "none", "--format", "{p} | {f}"]);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<_> = text.lines().filter(|line| line.starts_with("revm")).collect();
    assert!(crates.iter().any(|line| line.starts_with("revm-context ")), "the crates of revm have other names");
    for line in crates {
        let (name, features) = line.split_once('|').unwrap();
        for feature in features.split(',') {
            let is_other = FEATURES_OF_REVM.iter().any(|other| feature.trim().starts_with(other));
            assert!(!is_other, "{name}has the feature {feature}");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (path, text) in all_sources() {
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
    }
}

/// Whether the file belongs to `shared`, or to the library of `laboratory`, beside which its program stands.
fn is_pure(path: &Path) -> bool {
    let laboratory = root().join("laboratory/src");
    let program = [laboratory.join("main.rs"), laboratory.join("program")];
    path.starts_with(root().join("shared/src"))
        || path.starts_with(&laboratory) && !program.iter().any(|program| path.starts_with(program))
}

#[test]
fn the_core_touches_no_effect() {
    for (path, text) in all_sources().into_iter().filter(|(path, _)| is_pure(path)) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for effect in EFFECTS {
                assert!(!line.contains(effect), "{}:{}: the core names {effect}", path.display(), number + 1);
            }
        }
    }
}

/// The floors of `shared`, top first, from the table in its lib.rs: the names in backticks of each row's first cell.
fn floors() -> Vec<Vec<String>> {
    let lib = std::fs::read_to_string(root().join("shared/src/lib.rs")).unwrap();
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | `")?.split('|').next());
    rows.map(|cell| cell.split_whitespace().map(|name| name.trim_matches('`').to_owned()).collect()).collect()
}

/// The code of a file without its comments and without the tests at its end.
fn production_code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_modules_of_the_core_use_their_own_floor_and_those_below() {
    let floors = floors();
    let floor_of = |module: &str| floors.iter().position(|floor| floor.iter().any(|name| name == module));
    let source = root().join("shared/src");
    for (path, text) in all_sources().into_iter().filter(|(path, _)| path.starts_with(&source)) {
        let inside = path.strip_prefix(&source).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if module == "lib" || inside.ends_with("tests.rs") {
            continue;
        }
        let floor = floor_of(module).unwrap_or_else(|| panic!("shared/src/lib.rs names no floor of {module}"));
        let code = production_code(&text);
        for used in code.split("crate::").skip(1) {
            let name: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let Some(below) = floor_of(&name) else { panic!("{}: crate::{name} is on no floor", path.display()) };
            assert!(below >= floor, "{}: {module} must not use {name}, which stands above it", path.display());
        }
    }
}

#[test]
fn nothing_unfinished_is_left_behind() {
    // Spelt so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
    ];
    let conflict = ["<".repeat(7), ">".repeat(7)];
    for path in files("rs").into_iter().chain(files("md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        for mark in marks.iter().filter(|_| is_code) {
            assert!(!text.contains(mark), "{} has {mark}", path.display());
        }
        let is_merged = !text.lines().any(|line| conflict.iter().any(|mark| line.starts_with(mark)));
        assert!(is_merged, "{} has the marks of a merge conflict", path.display());
    }
}

#[test]
fn every_dependency_has_its_line_in_the_architecture() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let metadata = MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    for package in &metadata.packages {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_none()) {
            assert!(page.contains(&dependency.name), "ARCHITECTURE.md does not say what {} is for", dependency.name);
        }
    }
}
