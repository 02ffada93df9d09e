//! The program `simulator`: flags, configuration, and then [`simulator::run`]; its exit code says whether it went well.

use clap::Parser;
use runtime::exit::complain;
use runtime::{server, telemetry};
use simulator::OutputFormat;
use simulator::flags::{Args, Command};
use std::io::{ErrorKind, stdout};
use std::process::ExitCode;

/// What was asked for makes no sense.
const WRONG_USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = Args::parse();
    let report = match args.command.take() {
        Some(Command::Drive(args)) => {
            let look = OutputFormat::of_stdout(args.json);
            match begin(args.common.log_format).and_then(|()| args.options()) {
                Ok(options) => simulator::drive::drive(&options, look, stdout(), server::stop_on_signal()).await,
                Err(error) => return complain(error.as_ref(), ExitCode::from(WRONG_USAGE)),
            }
        }
        None => {
            let look = OutputFormat::of_stdout(args.json);
            match begin(args.common.log_format).and_then(|()| args.options()) {
                Ok(options) => simulator::run(&options, look, stdout(), server::stop_on_signal()).await,
                Err(error) => return complain(error.as_ref(), ExitCode::from(WRONG_USAGE)),
            }
        }
    };
    match report {
        Ok(report) if report.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Whoever read along has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => complain(error.as_ref(), ExitCode::FAILURE),
    }
}

/// The story is told on standard output; the services' own logs are for when something is wrong.
fn begin(format: telemetry::LogFormat) -> anyhow::Result<()> {
    Ok(telemetry::init_log_at(format, "warn")?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
