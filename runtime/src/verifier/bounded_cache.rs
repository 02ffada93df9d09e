//! A map of bounded size that forgets the oldest, for many threads at once.
//!
//! Two generations instead of an order of use: a hit only reads, so that threads that find what they look for do not
//! wait for one another. It holds keys whole: what is remembered here decides what is valid.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{PoisonError, RwLock};

/// How many locks there are at most, so that threads seldom meet at one.
const MAX_SHARDS: usize = 64;

/// A bounded map; as a set where the values are `()`.
///
/// # Invariants
/// Never holds more than its capacity; holds what was inserted last, up to about half of it, surely.
pub(super) struct BoundedCache<K, V> {
    shards: Vec<RwLock<Generations<K, V>>>,
    /// The most keys of one generation of one shard.
    generation: usize,
    /// Keyed by chance, so that nobody can aim at one shard.
    hasher: RandomState,
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> BoundedCache<K, V> {
    /// A map of at most so many keys; with fewer than two it stays empty.
    pub(super) fn new(capacity: usize) -> Self {
        let shards = (capacity / 2).clamp(1, MAX_SHARDS);
        let empty = || RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() });
        Self {
            shards: std::iter::repeat_with(empty).take(shards).collect(),
            generation: capacity / 2 / shards,
            hasher: RandomState::new(),
        }
    }

    /// What is remembered of a key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        shard.young.get(key).or_else(|| shard.old.get(key)).cloned()
    }

    /// Remembers the key, and forgets the older generation when the younger one is full.
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

    /// How many keys it holds; one that is in both generations counts twice, as it does in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let shards = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner));
        shards.map(|shard| shard.young.len() + shard.old.len()).sum()
    }

    fn shard(&self, key: &K) -> &RwLock<Generations<K, V>> {
        // The remainder is below the number of shards, of which there is at least one.
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
