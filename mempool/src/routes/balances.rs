//! Balances of addresses.

use super::{holder, link, page_limit};
use crate::pool_state::PoolState;
use crate::state::{MempoolState, not_ready, store_problem};
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::block::Height;
use shared::layer::transaction::{account_balance, accounts, balance_at};
use shared::wire::{AddressBalance, Problem};
use std::sync::Arc;
use utoipa::IntoParams;

/// Balances of one answer unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 100;
/// Most balances of one answer.
const MAX_LIMIT: usize = 1000;
/// Longest prefix: the length of an address.
const MAX_PREFIX: usize = 63;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceQuery {
    /// The balance after the block with this many confirmations, 1 unless given; 0 counts what is pending.
    #[param(inline, nullable = false)]
    confirmations: Option<Number>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceByAddressQuery {
    #[param(pattern = "^lab1[02-9ac-hj-np-z]{59}$")]
    address: String,
    /// As for `GET /balance/{address}`.
    #[param(inline, nullable = false)]
    confirmations: Option<Number>,
}

pub(crate) async fn balance(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let BalanceQuery { confirmations } = request.query()?;
    let [of] = request.params()?;
    find_balance(&mempool, of, confirmations).await
}

pub(crate) async fn balance_by_query(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let BalanceByAddressQuery { address, confirmations } = request.query()?;
    find_balance(&mempool, &address, confirmations).await
}

async fn find_balance(mempool: &MempoolState, of: &str, confirmations: Option<Number>) -> Result<Response, Problem> {
    let of = holder(mempool.pool_state.params(), of)?;
    let confirmations = confirmations.map_or(1, |Number(confirmations)| confirmations);
    let read = move |pool_state: &PoolState| match confirmations {
        0 => pool_state
            .pool_and_snapshot(|pool, snapshot| {
                let confirmed = account_balance(snapshot.as_ref(), pool_state.params(), &of)?;
                Ok(pool.balance_with_pending(&of, confirmed))
            })
            .map_err(not_ready),
        1 => pool_state
            .snapshot()
            .map(|snapshot| account_balance(snapshot.as_ref(), pool_state.params(), &of))
            .map_err(not_ready),
        n => {
            let at = |height: Height| height.next().minus(n);
            pool_state
                .snapshot()
                .map(|snapshot| balance_at(snapshot.as_ref(), pool_state.params(), &of, at(snapshot.tip().index)))
                .map_err(not_ready)
        }
    };
    let balance = mempool
        .spawn_blocking(move |pool_state| read(pool_state)?.map_err(|error| store_problem(pool_state, &error)))
        .await?;
    Ok(reply::number(balance.grains()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalancesQuery {
    /// The beginning of the addresses, as in `lab1q`.
    #[serde(default)]
    #[param(pattern = "^[0-9A-Za-z]{0,63}$")]
    prefix: String,
    /// The first address, or its beginning.
    #[serde(default)]
    #[param(pattern = "^[0-9A-Za-z]{0,63}$")]
    from: String,
    /// Most balances, 100 unless given, at most 1000.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn balances(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let BalancesQuery { prefix, from, limit } = request.query()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    let (prefix, from): (Arc<str>, _) = (begin("prefix", &prefix)?.into(), begin("from", &from)?);
    let wanted = prefix.clone();
    // One more than is shown: the next page begins with it.
    let mut found = mempool.read(move |_, snapshot| accounts(snapshot, &wanted, &from, limit + 1)).await?;
    let next = found.get(limit).filter(|_| limit > 0).map(|next| next.address);
    found.truncate(limit);
    let entries = found.into_iter().map(|found| AddressBalance { address: found.address, balance: found.balance });
    let entries: Vec<_> = entries.collect();
    let next = next.map(|next| format!("/balances?prefix={prefix}&from={next}&limit={limit}"));
    Ok(link(reply::json(&entries)?, next))
}

/// Parses the beginning of an address, in upper or lower case.
fn begin(name: &str, text: &str) -> Result<String, Problem> {
    if text.len() > MAX_PREFIX || !text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Err(server::bad_request(format!("{name} {text:?}: expected the beginning of an address, as in lab1q")));
    }
    Ok(text.to_ascii_lowercase())
}
