//! Counts hashes and computes the recent hash rate, without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const SLICE_MS: u64 = 500;
/// Complete slices that the recent rate covers.
const SLICES: u64 = 10;
/// One more for the slice that is being filled, and one for a thread that is late.
const SLOTS: u64 = SLICES + 2;
/// A slot holds the low 24 bits of its slice's number (97 days) above 40 bits of count (2 · 10^12 hashes a second).
const COUNT_BITS: u32 = 40;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A count of hashes over the last seconds.
#[derive(Debug)]
pub(super) struct HashMeter {
    begin: Instant,
    total: AtomicU64,
    slots: [AtomicU64; SLOTS as usize],
}

impl HashMeter {
    pub(super) fn new(begin: Instant) -> Self {
        Self { begin, total: AtomicU64::new(0), slots: Default::default() }
    }

    /// Adds `hashes` that were computed just before `now`.
    pub(super) fn add(&self, now: Instant, hashes: u64) {
        self.total.fetch_add(hashes, Relaxed);
        let slice = self.slice(now);
        let tag = tag(slice);
        let slot = &self.slots[(slice % SLOTS) as usize];
        let mut was = slot.load(Relaxed);
        loop {
            let count = if was & !COUNT_MASK == tag { was & COUNT_MASK } else { 0 };
            let to = tag | count.saturating_add(hashes).min(COUNT_MASK);
            match slot.compare_exchange_weak(was, to, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(now) => was = now,
            }
        }
    }

    /// Hashes since the start.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Hashes per second over the last 5 seconds, or since the start if that is less.
    pub(super) fn per_second(&self, now: Instant) -> u64 {
        let slice = self.slice(now);
        let since_begin = now.saturating_duration_since(self.begin);
        let ms = u64::try_from(since_begin.as_millis()).unwrap_or(u64::MAX);
        // The slice that is being filled counts with its elapsed part.
        let span_ms = (SLICES * SLICE_MS + ms % SLICE_MS).min(ms).max(1);
        let recent = slice.saturating_sub(SLICES)..=slice;
        let hashes: u64 = recent
            .map(|slice| {
                let slot = self.slots[(slice % SLOTS) as usize].load(Relaxed);
                if slot & !COUNT_MASK == tag(slice) { slot & COUNT_MASK } else { 0 }
            })
            .sum();
        hashes.saturating_mul(1000) / span_ms
    }

    fn slice(&self, now: Instant) -> u64 {
        let since: Duration = now.saturating_duration_since(self.begin);
        // From 1: the tag 0 of an empty slot belongs to no slice.
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX) / SLICE_MS + 1
    }
}

const fn tag(slice: u64) -> u64 {
    slice << COUNT_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_measured_and_forgotten_after_seconds() {
        let begin = Instant::now();
        let hash_meter = HashMeter::new(begin);
        let at = |ms| begin + Duration::from_millis(ms);
        assert_eq!(hash_meter.per_second(begin), 0);
        for ms in 0..20_000 {
            hash_meter.add(at(ms), 100);
            if [300, 999, 4999, 19_999].contains(&ms) {
                assert!(
                    hash_meter.per_second(at(ms)).abs_diff(100_000) < 1000,
                    "after {ms} ms: {}",
                    hash_meter.per_second(at(ms))
                );
            }
        }
        assert!(hash_meter.per_second(at(22_500)).abs_diff(50_000) < 6000);
        assert_eq!(hash_meter.per_second(at(26_000)), 0);
        assert_eq!(hash_meter.total(), 2_000_000);
    }

    #[test]
    fn threads_that_count_at_once_lose_nothing() {
        let begin = Instant::now();
        let hash_meter = HashMeter::new(begin);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| hash_meter.add(begin, 1)));
            }
        });
        assert_eq!(hash_meter.total(), 40_000);
        assert_eq!(hash_meter.per_second(begin + Duration::from_secs(1)), 40_000);
    }
}
