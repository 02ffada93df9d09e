//! The program `simulator`: reads flags and configuration and calls [`simulator::run`] or [`simulator::drive`]. The
//! exit code says whether the run went well.

use runtime::exit::report_error;
use runtime::{server, telemetry};
use simulator::OutputFormat;
use simulator::flags::{Args, Command};
use std::io::{ErrorKind, stdout};
use std::process::ExitCode;

const WRONG_USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = runtime::flags::parse::<Args>();
    let report = match args.command.take() {
        Some(Command::Drive(args)) => {
            let format = OutputFormat::of_stdout(args.json);
            match start_log(args.common.log_format).and_then(|()| args.options()) {
                Ok(options) => simulator::drive::drive(&options, format, stdout(), server::stop_on_signal()).await,
                Err(error) => return report_error(error.as_ref(), ExitCode::from(WRONG_USAGE)),
            }
        }
        None => {
            let format = OutputFormat::of_stdout(args.json);
            match start_log(args.common.log_format).and_then(|()| args.options()) {
                Ok(options) => simulator::run(&options, format, stdout(), server::stop_on_signal()).await,
                Err(error) => return report_error(error.as_ref(), ExitCode::from(WRONG_USAGE)),
            }
        }
    };
    match report {
        Ok(report) if report.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // The reader of the output has ended, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => report_error(error.as_ref(), ExitCode::FAILURE),
    }
}

/// Standard output is for the narration, so the services log only warnings and errors.
fn start_log(format: telemetry::LogFormat) -> anyhow::Result<()> {
    Ok(telemetry::init_log_at(format, "warn")?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
