//! Runs the tests one after the other. Unlike the usual harness it prints what a passing test counted, and tells a test
//! that was not run from one that passed.
//!
//! It understands the usual flags `--ignored`, `--include-ignored`, `--list`, `--exact`, `--skip`, and names.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

/// How a test ends, unless it panics: with what it counted, or with what this machine lacks.
pub(crate) type Outcome = Result<String, String>;

pub(crate) struct Test {
    pub(crate) name: &'static str,
    /// Runs only with `--ignored` or `--include-ignored`.
    pub(crate) is_long: bool,
    pub(crate) run: fn() -> Outcome,
}

#[derive(Default)]
struct Flags {
    only_long: bool,
    with_long: bool,
    lists: bool,
    is_exact: bool,
    names: Vec<String>,
    skipped: Vec<String>,
}

impl Flags {
    fn of(mut args: impl Iterator<Item = String>) -> Self {
        let mut flags = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--ignored" => flags.only_long = true,
                "--include-ignored" => flags.with_long = true,
                "--list" => flags.lists = true,
                "--exact" => flags.is_exact = true,
                "--skip" => flags.skipped.extend(args.next()),
                // Flags that take a value of their own.
                "--test-threads" | "--format" | "--color" | "-Z" => drop(args.next()),
                flag if flag.starts_with('-') => {}
                name => flags.names.push(name.to_owned()),
            }
        }
        flags
    }

    fn name(&self, test: &Test) -> bool {
        let is_meant =
            |name: &String| if self.is_exact { test.name == name } else { test.name.contains(name.as_str()) };
        (self.names.is_empty() || self.names.iter().any(is_meant)) && !self.skipped.iter().any(is_meant)
    }

    fn run(&self, test: &Test) -> bool {
        if test.is_long { self.only_long || self.with_long } else { !self.only_long }
    }
}

pub(crate) fn main(tests: &[Test]) -> ExitCode {
    let flags = Flags::of(std::env::args().skip(1));
    let named: Vec<&Test> = tests.iter().filter(|test| flags.name(test)).collect();
    if flags.lists {
        named.iter().for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", named.len());
    let (mut passed, mut failed, mut ignored) = (0, 0, 0);
    for test in &named {
        if !flags.run(test) {
            println!("test {} ... ignored", test.name);
            ignored += 1;
            continue;
        }
        let began = Instant::now();
        match catch_unwind(test.run) {
            Ok(Ok(counted)) => {
                println!("test {} ... ok, {counted}, {:.1} s", test.name, began.elapsed().as_secs_f64());
                passed += 1;
            }
            Ok(Err(missing)) => {
                println!("test {} ... ignored: not run, because {missing}", test.name);
                ignored += 1;
            }
            Err(_) => {
                println!("test {} ... FAILED", test.name);
                failed += 1;
            }
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    let others = tests.len() - named.len();
    println!("\ntest result: {result}. {passed} passed; {failed} failed; {ignored} ignored; {others} filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
