//! What a running service says is wrong with it, by the words of `/info`.

use runtime::sanitize;
use std::fmt;

/// Why a service that runs is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthProblem {
    /// No other node answers it.
    Alone,
    /// Others have more work, and it has not caught up.
    Behind,
    /// Its disk is full or fails.
    CannotStore,
    /// Its chain is ahead of its clock.
    WaitsForClock,
    /// A word of a newer version.
    Other(String),
}

impl HealthProblem {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "alone" => Self::Alone,
            "behind" => Self::Behind,
            "cannot-store" => Self::CannotStore,
            "waits-for-clock" => Self::WaitsForClock,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its word in JSON.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Behind => "behind",
            Self::CannotStore => "cannot-store",
            Self::WaitsForClock => "waits-for-clock",
            Self::Other(_) => "unwell",
        }
    }

    /// The exit code of a program that reports it.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Alone => 3,
            Self::Behind => 4,
            Self::CannotStore => 5,
            Self::WaitsForClock => 6,
            Self::Other(_) => 1,
        }
    }

    /// Which of several to report: one that a person must cure before one that may pass by itself.
    pub(crate) const fn severity(&self) -> u8 {
        match self {
            Self::Other(_) => 0,
            Self::Alone => 1,
            Self::Behind => 2,
            Self::WaitsForClock => 3,
            Self::CannotStore => 4,
        }
    }
}

impl fmt::Display for HealthProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone => f.write_str("it is alone: no other node answers it"),
            Self::Behind => f.write_str("it is behind: others have more work, and it has not caught up"),
            Self::CannotStore => f.write_str("it cannot store: its disk is full or fails"),
            Self::WaitsForClock => f.write_str("it waits for the clock: its chain is ahead of its clock"),
            Self::Other(word) => write!(f, "it reports: {}", sanitize::line(word)),
        }
    }
}
