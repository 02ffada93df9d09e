//! Virtual time: a queue of events ordered by (time, sequence), and what is drawn from the seed.
//!
//! Two runs from the same seed handle the same events in the same order; nothing here reads a clock, and all arithmetic
//! is on integers, so that a seed means the same run on every machine.

use shared::random::Random;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Events to come, and the time that the last one brought.
pub struct Kernel<E> {
    now_ms: u64,
    sequence: u64,
    handled: u64,
    queue: BTreeMap<(u64, u64), E>,
}

impl<E> Kernel<E> {
    pub fn new() -> Self {
        Self { now_ms: 0, sequence: 0, handled: 0, queue: BTreeMap::new() }
    }

    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// How many events there were so far.
    pub const fn handled(&self) -> u64 {
        self.handled
    }

    /// Lets `event` happen at `at_ms`, after everything else that happens then.
    pub fn at(&mut self, at_ms: u64, event: E) {
        self.sequence += 1;
        self.queue.insert((at_ms.max(self.now_ms), self.sequence), event);
    }

    pub fn after(&mut self, wait_ms: u64, event: E) {
        self.at(self.now_ms + wait_ms, event);
    }

    /// The next event until `end_ms`, if there is one; time moves on to it, or to the end.
    pub fn next_until(&mut self, end_ms: u64) -> Option<E> {
        match self.queue.first_entry() {
            Some(first) if first.key().0 <= end_ms => {
                self.now_ms = first.key().0;
                self.handled += 1;
                Some(first.remove())
            }
            _ => {
                self.now_ms = self.now_ms.max(end_ms);
                None
            }
        }
    }
}

/// A number in `range`.
pub fn between(random: &mut Random, range: &RangeInclusive<u64>) -> u64 {
    range.start() + random.below(range.end() - range.start() + 1)
}

/// True in `percent` of 100 cases.
pub const fn percent(random: &mut Random, percent: u64) -> bool {
    random.below(100) < percent
}

/// An exponential waiting time with this mean, by von Neumann's method of falling runs: no floating point.
pub const fn wait_ms(random: &mut Random, mean_ms: u64) -> u64 {
    let mut whole = 0;
    loop {
        let first = random.next_u64();
        let (mut last, mut run) = (first, 1);
        loop {
            let next = random.next_u64();
            if next >= last {
                break;
            }
            last = next;
            run += 1;
        }
        if run % 2 == 1 {
            let part = ((first as u128 * mean_ms as u128) >> 64) as u64;
            return whole * mean_ms + part;
        }
        whole += 1;
    }
}

#[test]
fn waiting_times_have_the_mean_that_was_asked_for() {
    let mut random = Random::new(1);
    let mean = (0..20_000).map(|_| wait_ms(&mut random, 1000)).sum::<u64>() / 20_000;
    assert!((950..1050).contains(&mean), "{mean}");
}

#[test]
fn events_of_the_same_moment_keep_their_order() {
    let mut kernel = Kernel::new();
    for (at, name) in [(5, "b"), (5, "c"), (1, "a"), (9, "d")] {
        kernel.at(at, name);
    }
    let order: Vec<_> = std::iter::from_fn(|| kernel.next_until(5)).collect();
    assert_eq!((order, kernel.now_ms()), (vec!["a", "b", "c"], 5));
}
