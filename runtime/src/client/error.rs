//! How a call can fail. The ways are kept apart because peers are judged by them: an unreachable peer has done nothing
//! wrong, one with an oversized or malformed answer has.

use shared::wire::Problem;
use std::error::Error as _;

/// Why a call returned no usable answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Connecting failed, or the connection broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The answer was not complete in time.
    #[error("too slow: the answer was not complete in time")]
    Slow,
    /// The answer is larger than the protocol allows.
    #[error("the answer is larger than the {limit} bytes allowed")]
    Oversized {
        /// The most bytes allowed.
        limit: usize,
    },
    /// The answer, or the address of the server, is not what the protocol demands.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The server refused the request.
    #[error(transparent)]
    Refused(Box<Problem>),
}

impl Error {
    /// The status of a refusal.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            _ => None,
        }
    }

    pub(super) fn of(error: &reqwest::Error) -> Self {
        // A timeout while connecting means unreachable, not slow.
        if error.is_connect() {
            return Self::Unreachable(root_cause(error));
        }
        if error.is_timeout() {
            return Self::Slow;
        }
        if error.is_builder() || causes(error).any(is_parse_error) {
            return Self::Malformed(root_cause(error));
        }
        Self::Unreachable(root_cause(error))
    }
}

fn is_parse_error(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

/// The text of the innermost cause; reqwest's own texts do not name it.
fn root_cause(error: &reqwest::Error) -> String {
    let cause = causes(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    // The resolver prints its query as a debug value.
    if cause.starts_with("no records found for Query") { "no host of this name is known".to_owned() } else { cause }
}
