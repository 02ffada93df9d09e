//! The program `user`: parses flags and calls [`user::run`]. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

use runtime::{flags, telemetry};
use std::process::ExitCode;
use user::{Args, Console, Error};

#[tokio::main]
async fn main() -> ExitCode {
    let args = match flags::try_parse::<Args>() {
        Ok(args) => args,
        // With --json, a usage error is printed as JSON too; help and version never are.
        Err(error) if error.use_stderr() && std::env::args_os().any(|arg| arg == "--json") => {
            let words = error.to_string();
            let words = words.strip_prefix("error: ").unwrap_or(&words).trim_end();
            return end(&mut Console::for_process(true), &Error::Usage(words.to_owned()));
        }
        Err(error) => error.exit(),
    };
    let mut console = Console::for_process(args.json);
    if let Err(error) = telemetry::init_log_at(args.common.log_format, "warn") {
        return end(&mut console, &Error::Usage(error.to_string()));
    }
    match user::run(args, &mut console).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&mut console, &error),
    }
}

fn end(console: &mut Console, error: &Error) -> ExitCode {
    console.print_error(error);
    ExitCode::from(error.exit_code())
}
