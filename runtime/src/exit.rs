//! How programs end: with an exit code, after a failure also with one line that explains it.

use crate::sanitize;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

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

static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Has [`at_once`] remove a temporary folder, whose owner does not get to do it then.
pub fn remove_at_once(folder: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
}

/// Ends the process without waiting for anything but the removal of its temporary folders.
pub fn at_once(code: i32) -> ! {
    for folder in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        // It may be gone already, and there is nobody left to tell.
        let _ = std::fs::remove_dir_all(folder);
    }
    std::process::exit(code)
}
