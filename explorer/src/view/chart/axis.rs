//! Axes: from where to where, and where their round ticks are.

use shared::block::Timestamp;
use std::ops::Range;

/// The approximate number of ticks of an axis.
const TICKS: f64 = 5.0;
const MINUTE_MS: f64 = 60_000.0;
const DAY_MS: f64 = 86_400_000.0;
/// Round times, in seconds.
const CLOCK_STEPS: [f64; 16] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0, 43_200.0];

#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    low: f64,
    high: f64,
    least_step: f64,
    round_step: fn(f64) -> f64,
    write: fn(f64) -> String,
}

impl Axis {
    /// From 0 to a round number that is not below `highest`.
    pub(crate) fn from_zero(label: &'static str, highest: f64, write: fn(f64) -> String) -> Self {
        let step = round_step(highest.max(0.0));
        let high = (highest / step).ceil().max(1.0) * step;
        Self { label, low: 0.0, high, least_step: 0.0, round_step, write }
    }

    /// Exactly from `low` to `high`.
    pub(crate) fn between(label: &'static str, low: f64, high: f64, write: fn(f64) -> String) -> Self {
        Self { label, low, high: if high > low { high } else { low + 1.0 }, least_step: 0.0, round_step, write }
    }

    /// A part of time, in milliseconds since 1970, with ticks at round times of the day in UTC.
    pub(crate) fn clock(from_ms: f64, to_ms: f64) -> Self {
        let write = match clock_step(to_ms - from_ms) {
            step if step < MINUTE_MS => |ms| time_text(ms, 11..19),
            step if step >= DAY_MS => |ms| time_text(ms, 5..10),
            _ if to_ms - from_ms > DAY_MS => |ms| time_text(ms, 5..16).replace('T', " "),
            _ => |ms| time_text(ms, 11..16),
        };
        Self { round_step: clock_step, ..Self::between("time (UTC)", from_ms, to_ms, write) }
    }

    /// The same without ticks between whole numbers.
    pub(crate) fn of_whole(self) -> Self {
        Self { least_step: 1.0, ..self }
    }

    /// Where it ends.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    fn step(&self) -> f64 {
        (self.round_step)(self.high - self.low).max(self.least_step)
    }

    /// Round numbers within the axis.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let step = self.step();
        let first = (self.low / step).ceil();
        let all = (0..=2 * TICKS as u32).map(move |n| (first + f64::from(n)) * step);
        let (end, write) = (self.high + step * 1e-6, self.write);
        all.take_while(move |tick| *tick <= end).map(move |tick| (tick, write(tick)))
    }

    /// The position of a value, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// 1, 2 or 5 times a power of ten, of which about [`TICKS`] make `span`.
fn round_step(span: f64) -> f64 {
    if !(span.is_finite() && span > 0.0) {
        return 1.0;
    }
    let rough = span / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    round.unwrap_or(10.0) * power
}

/// The round time of which at most about [`TICKS`] make `span_ms`.
fn clock_step(span_ms: f64) -> f64 {
    let rough = span_ms / TICKS;
    let within_a_day = CLOCK_STEPS.into_iter().map(|seconds| seconds * 1000.0).find(|step| *step >= rough * 0.999);
    within_a_day.unwrap_or_else(|| round_step(span_ms / DAY_MS).max(1.0) * DAY_MS)
}

/// A part of a time's text: `11..19` is the time of the day.
fn time_text(ms: f64, part: Range<usize>) -> String {
    // The cast saturates.
    let text = Timestamp::from_ms(ms as u64).to_string();
    text.get(part).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{short_number, whole_number};
    use super::*;

    fn ticks(axis: &Axis) -> Vec<String> {
        axis.ticks().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        for (axis, expected) in [
            (Axis::from_zero("", 97.0, short_number), &["0", "20", "40", "60", "80", "100"][..]),
            (Axis::from_zero("", 65_536.0, short_number), &["0", "20 k", "40 k", "60 k", "80 k"]),
            (Axis::from_zero("", 0.0, short_number).of_whole(), &["0", "1"]),
            (Axis::from_zero("", 0.3, short_number), &["0", "0.1", "0.2", "0.3"]),
            (Axis::between("", 1204.0, 1403.0, whole_number), &["1,250", "1,300", "1,350", "1,400"]),
            (Axis::between("", 7.0, 7.0, whole_number).of_whole(), &["7", "8"]),
        ] {
            assert_eq!(ticks(&axis), expected);
        }
        for broken in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(ticks(&Axis::from_zero("", broken, short_number)).len() <= 11, "{broken}");
        }
    }

    #[test]
    fn times_are_round() {
        let noon = 1_795_953_600_000.0;
        for (from, span, expected) in [
            (0.0, 9_000.0, &["12:00:00", "12:00:02", "12:00:04", "12:00:06", "12:00:08"][..]),
            (500.0, 60_000.0, &["12:00:15", "12:00:30", "12:00:45", "12:01:00"]),
            (0.0, 5.0 * 3_600_000.0, &["12:00", "13:00", "14:00", "15:00", "16:00", "17:00"]),
            (1.0, 2.0 * DAY_MS, &["11-30 00:00", "11-30 12:00", "12-01 00:00", "12-01 12:00"]),
            (0.0, 30.0 * DAY_MS, &["12-03", "12-13", "12-23"]),
        ] {
            assert_eq!(ticks(&Axis::clock(noon + from, noon + from + span)), expected, "{span}");
        }
        for (from, to) in [(f64::NAN, 1.0), (0.0, f64::INFINITY), (5.0, 5.0), (9.0, 1.0), (0.0, u64::MAX as f64)] {
            assert!(ticks(&Axis::clock(from, to)).len() <= 11, "{from} {to}");
        }
    }
}
