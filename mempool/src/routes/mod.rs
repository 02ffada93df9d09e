//! The handlers, by subject, and the parsers of paths and queries that they share.

pub(crate) mod balances;
pub(crate) mod history;
pub(crate) mod pending;
pub(crate) mod transactions;

use http::HeaderValue;
use http::header::LINK;
use runtime::server::{self, Response};
use shared::json::MAX_INTEGER;
use shared::ledger::{Address, TransactionId};
use shared::wire::Problem;

/// Parses an address in a path or query, in upper or lower case.
fn address(text: &str) -> Result<Address, Problem> {
    let read = text.to_ascii_lowercase().parse();
    read.map_err(|error| server::bad_request(format!("address {text:?}: {error}")))
}

/// Parses a transaction's id in a path or query, in upper or lower case.
fn id(text: &str) -> Result<TransactionId, Problem> {
    let read = text.to_ascii_lowercase().parse();
    read.map_err(|error| server::bad_request(format!("transaction {text:?}: {error}")))
}

/// Parses a number in a query: digits, at most 2^53 - 1.
fn number(name: &str, text: &str) -> Result<u64, Problem> {
    let is_number = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten().filter(|number| *number <= MAX_INTEGER);
    number.ok_or_else(|| server::bad_request(format!("{name} {text:?}: expected digits, at most {MAX_INTEGER}")))
}

/// The number of entries on a page: the requested one, at most `max`.
fn page_limit(requested: Option<&str>, default: usize, max: usize) -> Result<usize, Problem> {
    let requested = requested.map(|text| number("limit", text)).transpose()?;
    Ok(requested.map_or(default, |requested| usize::try_from(requested).unwrap_or(max).min(max)))
}

/// Adds the header `Link` with the next page.
fn link(mut response: Response, target: Option<String>) -> Response {
    let value = target.and_then(|target| HeaderValue::from_str(&format!("<{target}>; rel=\"next\"")).ok());
    if let Some(value) = value {
        response.headers_mut().insert(LINK, value);
    }
    response
}
