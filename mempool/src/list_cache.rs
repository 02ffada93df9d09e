//! Caches the JSON of the last answers of `/unprocessed`.

use bytes::Bytes;
use shared::wire::PoolOrder;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most lists in the cache.
const MAX_KEPT: usize = 4;

/// The last lists, shared by all requests for the same one, so that many slow readers share a few copies.
pub(crate) struct ListCache {
    cached: Mutex<VecDeque<CachedList>>,
}

struct CachedList {
    version: u64,
    order: PoolOrder,
    limit: usize,
    json: Bytes,
}

impl ListCache {
    pub(crate) fn new() -> Self {
        Self { cached: Mutex::default() }
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
}
