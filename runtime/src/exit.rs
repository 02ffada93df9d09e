//! How programs end: with a code, and if something went wrong with one line that says what.

use crate::sanitize;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// Prints `error` on one line, without the causes that it has told already, and answers `code`.
pub fn report_error(error: &(dyn Error + 'static), code: ExitCode) -> ExitCode {
    let mut text = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    for cause in causes.map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    // Nobody reading it is no reason to panic.
    let _ = writeln!(std::io::stderr(), "error: {}", sanitize::text(&text));
    code
}
