//! The JSON of the blocks that were served last, by height: a popular block is read from disk only once, and all who
//! read it at a time share its bytes.

use bytes::Bytes;
use lru::LruCache;
use shared::block::Height;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most bytes of JSON in the cache. One block may have half of them.
const MAX_BYTES: usize = 32 << 20;
/// What a block takes beside its JSON, in bytes.
const ENTRY_BYTES: usize = 256;

/// JSON by height. A reorganisation invalidates all older entries.
pub(crate) struct BlockCache(Mutex<Cache>);

struct Cache {
    blocks: LruCache<Height, Cached>,
    bytes: usize,
}

struct Cached {
    reorganisations: u64,
    json: Bytes,
}

impl BlockCache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Cache { blocks: LruCache::unbounded(), bytes: 0 }))
    }

    /// The block at `height`, if it was cached since the last reorganisation.
    pub(crate) fn get(&self, height: Height, reorganisations: u64) -> Option<Bytes> {
        let mut cache = self.cache();
        let cached = cache.blocks.get(&height).filter(|cached| cached.reorganisations == reorganisations);
        cached.map(|cached| cached.json.clone())
    }

    /// Caches a block that was read from the chain after the count `reorganisations`.
    pub(crate) fn put(&self, height: Height, reorganisations: u64, json: Bytes) {
        let bytes = json.len() + ENTRY_BYTES;
        if bytes > MAX_BYTES / 2 {
            return;
        }
        let mut cache = self.cache();
        cache.bytes += bytes;
        let replaced = cache.blocks.put(height, Cached { reorganisations, json });
        cache.forget(replaced.as_ref());
        while cache.bytes > MAX_BYTES {
            let Some((_, oldest)) = cache.blocks.pop_lru() else { break };
            cache.forget(Some(&oldest));
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn forget(&mut self, cached: Option<&Cached>) {
        self.bytes -= cached.map_or(0, |cached| cached.json.len() + ENTRY_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_one_block_share_its_bytes_until_a_reorganisation() {
        let cache = BlockCache::new();
        let long = Bytes::from(vec![b'x'; MAX_BYTES / 4]);
        cache.put(Height(1), 0, long.clone());
        let [first, second] = [(); 2].map(|()| cache.get(Height(1), 0).unwrap());
        assert_eq!((first.as_ptr(), second.as_ptr()), (long.as_ptr(), long.as_ptr()));
        assert_eq!(cache.get(Height(1), 1), None);
    }

    #[test]
    fn the_bytes_of_the_cache_are_bounded_whatever_the_blocks_are() {
        let cache = BlockCache::new();
        for height in 0..20 {
            cache.put(Height(height % 10), height / 10, Bytes::from(vec![b'x'; MAX_BYTES / 8]));
        }
        let held = cache.cache();
        let sum: usize = held.blocks.iter().map(|(_, cached)| cached.json.len() + ENTRY_BYTES).sum();
        assert_eq!((held.bytes, held.blocks.len()), (sum, 7));
        drop(held);
        assert!(cache.get(Height(9), 1).is_some() && cache.get(Height(0), 1).is_none());
        cache.put(Height(99), 1, Bytes::from(vec![b'x'; MAX_BYTES]));
        assert_eq!(cache.get(Height(99), 1), None, "one block does not push out all others");
    }
}
