//! The JSON of the blocks that were served last, by height, so that a popular block is read from disk only once.

use bytes::Bytes;
use lru::LruCache;
use shared::block::Height;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

const CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);
/// Longer blocks are not cached: with the capacity, this bounds the memory to 32 MiB.
const MAX_BYTES: usize = 64 << 10;

/// JSON by height. A reorganisation invalidates all older entries.
pub(crate) struct BlockCache(Mutex<LruCache<Height, Cached>>);

struct Cached {
    reorganisations: u64,
    json: Bytes,
}

impl BlockCache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    /// The block at `height`, if it was cached since the last reorganisation.
    pub(crate) fn get(&self, height: Height, reorganisations: u64) -> Option<Bytes> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = blocks.get(&height).filter(|cached| cached.reorganisations == reorganisations);
        cached.map(|cached| cached.json.clone())
    }

    /// Caches a block that was read from the chain after the count `reorganisations`.
    pub(crate) fn put(&self, height: Height, reorganisations: u64, json: Bytes) {
        if json.len() <= MAX_BYTES {
            let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.put(height, Cached { reorganisations, json });
        }
    }
}
