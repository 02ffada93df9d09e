//! A histogram of times: exact to the millisecond up to a minute, and one last bin for all that is longer.

use crate::kernel::mixed;
use serde::Serialize;

/// Bins of one millisecond.
const BINS: usize = 60_000;

/// How often each time occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Histogram {
    #[serde(skip)]
    bins: Vec<u32>,
    count: u64,
}

impl Histogram {
    /// Counts a time.
    #[inline]
    pub fn add(&mut self, ms: u64) {
        let bin = (ms as usize).min(BINS);
        if bin >= self.bins.len() {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += 1;
        self.count += 1;
    }

    /// How many times were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean of all times, those beyond a minute counted as a minute; `None` where none was counted.
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self.bins.iter().enumerate().map(|(ms, count)| ms as f64 * f64::from(*count)).sum();
        (self.count > 0).then(|| sum / self.count as f64)
    }

    /// The time that this share of all times does not exceed; `None` where none was counted.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.count as f64).max(1.0);
        let mut sum = 0.0;
        self.bins
            .iter()
            .position(|&count| {
                sum += f64::from(count);
                sum >= wanted
            })
            .map(|bin| bin as f64)
    }

    /// Names the histogram: equal ones have equal digests.
    pub fn digest(&self) -> u64 {
        self.bins.iter().fold(self.count, |digest, &count| mixed(digest, &[u64::from(count)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_up_to_a_minute() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for ms in (1..=100).chain([1_000_000]) {
            histogram.add(ms);
        }
        assert_eq!(histogram.count(), 101);
        assert_eq!([0.0, 0.5, 0.9, 1.0].map(|share| histogram.quantile(share)), [1.0, 51.0, 91.0, 60_000.0].map(Some));
    }
}
