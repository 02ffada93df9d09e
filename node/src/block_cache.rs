//! The JSON of the blocks that were served last: a popular block is read from disk only once, and all who read it at a
//! time share its bytes.

use bytes::Bytes;
use lru::LruCache;
use shared::block::{BlockHash, Height};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most bytes of JSON in the cache. One block may have half of them.
const MAX_BYTES: usize = 32 << 20;
/// What a block takes beside its JSON, in bytes.
const ENTRY_BYTES: usize = 256;

/// What a reader names a block by. Whatever it names once, it names for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BlockKey {
    /// The best chain's block at a height, after a number of reorganisations.
    Best { height: Height, reorganisations: u64 },
    /// On any branch.
    Hash(BlockHash),
}

/// JSON of blocks.
pub(crate) struct BlockCache(Mutex<Cache>);

struct Cache {
    blocks: LruCache<BlockKey, Bytes>,
    bytes: usize,
}

impl BlockCache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Cache { blocks: LruCache::unbounded(), bytes: 0 }))
    }

    /// The JSON of a block, if it is cached.
    pub(crate) fn get(&self, key: BlockKey) -> Option<Bytes> {
        self.cache().blocks.get(&key).cloned()
    }

    /// Caches the JSON of a block.
    pub(crate) fn put(&self, key: BlockKey, json: Bytes) {
        let bytes = json.len() + ENTRY_BYTES;
        if bytes > MAX_BYTES / 2 {
            return;
        }
        let mut cache = self.cache();
        cache.bytes += bytes;
        let replaced = cache.blocks.put(key, json);
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
    fn forget(&mut self, json: Option<&Bytes>) {
        self.bytes -= json.map_or(0, |json| json.len() + ENTRY_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn best(height: u64, reorganisations: u64) -> BlockKey {
        BlockKey::Best { height: Height(height), reorganisations }
    }

    #[test]
    fn readers_of_one_block_share_its_bytes_until_a_reorganisation() {
        let cache = BlockCache::new();
        let long = Bytes::from(vec![b'x'; MAX_BYTES / 4]);
        cache.put(best(1, 0), long.clone());
        let [first, second] = [(); 2].map(|()| cache.get(best(1, 0)).unwrap());
        assert_eq!((first.as_ptr(), second.as_ptr()), (long.as_ptr(), long.as_ptr()));
        assert_eq!(cache.get(best(1, 1)), None);
    }

    #[test]
    fn the_bytes_of_the_cache_are_bounded_whatever_the_blocks_are() {
        let cache = BlockCache::new();
        for height in 0..20 {
            cache.put(best(height % 10, height / 10), Bytes::from(vec![b'x'; MAX_BYTES / 8]));
        }
        let held = cache.cache();
        let sum: usize = held.blocks.iter().map(|(_, json)| json.len() + ENTRY_BYTES).sum();
        assert_eq!((held.bytes, held.blocks.len()), (sum, 7));
        drop(held);
        assert!(cache.get(best(9, 1)).is_some() && cache.get(best(0, 1)).is_none());
        cache.put(best(99, 1), Bytes::from(vec![b'x'; MAX_BYTES]));
        assert_eq!(cache.get(best(99, 1)), None, "one block does not push out all others");
    }
}
