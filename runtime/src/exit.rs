//! How programs end: with an exit code, after a failure also with one line that explains it.

use crate::sanitize;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// The exit code of a program that ends with `result`; prints its error.
pub fn code_of(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_error(error.as_ref(), ExitCode::FAILURE),
    }
}

/// Prints `error` and its causes to standard error on one line, leaving out causes that the text contains already, and
/// returns `code`.
pub fn report_error(error: &(dyn Error + 'static), code: ExitCode) -> ExitCode {
    let mut text = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    for cause in causes.map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    // A closed standard error is no reason to panic.
    let _ = writeln!(std::io::stderr(), "error: {}", sanitize::text(&text));
    code
}
