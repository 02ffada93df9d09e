//! The queue of events: in order of time, and of adding within a millisecond.

use std::collections::BTreeMap;

/// Events to come, and the current time.
#[derive(Debug)]
pub(super) struct Queue<E> {
    now_ms: u64,
    added: u64,
    events: BTreeMap<(u64, u64), E>,
}

impl<E> Queue<E> {
    pub(super) const fn new(now_ms: u64) -> Self {
        Self { now_ms, added: 0, events: BTreeMap::new() }
    }

    pub(super) const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Adds an event; a time that has passed means now.
    pub(super) fn add(&mut self, at_ms: u64, event: E) {
        self.added += 1;
        self.events.insert((at_ms.max(self.now_ms), self.added), event);
    }

    /// Takes the next event at or before `limit_ms`, and moves the time to it; without one, moves the time to the
    /// limit.
    pub(super) fn next(&mut self, limit_ms: u64) -> Option<E> {
        match self.events.first_entry() {
            Some(first) if first.key().0 <= limit_ms => {
                self.now_ms = first.key().0;
                Some(first.remove())
            }
            _ => {
                self.now_ms = self.now_ms.max(limit_ms);
                None
            }
        }
    }
}
