//! Bounds on what a reader must take in at once: lines of a file, lines of a function, columns of a line.

use crate::{all_sources, files, production_code, root};
use std::path::Path;

/// Lines of a file, tests included.
const MAX_FILE_LINES: usize = 400;
/// Lines of a production function, from `fn` to its closing brace.
const MAX_FUNCTION_LINES: usize = 70;
/// Columns of a line of code, comment or prose.
const MAX_COLUMNS: usize = 120;

/// Whether a file is part of a program or library, not a test.
fn is_production(path: &Path) -> bool {
    let path = path.strip_prefix(root()).unwrap();
    let mut folders = path.components().map(|part| part.as_os_str());
    let is_source = folders.nth(1).is_some_and(|folder| folder == "src");
    let name = path.file_name().unwrap().to_str().unwrap();
    is_source && !name.ends_with("tests.rs") && !path.components().any(|part| part.as_os_str() == "tests")
}

/// The part of a file above its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// The name of the function that a line declares.
fn declared_function(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(public) = rest.strip_prefix("pub") {
        let restricted = public.strip_prefix('(').and_then(|scope| scope.split_once(')'));
        rest = restricted.map_or(public, |(_, rest)| rest).trim_start();
    }
    for qualifier in ["const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(qualifier).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Each function's name and number of lines. The code is formatted, so a function ends at the first closing brace with
/// the indentation of its declaration, and one without a body at the first semicolon with it.
fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = code.lines().collect();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = declared_function(line).filter(|_| !line.ends_with(['}', ';'])) else { continue };
        let indentation = &line[..line.len() - line.trim_start().len()];
        let is_end = |line: &str| {
            let rest = line.strip_prefix(indentation).unwrap_or_default();
            rest == "}" || rest.starts_with(')') && rest.ends_with(';')
        };
        let length = lines[start..].iter().take_while(|line| !is_end(line)).count() + 1;
        functions.push((name.to_owned(), length));
    }
    functions
}

#[test]
fn functions_are_measured_from_their_first_to_their_last_line() {
    let code =
        "impl A {\n    pub(crate) async fn one<T>(\n        a: T,\n    ) {\n        b();\n    }\n    fn two() {}\n}\n";
    assert_eq!(functions(code), [("one".to_owned(), 5)]);
    let code = "trait A {\n    fn one(\n        a: T,\n    ) -> B;\n\n    fn two() {\n    }\n}\n";
    assert_eq!(functions(code), [("one".to_owned(), 3), ("two".to_owned(), 2)]);
    let code = "// a fn of comments (\nconst fn long() {\n    {\n    }\n}\n";
    assert_eq!(functions(code), [("long".to_owned(), 4)]);
}

#[test]
fn files_and_production_functions_fit_a_reader() {
    for (path, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= MAX_FILE_LINES, "{}: {lines} lines; at most {MAX_FILE_LINES}", path.display());
        let code = if is_production(&path) { without_tests(&text) } else { "" };
        for (name, lines) in functions(code) {
            assert!(
                lines <= MAX_FUNCTION_LINES,
                "{}: fn {name} has {lines} lines; at most {MAX_FUNCTION_LINES}",
                path.display()
            );
        }
    }
}

/// Numbers of the lines that are too long. In Markdown, tables, links and fenced blocks may be longer.
fn long_lines(text: &str, is_markdown: bool) -> Vec<usize> {
    let mut long = Vec::new();
    let mut is_fenced = false;
    for (line, number) in text.lines().zip(1..) {
        is_fenced ^= is_markdown && line.trim_start().starts_with("```");
        let may_be_long =
            is_fenced || line.trim_start().starts_with('|') || line.contains("](") || line.contains("://");
        if line.chars().count() > MAX_COLUMNS && !(is_markdown && may_be_long) {
            long.push(number);
        }
    }
    long
}

#[test]
fn lines_are_measured_outside_tables_links_and_fenced_blocks() {
    let long = "x".repeat(MAX_COLUMNS + 1);
    assert_eq!(long_lines(&format!("{long}\n| {long}\n"), false), [1, 2]);
    let page = format!("| {long}\n```\n{long}\n```\n[{long}](x)\n{long}\n");
    assert_eq!(long_lines(&page, true), [6]);
    assert!(long_lines(&"ä".repeat(MAX_COLUMNS), false).is_empty(), "columns, not bytes");
}

#[test]
fn lines_fit_a_window() {
    let mut found = Vec::new();
    for path in files("rs").into_iter().chain(files("md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let long = long_lines(&text, name.ends_with(".md"));
        if !long.is_empty() {
            found.push(format!("{name}: lines {long:?}"));
        }
    }
    assert!(found.is_empty(), "more than {MAX_COLUMNS} columns:\n{}", found.join("\n"));
}

/// Modules of the simulator that recheck the chain on their own, and the paths of `shared` that they may name: ids and
/// shapes of answers, but no rule.
const CHECKERS: [(&str, &[&str]); 6] = [
    ("checker.rs", &[]),
    ("ledger/mod.rs", &[]),
    ("ledger/coins.rs", &[]),
    ("uncovered.rs", &["block::BlockId", "ledger::TransactionId"]),
    ("inspector.rs", &["block::BlockHash", "block::BlockId", "block::Height"]),
    (
        "money_proof.rs",
        &[
            "block::BlockId",
            "block::Height",
            "chain::Tip",
            "ledger::TransactionId",
            "wire::MAX_UNPROCESSED",
            "wire::PoolOrder",
        ],
    ),
];

/// The paths below `shared::` in a piece of code, with braces taken apart.
fn shared_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for rest in code.split("shared::").skip(1) {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c))).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        match after.strip_prefix('{').and_then(|group| group.split('}').next()) {
            Some(group) => paths.extend(group.split(',').map(|name| format!("{path}{}", name.trim()))),
            None => paths.push(path.trim_end_matches(':').to_owned()),
        }
    }
    paths
}

#[test]
fn the_simulator_rechecks_without_the_rules_of_the_core() {
    assert_eq!(shared_paths("use shared::a::{B, C};\nshared::d::E::new()"), ["a::B", "a::C", "d::E::new"]);
    for (file, allowed) in CHECKERS {
        let text = std::fs::read_to_string(root().join("simulator/src").join(file)).unwrap();
        for path in shared_paths(&production_code(&text)) {
            assert!(allowed.contains(&path.as_str()), "simulator/src/{file} must not use shared::{path}");
        }
    }
}

#[test]
fn no_crate_borrows_the_tests_of_another() {
    for (path, text) in all_sources() {
        for line in text.lines().filter(|line| line.trim_start().starts_with(concat!("#[pa", "th"))) {
            assert!(line.contains("\"../common/"), "{}: {line}; move it to testkit or tests/common", path.display());
        }
    }
}
