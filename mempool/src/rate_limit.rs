//! Limits the pushes of each source address by a token bucket, in a table of bounded size.

use runtime::server::Source;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Most source addresses with a bucket of their own.
const MAX_SOURCES: usize = 10_000;

#[derive(Debug)]
pub(crate) struct RateLimit {
    buckets: Mutex<HashMap<Source, Bucket>>,
    per_second: u64,
    burst: u64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// In thousandths of a push.
    level: u64,
    at_ms: u64,
}

impl RateLimit {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self { buckets: Mutex::default(), per_second: per_second.into(), burst: burst.into() }
    }

    /// Counts `pushes` pushes of `source`, and returns whether they are allowed. More than a burst counts as one.
    pub(crate) fn take(&self, source: Source, pushes: usize, now_ms: u64) -> bool {
        let full = self.burst * 1000;
        let level = |bucket: &Bucket| {
            let since = now_ms.saturating_sub(bucket.at_ms);
            bucket.level.saturating_add(since.saturating_mul(self.per_second)).min(full)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_SOURCES && !buckets.contains_key(&source) {
            // A source with a full bucket needs no entry.
            buckets.retain(|_, bucket| level(bucket) < full);
            if buckets.len() >= MAX_SOURCES {
                return false;
            }
        }
        let bucket = buckets.entry(source).or_insert(Bucket { level: full, at_ms: now_ms });
        let taken = (pushes as u64).saturating_mul(1000).min(full);
        let left = level(bucket).checked_sub(taken);
        *bucket = Bucket { level: left.unwrap_or_else(|| level(bucket)), at_ms: now_ms };
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn nth(number: u32) -> Source {
        Source::new(IpAddr::from(number.to_be_bytes()), IpAddr::from([127, 0, 0, 1]))
    }

    #[test]
    fn a_source_may_burst_and_then_keep_a_pace() {
        let rate_limit = RateLimit::new(2, 3);
        let at = |ms| rate_limit.take(nth(1), 1, ms);
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(499), at(500), at(500)], [false, true, false]);
        assert!(rate_limit.take(nth(2), 1, 500), "another source has its own bucket");
        assert_eq!([at(1_000_000); 1], [true]);
        assert_eq!([at(1_000_000), at(1_000_000), at(1_000_000)], [true, true, false], "no more than the burst");
    }

    #[test]
    fn a_push_may_count_as_several() {
        let rate_limit = RateLimit::new(1, 10);
        let take = |pushes, ms| rate_limit.take(nth(1), pushes, ms);
        assert_eq!([take(8, 0), take(3, 0), take(2, 0), take(0, 0)], [true, false, true, true]);
        assert_eq!([take(usize::MAX, 9_999), take(usize::MAX, 10_000)], [false, true], "a whole burst at the most");
    }

    #[test]
    fn the_table_is_bounded_and_drops_sources_that_have_paused() {
        let rate_limit = RateLimit::new(1, 1);
        assert!((0..MAX_SOURCES as u32).all(|n| rate_limit.take(nth(n), 1, 0)));
        assert!(!rate_limit.take(nth(1 << 30), 1, 0), "no room for another source");
        assert!(rate_limit.take(nth(1 << 30), 1, 1000), "the others' buckets are full again");
    }
}
