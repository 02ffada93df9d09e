//! What addresses hold.

use super::{address, link, number, page_limit};
use crate::service::{MempoolService, not_ready, store_problem};
use runtime::server::{self, Request, Response, reply};
use serde::Deserialize;
use shared::block::Height;
use shared::layer::transaction::{account_balance, accounts, balance_at};
use shared::wire::{AddressBalance, Problem};
use std::sync::Arc;

/// Balances of one answer unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 100;
/// Most balances of one answer.
const MAX_LIMIT: usize = 1000;
/// The length of an address, and so of what begins one.
const MAX_PREFIX: usize = 63;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Depth {
    confirmations: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressAndDepth {
    address: String,
    confirmations: Option<String>,
}

/// What an address holds, in grains.
#[utoipa::path(get, path = "/balance/{address}", params(("address" = String, Path), ("confirmations" = Option<u64>, Query, description = "After block tip + 1 - n; 1 unless given; 0 counts what is pending")), responses((status = 200, body = u64), (status = 400, body = Problem)))]
pub(crate) async fn balance(mempool: &MempoolService, request: &Request, of: &str) -> Result<Response, Problem> {
    let Depth { confirmations } = request.query()?;
    answer(mempool, of, confirmations.as_deref()).await
}

/// The same as `GET /balance/{address}`.
#[utoipa::path(get, path = "/balance", params(("address" = String, Query), ("confirmations" = Option<u64>, Query)), responses((status = 200, body = u64), (status = 400, body = Problem)))]
pub(crate) async fn balance_by_query(mempool: &MempoolService, request: &Request) -> Result<Response, Problem> {
    let AddressAndDepth { address, confirmations } = request.query()?;
    answer(mempool, &address, confirmations.as_deref()).await
}

async fn answer(mempool: &MempoolService, of: &str, confirmations: Option<&str>) -> Result<Response, Problem> {
    let of = address(of)?;
    let confirmations = confirmations.map_or(Ok(1), |text| number("confirmations", text))?;
    let read = move |desk: &crate::desk::Desk| match confirmations {
        0 => desk
            .both(|pool, state| {
                let confirmed = account_balance(state.as_ref(), desk.params(), &of)?;
                Ok(pool.balance_with_pending(&of, confirmed))
            })
            .map_err(not_ready),
        1 => desk.state().map(|state| account_balance(state.as_ref(), desk.params(), &of)).map_err(not_ready),
        n => {
            let at = |height: Height| height.next().minus(n);
            desk.state()
                .map(|state| balance_at(state.as_ref(), desk.params(), &of, at(state.tip().index)))
                .map_err(not_ready)
        }
    };
    let balance = mempool.off_the_loop(move |desk| read(desk)?.map_err(|error| store_problem(&error))).await?;
    Ok(reply::number(balance.grains()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    from: String,
    limit: Option<String>,
}

/// What the addresses hold that begin with `prefix` and that the chain has paid or charged, ordered by address; `Link` names the next page.
#[utoipa::path(get, path = "/balances", params(("prefix" = Option<String>, Query), ("from" = Option<String>, Query, description = "An address to begin with"), ("limit" = Option<usize>, Query, description = "Most balances, 100 unless given, at most 1000")), responses((status = 200, body = Vec<AddressBalance>), (status = 400, body = Problem)))]
pub(crate) async fn balances(mempool: &MempoolService, request: &Request) -> Result<Response, Problem> {
    let Page { prefix, from, limit } = request.query()?;
    let limit = page_limit(limit.as_deref(), DEFAULT_LIMIT, MAX_LIMIT)?;
    let (prefix, from): (Arc<str>, _) = (begin("prefix", &prefix)?.into(), begin("from", &from)?);
    let wanted = prefix.clone();
    // One more than is shown: it says where the next page begins.
    let mut found = mempool.read(move |_, state| accounts(state, &wanted, &from, limit + 1)).await?;
    let next = found.get(limit).filter(|_| limit > 0).map(|next| next.address);
    found.truncate(limit);
    let entries = found.into_iter().map(|found| AddressBalance { address: found.address, balance: found.balance });
    let entries: Vec<_> = entries.collect();
    let next = next.map(|next| format!("/balances?prefix={prefix}&from={next}&limit={limit}"));
    Ok(link(reply::json(&entries)?, next))
}

/// The beginning of an address, in whichever case.
fn begin(name: &str, text: &str) -> Result<String, Problem> {
    if text.len() > MAX_PREFIX || !text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Err(server::bad_request(format!("{name} {text:?}: expected the beginning of an address, as in lab1q")));
    }
    Ok(text.to_ascii_lowercase())
}
