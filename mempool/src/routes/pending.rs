//! `GET /unprocessed`: what waits for a block.

use super::page_limit;
use crate::service::MempoolService;
use bytes::Bytes;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use runtime::server::{self, Request, Response, reply};
use serde::Deserialize;
use shared::ledger::{Transaction, json_of};
use shared::pool::{Pending, Pool};
use shared::wire::{MAX_UNPROCESSED, PoolOrder, Problem, UNPROCESSED_BYTES};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Transactions of one answer unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 1000;
/// Answers that are kept for who asks for the same.
const KEPT: usize = 4;
/// What makes an answer a long one, in bytes.
const LONG: usize = 256 << 10;
/// Most long answers that are sent at a time, and how long each may take.
const MAX_LONG_ANSWERS: usize = 64;
const LONG_WITHIN: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnprocessedQuery {
    limit: Option<String>,
    #[serde(default)]
    order: PoolOrder,
}

/// Pending transactions, at most 8 MiB of them; with `If-None-Match`, 304 while the pool is as it was.
#[utoipa::path(get, path = "/unprocessed", params(("limit" = Option<usize>, Query, description = "Most transactions, 1000 unless given, at most 10000"), ("order" = Option<PoolOrder>, Query, description = "`fee`: best fee per byte first, unless given; `age`: oldest first")), responses((status = 200, body = Vec<Transaction>), (status = 304, description = "The pool is as the ETag names it"), (status = 400, body = Problem)))]
pub(crate) async fn unprocessed(mempool: &MempoolService, request: &Request) -> Result<Response, Problem> {
    let UnprocessedQuery { limit, order } = request.query()?;
    let limit = page_limit(limit.as_deref(), DEFAULT_LIMIT, MAX_UNPROCESSED)?;
    let tag = |version: u64| format!("\"{:016x}-{version}\"", mempool.run);
    let now = tag(mempool.desk.pool(Pool::version));
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
    let current = mempool.desk.pool(Pool::version);
    let (version, json) = match mempool.list_cache.get(current, order, limit) {
        Some(json) => (current, json),
        None => {
            let cached = mempool.spawn_blocking(move |desk| {
                let (version, transactions) = desk.pool(read);
                Ok((version, Bytes::from(to_json(&transactions))))
            });
            let (version, json) = cached.await?;
            mempool.list_cache.put(version, order, limit, json.clone());
            (version, json)
        }
    };
    Ok(with_tag(mempool.list_cache.answer(json)?, &tag(version)))
}

/// The last answers, shared by all who ask for the same: many slow readers hold no more than a few of them.
pub(crate) struct ListCache {
    cached: Mutex<VecDeque<CachedList>>,
    /// Long answers that are being sent.
    places: Arc<Semaphore>,
}

struct CachedList {
    version: u64,
    order: PoolOrder,
    limit: usize,
    json: Bytes,
}

impl ListCache {
    pub(crate) fn new() -> Self {
        Self { cached: Mutex::default(), places: Arc::new(Semaphore::new(MAX_LONG_ANSWERS)) }
    }

    fn get(&self, version: u64, order: PoolOrder, limit: usize) -> Option<Bytes> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&CachedList| (one.version, one.order, one.limit) == (version, order, limit);
        cached.iter().find(same).map(|one| one.json.clone())
    }

    fn put(&self, version: u64, order: PoolOrder, limit: usize, json: Bytes) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.truncate(KEPT - 1);
        cached.push_front(CachedList { version, order, limit, json });
    }

    fn answer(&self, json: Bytes) -> Result<Response, Problem> {
        if json.len() <= LONG {
            return Ok(reply::json_bytes(json));
        }
        let busy = |_| server::unavailable("too many long answers are being sent; ask for fewer, or try again");
        let place = self.places.clone().try_acquire_owned().map_err(busy)?;
        let pieces = (0..json.len()).step_by(LONG).map(move |at| json.slice(at..json.len().min(at + LONG)));
        let pieces = futures_util::stream::iter(pieces.map(Ok::<_, Infallible>));
        Ok(reply::stream_in(place, LONG_WITHIN, "application/json", pieces))
    }
}

/// The first `limit` or 8 MiB of JSON, at least one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_the_same_shares_one_answer_and_only_the_last_are_kept() {
        let list_cache = ListCache::new();
        let json = Bytes::from_static(b"[1]");
        list_cache.put(7, PoolOrder::Fee, 10, json.clone());
        let shared = list_cache.get(7, PoolOrder::Fee, 10);
        assert_eq!(shared.map(|bytes| bytes.as_ptr()), Some(json.as_ptr()));
        for (version, order, limit) in [(8, PoolOrder::Fee, 10), (7, PoolOrder::Age, 10), (7, PoolOrder::Fee, 9)] {
            assert_eq!(list_cache.get(version, order, limit), None);
        }
        (0..KEPT).for_each(|limit| list_cache.put(8, PoolOrder::Age, limit, Bytes::new()));
        assert_eq!(list_cache.get(7, PoolOrder::Fee, 10), None);
    }

    #[test]
    fn only_so_many_long_answers_are_under_way() {
        let list_cache = ListCache::new();
        let long = Bytes::from(vec![b'x'; LONG + 1]);
        let answers: Vec<_> = (0..MAX_LONG_ANSWERS).map(|_| list_cache.answer(long.clone()).unwrap()).collect();
        assert_eq!(list_cache.answer(long.clone()).unwrap_err().status, 503);
        assert!(list_cache.answer(Bytes::from_static(b"[]")).is_ok(), "a short one is always sent");
        drop(answers);
        assert!(list_cache.answer(long).is_ok());
    }
}
