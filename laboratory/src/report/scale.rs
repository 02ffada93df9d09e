//! Scales: from numbers to pixels, with round numbers beside them.

/// A scale, linear or logarithmic.
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) is_log: bool,
}

impl Scale {
    /// A linear scale over all finite `values`. `round` widens it to round numbers.
    pub(super) fn new(values: impl Iterator<Item = f64>, from: f64, to: f64, round: bool) -> Option<Self> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let high = if high > low { high } else { low + 1.0 };
        let step = round_step(high - low);
        let (low, high) = if round { ((low / step).floor() * step, (high / step).ceil() * step) } else { (low, high) };
        Some(Self { low, high, step, from, to, is_log: false })
    }

    /// A scale over values in ascending order: logarithmic where a linear one would squeeze most of them.
    pub(super) fn over(values: &[f64], from: f64, to: f64) -> Option<Self> {
        let linear = Self::new(values.iter().copied(), from, to, false)?;
        let widest = values.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        let is_log = linear.low > 0.0 && linear.high / linear.low >= 100.0 && widest > (linear.high - linear.low) / 2.0;
        Some(Self { is_log, ..linear })
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let part = if self.is_log {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part * (self.to - self.from)
    }

    /// The multiples of the step that lie on the scale.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        // A little room, since a tenth is no binary number.
        let first = (self.low / self.step - 1e-9).ceil();
        let count = ((self.high / self.step + 1e-9).floor() - first).clamp(0.0, 20.0) as u32;
        (0..=count).map(move |tick| (first + f64::from(tick)) * self.step)
    }

    /// A tick as text, with as many digits as the step needs.
    pub(super) fn text(&self, tick: f64) -> String {
        let digits = (0..6).find(|&digits| {
            let scaled = self.step * 10_f64.powi(digits);
            (scaled - scaled.round()).abs() < 1e-6
        });
        format!("{tick:.*}", digits.unwrap_or(6) as usize)
    }
}

/// 1, 2 or 5 times a power of ten, so that at most six of them make up `range`.
fn round_step(range: f64) -> f64 {
    let mut power = 1e-9;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            let step = factor * power;
            if range / step <= 6.0 || power > 1e15 {
                return step;
            }
        }
        power *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        let spelt = |low, high| {
            let scale = Scale::new([low, high].into_iter(), 0.0, 100.0, true).unwrap();
            scale.ticks().map(|tick| scale.text(tick)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(spelt(0.0, 0.718), "0.0 0.2 0.4 0.6 0.8");
        assert_eq!(spelt(0.0, 1264.6), "0 500 1000 1500");
        assert_eq!(spelt(-0.003, 0.04), "-0.01 0.00 0.01 0.02 0.03 0.04");
        assert_eq!(spelt(5.0, 5.0), "5.0 5.2 5.4 5.6 5.8 6.0");
        assert!(Scale::new([f64::NAN].into_iter(), 0.0, 1.0, true).is_none());
    }

    #[test]
    fn values_that_a_linear_scale_would_squeeze_stand_on_a_logarithmic_one() {
        let places = |values: &[f64]| {
            let scale = Scale::over(values, 0.0, 100.0).unwrap();
            values.iter().map(|value| scale.at(*value).round()).collect::<Vec<_>>()
        };
        assert_eq!(places(&[1.0, 10.0, 100.0]), [0.0, 50.0, 100.0]);
        assert_eq!(places(&[1.0, 51.0, 101.0]), [0.0, 50.0, 100.0], "even as they are");
        assert_eq!(places(&[0.0, 1.0, 100.0]), [0.0, 1.0, 100.0], "zero has no logarithm");
        assert_eq!(places(&[10.0, 20.0, 50.0]), [0.0, 25.0, 100.0], "near one another");
    }
}
