//! Draws: yes or no with a probability, and waiting times.

use shared::random::Random;

/// A probability as a threshold for 64 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probability {
    threshold: u64,
    certain: bool,
}

impl Probability {
    /// The probability `value`; what lies outside of 0 to 1 is moved to the nearer end.
    pub fn new(value: f64) -> Self {
        // Scaling by a power of two is exact; the conversion saturates.
        Self { threshold: (value * 18_446_744_073_709_551_616.0) as u64, certain: value >= 1.0 }
    }

    /// Whether it happens this time. Always draws one number.
    #[inline]
    pub fn happens(self, random: &mut Random) -> bool {
        random.next_u64() < self.threshold || self.certain
    }
}

/// An exponentially distributed number with mean 1.
pub fn exponential(random: &mut Random) -> f64 {
    // The integer of 2^64ths becomes a floating-point number by one rounding, the same on every machine.
    random.exponential() as f64 / 18_446_744_073_709_551_616.0
}

/// An exponentially distributed time with this mean, rounded down to whole milliseconds.
pub fn exponential_ms(random: &mut Random, mean_ms: f64) -> u64 {
    (exponential(random) * mean_ms) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_never_and_always() {
        let mut random = Random::new(1);
        assert!((0..1000).all(|_| !Probability::new(0.0).happens(&mut random)));
        assert!((0..1000).all(|_| Probability::new(1.0).happens(&mut random)));
    }

    #[test]
    fn times_are_exponential() {
        let mut random = Random::new(3);
        let times: Vec<u64> = (0..100_000).map(|_| exponential_ms(&mut random, 1000.0)).collect();
        let mean = times.iter().sum::<u64>() as f64 / 100_000.0;
        // The standard error is 3.2; rounding down takes half a millisecond.
        assert!((mean - 999.5).abs() < 13.0, "{mean}");
        for (bound, expected) in [(105, 0.1), (693, 0.5), (2303, 0.9)] {
            let below = times.iter().filter(|&&time| time < bound).count() as f64 / 100_000.0;
            assert!((below - expected).abs() < 0.006, "{below} of the times are below {bound}");
        }
    }
}
