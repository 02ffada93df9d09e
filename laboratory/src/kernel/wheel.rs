//! The queue of events: a wheel of ticks of one millisecond, first in, first out within a tick.
//!
//! Events within the next 16 seconds are in lists that share one arena, so that adding and taking one costs a few
//! writes and no comparison. Later events wait in a heap. Stretches without events are skipped at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Ticks of the wheel; a power of two.
const TICKS: u64 = 1 << 14;
/// The end of a list.
const NONE: u32 = u32::MAX;

/// Events and the current time, in milliseconds. An event is a number that only the model understands.
#[derive(Debug)]
pub struct Wheel {
    now_ms: u64,
    /// By tick: first and last event.
    lists: Vec<(u32, u32)>,
    /// Event and the next one of its list.
    arena: Vec<(u64, u32)>,
    free: u32,
    near: usize,
    far: BinaryHeap<Reverse<(u64, u64, u64)>>,
    added: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            now_ms: 0,
            lists: vec![(NONE, NONE); TICKS as usize],
            arena: Vec::new(),
            free: NONE,
            near: 0,
            far: BinaryHeap::new(),
            added: 0,
        }
    }
}

impl Wheel {
    /// The current time: that of the last event taken, or the limit up to which none was left.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.near + self.far.len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event; a time that has passed means now.
    pub fn add(&mut self, at_ms: u64, event: u64) {
        let at_ms = at_ms.max(self.now_ms);
        if at_ms - self.now_ms < TICKS {
            self.add_near(at_ms, event);
        } else {
            self.far.push(Reverse((at_ms, self.added, event)));
            self.added += 1;
        }
    }

    fn add_near(&mut self, at_ms: u64, event: u64) {
        let index = if self.free == NONE {
            self.arena.push((event, NONE));
            self.arena.len() as u32 - 1
        } else {
            let index = self.free;
            self.free = self.arena[index as usize].1;
            self.arena[index as usize] = (event, NONE);
            index
        };
        let list = &mut self.lists[(at_ms % TICKS) as usize];
        if list.0 == NONE {
            list.0 = index;
        } else {
            self.arena[list.1 as usize].1 = index;
        }
        list.1 = index;
        self.near += 1;
    }

    /// Takes the next event at or before `limit_ms` and moves the time to it. Without one, returns `None` and moves the
    /// time to `limit_ms`.
    pub fn next(&mut self, limit_ms: u64) -> Option<u64> {
        loop {
            let list = &mut self.lists[(self.now_ms % TICKS) as usize];
            if list.0 != NONE && self.now_ms <= limit_ms {
                let index = list.0;
                let (event, next) = self.arena[index as usize];
                list.0 = next;
                self.arena[index as usize].1 = self.free;
                self.free = index;
                self.near -= 1;
                return Some(event);
            }
            if self.now_ms >= limit_ms {
                return None;
            }
            self.now_ms = if self.near > 0 {
                self.now_ms + 1
            } else {
                // Nothing is near: to the first far event, or to the limit.
                self.far.peek().map_or(limit_ms, |Reverse((at_ms, ..))| limit_ms.min(*at_ms))
            };
            self.bring_near();
        }
    }

    /// Moves far events that have come near to their ticks, before anything new is added there.
    fn bring_near(&mut self) {
        while let Some(&Reverse((at_ms, _, event))) = self.far.peek() {
            if at_ms - self.now_ms >= TICKS {
                break;
            }
            self.far.pop();
            self.add_near(at_ms, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::random::Random;

    #[test]
    fn events_come_in_order_of_time_and_then_of_adding() {
        let mut random = Random::new(1);
        let mut wheel = Wheel::default();
        let mut expected: Vec<(u64, u64)> = Vec::new();
        let mut taken = Vec::new();
        for event in 0..20_000 {
            let at = wheel.now_ms() + random.below(if event % 7 == 0 { 60_000 } else { 500 });
            wheel.add(at, event);
            expected.push((at, event));
            if event % 3 == 0
                && let Some(event) = wheel.next(wheel.now_ms() + random.below(40))
            {
                taken.push((wheel.now_ms(), event));
            }
        }
        while let Some(event) = wheel.next(u64::MAX) {
            taken.push((wheel.now_ms(), event));
        }
        expected.sort_unstable();
        assert_eq!((taken, wheel.len()), (expected, 0));
    }

    #[test]
    fn without_events_time_goes_to_the_limit() {
        let mut wheel = Wheel::default();
        assert_eq!((wheel.next(1_000_000_000_000), wheel.now_ms()), (None, 1_000_000_000_000));
        wheel.add(5, 1);
        assert_eq!((wheel.next(0), wheel.now_ms()), (None, 1_000_000_000_000));
        assert_eq!(wheel.next(1_000_000_000_000), Some(1), "what is late comes now");
    }
}
