//! A map of bounded size for many threads, which forgets its oldest keys.
//!
//! It keeps two generations instead of an order of use, so that a hit only takes a read lock. It stores whole keys, not
//! hashes of them: a collision would make an invalid signature valid.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{PoisonError, RwLock};

/// Most locks; with many of them, threads seldom wait for the same one.
const MAX_SHARDS: usize = 64;

/// A bounded map; with values `()` a set.
///
/// # Invariants
/// Never holds more keys than its capacity, and always the last inserted ones up to about half of it.
pub(super) struct BoundedCache<K, V> {
    shards: Vec<RwLock<Generations<K, V>>>,
    /// Most keys in one generation of one shard.
    generation: usize,
    /// Randomly keyed, so that an attacker cannot aim at one shard.
    hasher: RandomState,
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> BoundedCache<K, V> {
    /// A map of at most `capacity` keys; it stays empty if that is less than two.
    pub(super) fn new(capacity: usize) -> Self {
        let shards = (capacity / 2).clamp(1, MAX_SHARDS);
        let empty = || RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() });
        Self {
            shards: std::iter::repeat_with(empty).take(shards).collect(),
            generation: capacity / 2 / shards,
            hasher: RandomState::new(),
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        shard.young.get(key).or_else(|| shard.old.get(key)).cloned()
    }

    /// Inserts a key, and drops the older generation if the younger one is full.
    pub(super) fn insert(&self, key: K, value: V) {
        let mut shard = self.shard(&key).write().unwrap_or_else(PoisonError::into_inner);
        if self.generation == 0 {
            return;
        }
        if shard.young.len() >= self.generation {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(key, value);
    }

    /// The number of stored keys; a key in both generations counts twice, as it does in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let shards = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner));
        shards.map(|shard| shard.young.len() + shard.old.len()).sum()
    }

    fn shard(&self, key: &K) -> &RwLock<Generations<K, V>> {
        // In bounds, since there is at least one shard.
        &self.shards[self.hasher.hash_one(key) as usize % self.shards.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        for capacity in [0, 1, 2, 3, 7, 100, 1000] {
            let set = BoundedCache::new(capacity);
            for key in 0..5000_u32 {
                set.insert(key, ());
                assert!(set.len() <= capacity, "{} of {capacity}", set.len());
                assert_eq!(set.get(&key).is_some(), capacity > 1, "{key} with capacity {capacity}");
            }
            assert!(set.get(&0).is_none(), "the oldest of 5000 is still there with capacity {capacity}");
        }
    }

    #[test]
    fn a_generation_lives_until_the_next_is_full() {
        let set = BoundedCache::new(2);
        assert_eq!(set.shards.len(), 1);
        set.insert(1, 'a');
        set.insert(2, 'b');
        assert_eq!((set.get(&1), set.get(&2)), (Some('a'), Some('b')));
        set.insert(3, 'c');
        assert_eq!((set.get(&1), set.get(&2), set.get(&3)), (None, Some('b'), Some('c')));
    }
}
