//! A bounded memory of what has been reported.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map that forgets its oldest entries.
#[derive(Debug, Clone)]
pub(super) struct Recent<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    capacity: usize,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), capacity }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the key is new.
    pub(super) fn insert(&mut self, key: K, value: V) -> bool {
        let is_new = self.entries.insert(key, value).is_none();
        if is_new {
            self.order.push_back(key);
            if self.order.len() > self.capacity {
                self.order.pop_front().map(|oldest| self.entries.remove(&oldest));
            }
        }
        is_new
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if !self.entries.contains_key(&key) {
            self.insert(key, V::default());
        }
        self.entries.entry(key).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut recent = Recent::new(2);
        assert!(recent.insert(1, ()) && !recent.insert(1, ()) && recent.insert(2, ()) && recent.insert(3, ()));
        assert_eq!((recent.entries.len(), recent.order.len()), (2, 2));
        assert!(recent.insert(1, ()), "it was forgotten");
    }
}
