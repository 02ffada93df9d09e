//! The hash index of the best chain's newest blocks, until they are in the index on disk.
//!
//! Hashes are random, so writing them to the index block by block would touch a random page each; they gather here and
//! are flushed in bulk. Shared with readers, which look here first and in their snapshot next.

use crate::block::{BlockHash, Height};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Heights by hash. Clones share the content.
#[derive(Clone, Default)]
pub(super) struct UnflushedIndex(Arc<RwLock<Heights>>);

#[derive(Default)]
struct Heights {
    current: HashMap<BlockHash, Height>,
    /// The entries of the last flush, kept until the next one for readers with an older snapshot.
    previous: HashMap<BlockHash, Height>,
}

impl UnflushedIndex {
    pub(super) fn insert(&self, hash: BlockHash, height: Height) {
        self.write(|generations| generations.current.insert(hash, height));
    }

    pub(super) fn forget(&self, hash: &BlockHash) {
        self.write(|generations| {
            generations.current.remove(hash);
            generations.previous.remove(hash);
        });
    }

    pub(super) fn find(&self, hash: &BlockHash) -> Option<Height> {
        let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        generations.current.get(hash).or_else(|| generations.previous.get(hash)).copied()
    }

    /// The entries for the next flush.
    pub(super) fn rows(&self) -> Vec<(BlockHash, Height)> {
        let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut rows: Vec<_> = generations.current.iter().map(|(hash, height)| (*hash, *height)).collect();
        // In key order the store visits each page once.
        rows.sort_unstable();
        rows
    }

    pub(super) fn flushed(&self) {
        self.write(|generations| generations.previous = std::mem::take(&mut generations.current));
    }

    pub(super) fn clear(&self) {
        self.write(|generations| *generations = Heights::default());
    }

    fn write<T>(&self, change: impl FnOnce(&mut Heights) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}
