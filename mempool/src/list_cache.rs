//! Caches the JSON of the last answers of `/unprocessed`, and limits how many long ones are sent at a time.

use bytes::Bytes;
use runtime::server::{self, Response, reply};
use shared::wire::{PoolOrder, Problem};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Most lists in the cache.
const MAX_KEPT: usize = 4;
/// Answers above this length are sent in pieces, in bytes.
const LONG: usize = 256 << 10;
/// Most long answers that are sent at a time.
const MAX_LONG_ANSWERS: usize = 64;
/// How long a client may take to read a long answer.
const LONG_DEADLINE: Duration = Duration::from_secs(30);

/// The last lists, shared by all requests for the same one, so that many slow readers share a few copies.
pub(crate) struct ListCache {
    cached: Mutex<VecDeque<CachedList>>,
    /// Limits the long answers that are being sent.
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

    pub(crate) fn get(&self, version: u64, order: PoolOrder, limit: usize) -> Option<Bytes> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&CachedList| (one.version, one.order, one.limit) == (version, order, limit);
        cached.iter().find(same).map(|one| one.json.clone())
    }

    pub(crate) fn put(&self, version: u64, order: PoolOrder, limit: usize, json: Bytes) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.truncate(MAX_KEPT - 1);
        cached.push_front(CachedList { version, order, limit, json });
    }

    pub(crate) fn answer(&self, json: Bytes) -> Result<Response, Problem> {
        if json.len() <= LONG {
            return Ok(reply::json_bytes(json));
        }
        let busy = |_| server::unavailable("too many long answers are being sent; lower the limit, or try again");
        let place = self.places.clone().try_acquire_owned().map_err(busy)?;
        let pieces = (0..json.len()).step_by(LONG).map(move |at| json.slice(at..json.len().min(at + LONG)));
        let pieces = futures_util::stream::iter(pieces.map(Ok::<_, Infallible>));
        Ok(reply::stream_in(place, LONG_DEADLINE, "application/json", pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_for_the_same_list_share_it_and_only_the_last_lists_are_kept() {
        let list_cache = ListCache::new();
        let json = Bytes::from_static(b"[1]");
        list_cache.put(7, PoolOrder::Fee, 10, json.clone());
        let shared = list_cache.get(7, PoolOrder::Fee, 10);
        assert_eq!(shared.map(|bytes| bytes.as_ptr()), Some(json.as_ptr()));
        for (version, order, limit) in [(8, PoolOrder::Fee, 10), (7, PoolOrder::Age, 10), (7, PoolOrder::Fee, 9)] {
            assert_eq!(list_cache.get(version, order, limit), None);
        }
        (0..MAX_KEPT).for_each(|limit| list_cache.put(8, PoolOrder::Age, limit, Bytes::new()));
        assert_eq!(list_cache.get(7, PoolOrder::Fee, 10), None);
    }

    #[test]
    fn the_number_of_long_answers_at_a_time_is_bounded() {
        let list_cache = ListCache::new();
        let long = Bytes::from(vec![b'x'; LONG + 1]);
        let answers: Vec<_> = (0..MAX_LONG_ANSWERS).map(|_| list_cache.answer(long.clone()).unwrap()).collect();
        assert_eq!(list_cache.answer(long.clone()).unwrap_err().status, 503);
        assert!(list_cache.answer(Bytes::from_static(b"[]")).is_ok(), "a short answer is always sent");
        drop(answers);
        assert!(list_cache.answer(long).is_ok());
    }
}
