//! Whether a download makes so little progress that another one may start beside it.

use crate::work::Work;

/// Progress is measured over at least this time, milliseconds.
const PACE_MS: u64 = 500;
/// A download lags below this rate, in bytes a millisecond.
const PACE_BYTES_PER_MS: u64 = 32;
/// Bytes can be had for nothing, work cannot: a download is far from its peer's claim if the rest of the claimed work
/// would take longer than this, in milliseconds, …
const PATIENCE_MS: u64 = 60_000;
/// … at its rate so far, once it has run for this time.
const TRIAL_MS: u64 = 10_000;

pub(super) struct Pace {
    began_ms: u64,
    since_ms: u64,
    /// Since `since_ms`.
    bytes: u64,
    lags: bool,
    is_far_from_claim: bool,
}

impl Pace {
    pub(super) const fn new(now_ms: u64) -> Self {
        Self { began_ms: now_ms, since_ms: now_ms, bytes: 0, lags: false, is_far_from_claim: false }
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
            self.is_far_from_claim = age_ms >= TRIAL_MS && left.times(age_ms).0 > done.times(PATIENCE_MS).0;
            self.lags = self.bytes < PACE_BYTES_PER_MS * elapsed_ms;
            (self.since_ms, self.bytes) = (now_ms, 0);
        }
    }

    /// Whether too few bytes arrived when that was measured last.
    pub(super) const fn lags(&self) -> bool {
        self.lags
    }

    /// Whether it proves its peer's claim so slowly that the claim may be false. An honest chain may look so, too, if
    /// its early blocks have little work.
    pub(super) const fn is_far_from_claim(&self) -> bool {
        self.is_far_from_claim
    }

    /// Uptime at which it is measured next.
    pub(super) const fn next_measure_ms(&self) -> u64 {
        self.since_ms + PACE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a download is far from its claim after `seconds` in which `done` arrived, with `left` to come.
    fn is_far(seconds: u64, done: u128, left: u128) -> bool {
        let mut pace = Pace::new(5_000);
        pace.record_bytes(1_000_000_000);
        pace.measure(Work(done), Work(left), 5_000 + seconds * 1000);
        assert!(!pace.lags());
        pace.is_far_from_claim()
    }

    #[test]
    fn after_ten_seconds_the_claim_must_be_a_minute_away() {
        assert!(!is_far(9, 1, u128::MAX), "it may be a long chain");
        assert!(is_far(10, 1, u128::MAX) && is_far(10, 0, 1));
        assert!(!is_far(10, 1_000, 6_000) && is_far(10, 1_000, 6_001), "at the rate so far");
        assert!(!is_far(100, 1_000, 600) && is_far(100, 1_000, 601));
        assert!(!is_far(1_000, 1, 0), "all that it claims is proven");
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
