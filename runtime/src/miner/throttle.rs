//! Spreads a hash rate evenly over time, for all threads of a miner together.
//!
//! Pure arithmetic on the times that callers pass in; waiting is the worker's.

use shared::config::Hashrate;
use std::time::{Duration, Instant};

/// Duration of the hashing between two waits; bounds how much the throttle delays a find.
const STEP: Duration = Duration::from_millis(5);

/// Longest delay that is caught up; hashes beyond it, as after the machine slept, are not made up for.
pub(super) const CATCH_UP: Duration = Duration::from_millis(20);

/// The time at which the next hashes are due.
///
/// # Invariants
/// Within a duration `d` at most `rate · (d + CATCH_UP)` hashes and one batch begin.
#[derive(Debug)]
pub(super) struct Throttle {
    per_second: u64,
    due: Instant,
}

impl Throttle {
    /// `None` for an unlimited hash rate.
    pub(super) fn new(hashrate: Hashrate, now: Instant) -> Option<Self> {
        match hashrate {
            Hashrate::Unlimited => None,
            Hashrate::PerSecond(n) => Some(Self { per_second: n.max(1), due: now }),
        }
    }

    /// Hashes of one batch, at least 1.
    pub(super) fn batch(&self) -> u64 {
        let steps_per_second = Duration::from_secs(1).as_nanos() / STEP.as_nanos();
        (u128::from(self.per_second) / steps_per_second).clamp(1, u128::from(u64::MAX)) as u64
    }

    /// Reserves `count` hashes that begin now.
    ///
    /// # Errors
    /// The time to wait before the next try, if no hash may begin yet.
    pub(super) fn book(&mut self, now: Instant, count: u64) -> Result<(), Duration> {
        let early = self.due.saturating_duration_since(now);
        if !early.is_zero() {
            return Err(early);
        }
        let from = now.checked_sub(CATCH_UP).map_or(self.due, |earliest| self.due.max(earliest));
        let nanos = u128::from(count) * 1_000_000_000 / u128::from(self.per_second);
        self.due = from + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(per_second: u64, now: Instant) -> Throttle {
        Throttle::new(Hashrate::PerSecond(per_second), now).unwrap()
    }

    /// Hashes of a worker within `seconds`, if each of its waits takes `lateness` longer than required.
    fn booked(per_second: u64, lateness: Duration, seconds: u64) -> u64 {
        let begin = Instant::now();
        let end = begin + Duration::from_secs(seconds);
        let mut throttle = throttle(per_second, begin);
        let (mut now, mut hashes) = (begin, 0);
        while now < end {
            let batch = throttle.batch();
            match throttle.book(now, batch) {
                Ok(()) => hashes += batch,
                Err(wait) => now += wait + lateness,
            }
        }
        hashes
    }

    #[test]
    fn the_rate_is_kept_although_sleeps_are_late() {
        for per_second in [1, 3, 200, 100_000, 20_000_000] {
            for lateness in [Duration::ZERO, Duration::from_micros(60), Duration::from_millis(3)] {
                let hashes = booked(per_second, lateness, 20);
                let expected = per_second * 20;
                let slack = per_second / 40 + per_second / 200 + 1;
                assert!(hashes.abs_diff(expected) <= slack, "{hashes} at {per_second}/s, {lateness:?} late");
            }
        }
    }

    #[test]
    fn a_batch_is_short_so_that_a_block_is_found_in_time() {
        let now = Instant::now();
        assert_eq!(throttle(100_000, now).batch(), 500);
        assert_eq!(throttle(1, now).batch(), 1);
    }

    #[test]
    fn an_idle_time_is_not_caught_up() {
        let begin = Instant::now();
        let mut throttle = throttle(1000, begin);
        let later = begin + Duration::from_secs(3600);
        let mut hashes = 0;
        while throttle.book(later, 1).is_ok() {
            hashes += 1;
        }
        assert_eq!(hashes, 21);
    }

    #[test]
    fn an_unlimited_rate_has_no_throttle() {
        assert!(Throttle::new(Hashrate::Unlimited, Instant::now()).is_none());
    }
}
