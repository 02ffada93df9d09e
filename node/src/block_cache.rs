//! Blocks as the JSON that was served last, by height: a popular block is read from disk once.

use bytes::Bytes;
use lru::LruCache;
use shared::block::Height;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

const CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);
/// Longer ones are not kept: with the capacity this bounds the memory to 32 MiB.
const MAX_BYTES: usize = 64 << 10;

/// JSON by height. A reorganisation makes every entry that is older than it void.
pub(crate) struct BlockCache(Mutex<LruCache<Height, Cached>>);

struct Cached {
    reorganisations: u64,
    json: Bytes,
}

impl BlockCache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    /// The block at `height`, if it was served since the last reorganisation.
    pub(crate) fn get(&self, height: Height, reorganisations: u64) -> Option<Bytes> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = blocks.get(&height).filter(|cached| cached.reorganisations == reorganisations);
        cached.map(|cached| cached.json.clone())
    }

    /// Keeps a block that was read after `reorganisations` was.
    pub(crate) fn put(&self, height: Height, reorganisations: u64, json: Bytes) {
        if json.len() <= MAX_BYTES {
            let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.put(height, Cached { reorganisations, json });
        }
    }
}
