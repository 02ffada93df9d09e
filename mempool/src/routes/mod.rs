//! The handlers, by subject, and the parsers of paths and queries that they share.

pub(crate) mod balances;
pub(crate) mod calls;
pub(crate) mod coins;
pub(crate) mod history;
pub(crate) mod pending;
pub(crate) mod programs;
pub(crate) mod rpc;
pub(crate) mod summaries;
pub(crate) mod transactions;

use crate::pool_state::PoolState;
use http::HeaderValue;
use http::header::LINK;
use runtime::server::{self, Number, Response};
use shared::ledger::{Address, BadAddress, TransactionId};
use shared::params::Params;
use shared::wire::Problem;

/// Parses an address in a path or query, in upper or lower case.
fn address(text: &str) -> Result<Address, Problem> {
    let read = text.to_ascii_lowercase().parse();
    read.map_err(|error| server::bad_request(format!("address {text:?}: {error}")))
}

/// The same, for an address that holds money on this network: only layer `program` has addresses that are not keys'.
fn holder(params: &Params, text: &str) -> Result<Address, Problem> {
    let address = address(text)?;
    if address.is_key() || params.layer.has_programs() {
        return Ok(address);
    }
    Err(server::bad_request(format!("address {text:?}: {}", BadAddress::NotAKey)))
}

/// The refusal of a question about what a transaction's call did.
fn no_call(pool_state: &PoolState, id: &TransactionId) -> Problem {
    if pool_state.pool(|pool| pool.get(id).is_some()) {
        let detail =
            format!("transaction {id} is pending: no block has it, so it has not run; ask again once one does");
        return server::not_found(detail);
    }
    server::not_found(format!("transaction {id} is not in the chain, or called no program"))
}

/// Parses a transaction's id in a path or query, in upper or lower case.
fn id(text: &str) -> Result<TransactionId, Problem> {
    let read = text.to_ascii_lowercase().parse();
    read.map_err(|error| server::bad_request(format!("transaction {text:?}: {error}")))
}

/// The number of entries on a page: the requested one, at most `max`.
fn page_limit(requested: Option<Number>, default: usize, max: usize) -> usize {
    requested.map_or(default, |Number(requested)| usize::try_from(requested).unwrap_or(max).min(max))
}

/// Adds the header `Link` with the next page.
fn link(mut response: Response, target: Option<String>) -> Response {
    let value = target.and_then(|target| HeaderValue::from_str(&format!("<{target}>; rel=\"next\"")).ok());
    if let Some(value) = value {
        response.headers_mut().insert(LINK, value);
    }
    response
}
