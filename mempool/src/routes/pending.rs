//! `GET /unprocessed`: the pending transactions.

use super::page_limit;
use crate::state::MempoolState;
use bytes::Bytes;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use runtime::server::{Number, Request, Response, reply};
use serde::Deserialize;
use shared::ledger::{Transaction, json_of};
use shared::pool::{Pending, Pool};
use shared::wire::{MAX_UNPROCESSED, PoolOrder, Problem, UNPROCESSED_BYTES};
use std::sync::Arc;
use utoipa::IntoParams;

/// Transactions of one answer unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnprocessedQuery {
    /// Most transactions, 1000 unless given, at most 10000.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
    /// `fee`, the default: best fee per byte first; `age`: oldest first.
    #[serde(default)]
    #[param(inline)]
    order: PoolOrder,
}

pub(crate) async fn unprocessed(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let UnprocessedQuery { limit, order } = request.query()?;
    let limit = page_limit(limit, DEFAULT_LIMIT, MAX_UNPROCESSED);
    let tag = |version: u64| format!("\"{:016x}-{version}\"", mempool.run);
    let now = tag(mempool.pool_state.pool(Pool::version));
    if is_match(&request.headers, &now) {
        return Ok(with_tag(reply::whole(StatusCode::NOT_MODIFIED, "application/json", Default::default()), &now));
    }
    let read = move |pool: &Pool| {
        let transactions = match order {
            PoolOrder::Fee => choose(pool.by_fee(), limit),
            PoolOrder::Age => choose(pool.by_age(), limit),
        };
        (pool.version(), transactions)
    };
    let current = mempool.pool_state.pool(Pool::version);
    let (version, json) = match mempool.list_cache.get(current, order, limit) {
        Some(json) => (current, json),
        None => {
            let cached = mempool.spawn_blocking(move |pool_state| {
                let (version, transactions) = pool_state.pool(read);
                Ok((version, Bytes::from(to_json(&transactions))))
            });
            let (version, json) = cached.await?;
            mempool.list_cache.put(version, order, limit, json.clone());
            (version, json)
        }
    };
    Ok(with_tag(reply::json_bytes(json), &tag(version)))
}

/// The first `limit` transactions, in at most 8 MiB of JSON, at least one.
fn choose<'a>(pending: impl Iterator<Item = &'a Pending>, limit: usize) -> Vec<Arc<Transaction>> {
    let mut bytes = 0;
    let fits = |pending: &&Pending| {
        let is_first = bytes == 0;
        bytes += pending.bytes;
        is_first || bytes <= UNPROCESSED_BYTES
    };
    pending.take(limit).take_while(fits).map(|pending| pending.transaction.clone()).collect()
}

fn to_json(transactions: &[Arc<Transaction>]) -> String {
    let mut json = String::from("[");
    for (place, transaction) in transactions.iter().enumerate() {
        if place > 0 {
            json.push(',');
        }
        json.push_str(&json_of(transaction));
    }
    json + "]"
}

fn is_match(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn with_tag(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
