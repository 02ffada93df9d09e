//! The program around the library: flags, files, threads, progress, printing.

mod args;
mod check;
mod folder;
mod freeze;
mod http;
mod list;
mod new;
mod print;
mod replay;
mod report;
mod reproduce;
mod run;

pub(crate) use args::Args;

use args::Command;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// How a command that did its work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// All expectations hold.
    Good,
    /// One does not.
    NotAsExpected,
}

/// A wrong scenario or flag: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Carries out the command.
pub(crate) fn run(args: Args) -> ExitCode {
    let ending = match args.command {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Check(args) => check::run(&args),
        Command::List(args) => list::run(&args),
        Command::New(args) => new::run(&args),
        Command::Reproduce(args) => reproduce::run(&args),
    };
    match ending {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::NotAsExpected) => ExitCode::FAILURE,
        // The reader of the output has ended, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error is no reason to panic.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
