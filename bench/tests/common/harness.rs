//! Runs tests one after another, and reports those that passed, that failed, and that this machine cannot run.
//!
//! It understands the flags of the usual harness that people and `.ci/run` use: `--ignored`, `--include-ignored`,
//! `--list`, `--exact`, `--skip`, and names. Without `--ignored` or `--include-ignored` it ignores every test.

use futures_util::future::LocalBoxFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// Why a test was not run: what this machine lacks.
#[derive(Debug)]
pub(crate) struct NotRun(pub(crate) String);

/// How a test ends, unless it panics.
pub(crate) type Outcome = Result<(), NotRun>;

pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> LocalBoxFuture<'static, Outcome>,
}

/// The flags of the command line.
#[derive(Debug, Default)]
struct Options {
    runs: bool,
    lists: bool,
    is_exact: bool,
    names: Vec<String>,
    skipped: Vec<String>,
}

impl Options {
    fn of(mut args: impl Iterator<Item = String>) -> Self {
        let mut asked = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--ignored" | "--include-ignored" => asked.runs = true,
                "--list" => asked.lists = true,
                "--exact" => asked.is_exact = true,
                "--skip" => asked.skipped.extend(args.next()),
                // Flags that take a value.
                "--test-threads" | "--format" | "--color" | "-Z" => drop(args.next()),
                flag if flag.starts_with('-') => {}
                name => asked.names.push(name.to_owned()),
            }
        }
        asked
    }

    fn wants(&self, test: &str) -> bool {
        let is_meant = |name: &String| if self.is_exact { test == name } else { test.contains(name.as_str()) };
        (self.names.is_empty() || self.names.iter().any(is_meant)) && !self.skipped.iter().any(is_meant)
    }
}

/// Runs the selected tests. `ignored` is the reason why they are ignored by default; `leftovers` lists what a test has
/// not cleaned up.
pub(crate) fn main(tests: &[Test], ignored: &str, leftovers: fn() -> Vec<String>) -> ExitCode {
    let asked = Options::of(std::env::args().skip(1));
    let wanted: Vec<&Test> = tests.iter().filter(|test| asked.wants(test.name)).collect();
    if asked.lists {
        wanted.iter().for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", wanted.len());
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for test in &wanted {
        if !asked.runs {
            println!("test {} ... ignored, {ignored}", test.name);
            skipped += 1;
            continue;
        }
        println!("test {} ...", test.name);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| run(test, leftovers)));
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(Ok(())) => {
                println!("test {} ... ok, {seconds:.1} s", test.name);
                passed += 1;
            }
            Ok(Err(NotRun(reason))) => {
                println!("test {} ... ignored: not run, because {reason}", test.name);
                skipped += 1;
            }
            Err(_) => {
                println!("test {} ... FAILED, {seconds:.1} s", test.name);
                failed += 1;
            }
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    let others = tests.len() - wanted.len();
    println!("\ntest result: {result}. {passed} passed; {failed} failed; {skipped} ignored; {others} filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a test and checks that it has cleaned up. A signal ends it like a failure.
fn run(test: &Test, leftovers: fn() -> Vec<String>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let stop = runtime::server::stop_on_signal();
        tokio::select! {
            outcome = (test.run)() => outcome,
            () = stop.cancelled() => panic!("ended by a signal"),
        }
    });
    let left = leftovers();
    assert!(left.is_empty(), "left behind: {}", left.join(", "));
    outcome
}
