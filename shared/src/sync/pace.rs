//! Whether a download makes so little progress that another one may start beside it.

use crate::work::Work;

/// Progress is measured over at least this time, milliseconds.
const PACE_MS: u64 = 500;
/// A download lags below this rate, in bytes a millisecond.
const PACE_BYTES_PER_MS: u64 = 32;
/// Bytes can be had for nothing, work cannot: a download also lags if the rest of the work that its peer claims would
/// take longer than this, in milliseconds, …
const PATIENCE_MS: u64 = 60_000;
/// … at its rate so far, once it has run for this time.
const TRIAL_MS: u64 = 10_000;

pub(super) struct Pace {
    began_ms: u64,
    since_ms: u64,
    /// Since `since_ms`.
    bytes: u64,
    lags: bool,
}

impl Pace {
    pub(super) const fn new(now_ms: u64) -> Self {
        Self { began_ms: now_ms, since_ms: now_ms, bytes: 0, lags: false }
    }

    /// Bytes of headers or blocks have arrived.
    pub(super) const fn record_bytes(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Measures the progress, if that is due: `done` is the work of its headers so far, `left` what its peer claims
    /// besides.
    pub(super) const fn measure(&mut self, done: Work, left: Work, now_ms: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.since_ms);
        if elapsed_ms >= PACE_MS {
            let age_ms = now_ms.saturating_sub(self.began_ms);
            let is_far_from_claim = age_ms >= TRIAL_MS && left.times(age_ms).0 > done.times(PATIENCE_MS).0;
            self.lags = self.bytes < PACE_BYTES_PER_MS * elapsed_ms || is_far_from_claim;
            (self.since_ms, self.bytes) = (now_ms, 0);
        }
    }

    /// Whether it made too little progress when it was measured last.
    pub(super) const fn lags(&self) -> bool {
        self.lags
    }

    /// Uptime at which it is measured next.
    pub(super) const fn next_measure_ms(&self) -> u64 {
        self.since_ms + PACE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a download lags after `seconds` in which 1 MB and `done` arrived, with `left` to come.
    fn lags(seconds: u64, done: u128, left: u128) -> bool {
        let mut pace = Pace::new(5_000);
        pace.measure(Work(0), Work(1), 5_000 + seconds * 1000 - 500);
        pace.record_bytes(1_000_000);
        pace.measure(Work(done), Work(left), 5_000 + seconds * 1000);
        pace.lags()
    }

    #[test]
    fn bytes_make_a_pace_for_ten_seconds_and_work_after_that() {
        assert!(!lags(9, 1, u128::MAX), "it may be a long chain");
        assert!(lags(10, 1, u128::MAX) && lags(10, 0, 1));
        assert!(!lags(10, 1_000, 6_000) && lags(10, 1_000, 6_001), "a minute away at this rate");
        assert!(!lags(100, 1_000, 600) && lags(100, 1_000, 601));
        assert!(!lags(1_000, 1, 0), "all that it claims is proven");
    }

    #[test]
    fn a_download_without_bytes_lags() {
        let mut pace = Pace::new(0);
        pace.record_bytes(31_999);
        pace.measure(Work(1), Work(1), 499);
        assert!(!pace.lags(), "too early to say");
        pace.measure(Work(1), Work(1), 1_000);
        assert!(pace.lags() && pace.next_measure_ms() == 1_500);
        pace.record_bytes(16_000);
        pace.measure(Work(1), Work(1), 1_500);
        assert!(!pace.lags());
    }
}
