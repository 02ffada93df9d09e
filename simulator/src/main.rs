//! The program `simulator`: flags, configuration, and then [`simulator::run`]; its exit code says whether it went well.

use clap::Parser;
use runtime::{server, telemetry};
use simulator::Look;
use simulator::flags::Args;
use std::io::{ErrorKind, stdout};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    // The story is told on standard output; the services' own logs are for when something is wrong.
    telemetry::init_log_at(args.common.log_format, "warn")?;
    let look = Look::of_stdout(args.json);
    let options = args.options()?;
    match simulator::run(&options, look, stdout(), server::stop_on_signal()).await {
        Ok(report) if report.is_good() => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::FAILURE),
        // Whoever read along has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
