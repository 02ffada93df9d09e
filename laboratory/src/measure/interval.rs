//! Confidence intervals: of a mean over independent runs, and of a rate of successes.

use crate::exact::{normal_quantile, student_quantile};
use serde::Serialize;

/// An estimate and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies inside, with a little room for rounding where the interval is a point.
    pub fn contains(&self, value: f64) -> bool {
        let room = 1e-12 * value.abs().max(1.0);
        self.low - room <= value && value <= self.high + room
    }

    /// The interval with this much more on either side.
    pub fn widened(&self, by: f64) -> Self {
        Self { estimate: self.estimate, low: self.low - by, high: self.high + by }
    }

    /// The interval moved up by this much.
    pub fn shifted(&self, by: f64) -> Self {
        Self { estimate: self.estimate + by, low: self.low + by, high: self.high + by }
    }

    /// Half of its width.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The standard error of the mean of `values`; `None` where fewer than two are there.
///
/// For values of one run that depend on one another, give the means of long batches of them: those are nearly
/// independent (batch means).
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some(libm::sqrt(squares / (count - 1.0) / count))
}

/// The interval around `estimate`, whose standard error was found from `batches` batch means.
pub fn batch_interval(estimate: f64, error: f64, batches: usize, confidence: f64) -> Interval {
    let reach = error * student_quantile(0.5 + confidence / 2.0, batches.max(2) as f64 - 1.0);
    Interval { estimate, low: estimate - reach, high: estimate + reach }
}

/// The mean of independent `values`, with Student's interval; `None` where fewer than two are there.
pub fn mean(values: &[f64], confidence: f64) -> Option<Interval> {
    let count = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let estimate = values.iter().sum::<f64>() / count;
    let error = standard_error(values)?;
    let reach = error * student_quantile(0.5 + confidence / 2.0, count - 1.0);
    Some(Interval { estimate, low: estimate - reach, high: estimate + reach })
}

/// The rate of `successes` among `trials`, with Wilson's interval; `None` where nothing was tried.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let (count, rate) = (trials as f64, successes as f64 / trials as f64);
    let z = normal_quantile(0.5 + confidence / 2.0);
    let scale = 1.0 + z * z / count;
    let center = (rate + z * z / (2.0 * count)) / scale;
    let reach = z / scale * libm::sqrt(rate * (1.0 - rate) / count + z * z / (4.0 * count * count));
    Some(Interval { estimate: rate, low: (center - reach).max(0.0), high: (center + reach).min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_a_mean_is_that_of_a_textbook() {
        // Mean 10, standard deviation 2, n = 5: 10 ± 2.776 × 2 / √5.
        let found = mean(&[8.0, 12.0, 8.0, 12.0, 10.0], 0.95).unwrap();
        assert!((found.estimate - 10.0).abs() < 1e-12 && (found.half_width() - 2.483).abs() < 1e-3, "{found:?}");
        assert_eq!(mean(&[1.0], 0.95), None);
    }

    #[test]
    fn wilsons_interval_stays_within_0_and_1() {
        // Newcombe, "Two-sided confidence intervals for the single proportion" (1998): 0 of 20 and 81 of 263.
        let none = wilson(0, 20, 0.95).unwrap();
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 1e-4, "{none:?}");
        let some = wilson(81, 263, 0.95).unwrap();
        assert!((some.low - 0.2553).abs() < 1e-4 && (some.high - 0.3662).abs() < 1e-4, "{some:?}");
        assert_eq!(wilson(0, 0, 0.95), None);
    }
}
