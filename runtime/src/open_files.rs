//! The limit of open files: every connection is one, and the usual soft limit of 1024 (macOS: 256) is soon reached.
//!
//! The hard limit is a program's own to use, so a service raises the soft one to it. What needs more than that is
//! refused in words before it starts, instead of failing later in the middle of something.

use std::io;
use std::sync::OnceLock;

/// Most open files that are asked for, as a bound on tables that the kernel keeps for the process.
const WANTED: u64 = 65_536;

/// Fewer open files are allowed than are needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this needs about {needed} open files, and this machine allows a process {allowed}")]
pub struct TooFewFiles {
    /// How many are needed.
    pub needed: u64,
    /// The limit, which cannot be raised any further without the system's permission.
    pub allowed: u64,
}

/// Raises the soft limit as far as the hard limit allows, once in a process, and returns it.
pub fn raise_limit() -> u64 {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let raised = rlimit::increase_nofile_limit(WANTED).or_else(|error| {
            tracing::debug!(%error, "the limit of open files cannot be raised");
            current_limit()
        });
        // Where there is no such limit, as on Windows, any number is allowed.
        raised.unwrap_or(WANTED)
    })
}

#[cfg(unix)]
fn current_limit() -> io::Result<u64> {
    rlimit::Resource::NOFILE.get_soft()
}

#[cfg(not(unix))]
fn current_limit() -> io::Result<u64> {
    Ok(WANTED)
}

/// Checks that a process may have `needed` open files.
///
/// # Errors
/// If it may not, even after the soft limit was raised.
pub fn check_limit(needed: u64) -> Result<(), TooFewFiles> {
    match raise_limit() {
        allowed if allowed < needed => Err(TooFewFiles { needed, allowed }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_soft_limit_is_raised_and_more_than_the_hard_one_is_refused_in_words() {
        let raised = raise_limit();
        assert_eq!(raised, rlimit::Resource::NOFILE.get_soft().unwrap());
        assert_eq!(raised.min(WANTED), rlimit::Resource::NOFILE.get_hard().unwrap().min(WANTED));
        assert_eq!(check_limit(raised), Ok(()));
        let error = check_limit(u64::MAX).unwrap_err().to_string();
        assert!(error.contains(&raised.to_string()) && error.contains("open files"), "{error}");
    }
}
