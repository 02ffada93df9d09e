//! Charts as SVG: axes with round ticks, and lines or bars. The style sheet sets the colours, light or dark.
//!
//! A chart shows the shape of its numbers; pages show the important ones as text beside it.

use maud::{Markup, html};
use std::fmt::Write;

/// The area of lines and bars, in units of the drawing.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 508.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 208.0;
/// The whole drawing.
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 252.0;
/// The approximate number of ticks of an axis.
const TICKS: f64 = 5.0;

#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    low: f64,
    high: f64,
    least_step: f64,
    write: fn(f64) -> String,
}

#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// Points joined by a line.
    Line(Vec<(f64, f64)>),
    /// A line of expected values.
    Expected(Vec<(f64, f64)>),
    /// Left end, right end and height of each bar.
    Bars(Vec<(f64, f64, f64)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Chart<'a> {
    /// A word that is unique on the page, for ids.
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    /// For screen readers.
    pub(crate) description: &'a str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) marks: Vec<Mark>,
}

/// A part of the x axis that shows its values under the pointer.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) text: String,
    /// The height of the block that a click leads to.
    pub(crate) block: Option<u64>,
}

/// Most parts with values: more would be thinner than a pointer.
const MAX_HITS: usize = 250;

impl Axis {
    /// From 0 to a round number that is not below `highest`.
    pub(crate) fn from_zero(label: &'static str, highest: f64, write: fn(f64) -> String) -> Self {
        let step = round_step(highest.max(0.0));
        let high = (highest / step).ceil().max(1.0) * step;
        Self { label, low: 0.0, high, least_step: 0.0, write }
    }

    /// Exactly from `low` to `high`.
    pub(crate) fn between(label: &'static str, low: f64, high: f64, write: fn(f64) -> String) -> Self {
        Self { label, low, high: if high > low { high } else { low + 1.0 }, least_step: 0.0, write }
    }

    /// The same without ticks between whole numbers.
    pub(crate) fn of_whole(self) -> Self {
        Self { least_step: 1.0, ..self }
    }

    fn step(&self) -> f64 {
        round_step(self.high - self.low).max(self.least_step)
    }

    /// Round numbers within the axis.
    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let step = self.step();
        let first = (self.low / step).ceil();
        let all = (0..=2 * TICKS as u32).map(move |n| (first + f64::from(n)) * step);
        let (end, write) = (self.high + step * 1e-6, self.write);
        all.take_while(move |tick| *tick <= end).map(move |tick| (tick, write(tick)))
    }

    /// The position of a value, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
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

impl Chart<'_> {
    pub(crate) fn render(&self) -> Markup {
        self.render_with(&[])
    }

    /// With values under the pointer, unless there are too many.
    pub(crate) fn render_with(&self, hits: &[Hit]) -> Markup {
        let hits = if hits.len() > MAX_HITS { &[] } else { hits };
        let Self { name, title, description, x, y, marks } = self;
        let (title_id, description_id) = (format!("{name}-title"), format!("{name}-description"));
        html! {
            svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                aria-labelledby=(format!("{title_id} {description_id}")) {
                title id=(title_id) { (title) }
                desc id=(description_id) { (description) }
                @for (tick, text) in y.ticks() {
                    @let at = round(self.y_of(tick));
                    line.gridline x1=(LEFT) x2=(RIGHT) y1=(at) y2=(at) {}
                    text x=(LEFT - 6.0) y=(at) text-anchor="end" dominant-baseline="middle" { (text) }
                }
                @for (tick, text) in x.ticks() {
                    @let at = round(self.x_of(tick));
                    line.tick x1=(at) x2=(at) y1=(BOTTOM) y2=(BOTTOM + 4.0) {}
                    text x=(at) y=(BOTTOM + 18.0) text-anchor="middle" { (text) }
                }
                line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
                @for mark in marks { (self.mark(mark)) }
                @for hit in hits { (self.hit(hit)) }
                text.label x=(RIGHT) y=(HEIGHT - 8.0) text-anchor="end" { (x.label) }
                text.label x=(LEFT) y=(HEIGHT - 8.0) { "↑ " (y.label) }
            }
        }
    }

    fn mark(&self, mark: &Mark) -> Markup {
        match mark {
            Mark::Line(points) => self.line("series", points),
            Mark::Expected(points) => self.line("expected", points),
            Mark::Bars(bars) => html! {
                @for (from, to, high) in bars {
                    @let (left, right, top) = (self.x_of(*from), self.x_of(*to), self.y_of(*high));
                    rect.bar x=(round(left + 0.5)) y=(round(top)) width=(round((right - left - 1.0).max(0.5)))
                        height=(round(BOTTOM - top)) {}
                }
            },
        }
    }

    fn hit(&self, Hit { from, to, text, block }: &Hit) -> Markup {
        let (left, right) = (self.x_of(*from), self.x_of(*to));
        let area = html! {
            rect.hit x=(round(left)) y=(TOP) width=(round((right - left).max(0.5))) height=(BOTTOM - TOP) {
                title { (text) }
            }
        };
        html! {
            // The tab key skips them: the numbers are in the CSV, and blocks have a page.
            @if let Some(block) = block { a href={ "/block/" (block) } tabindex="-1" { (area) } } @else { (area) }
        }
    }

    fn line(&self, class: &str, points: &[(f64, f64)]) -> Markup {
        if let [(x, y)] = points {
            return html! { circle.dot cx=(round(self.x_of(*x))) cy=(round(self.y_of(*y))) r="4" {} };
        }
        let mut text = String::new();
        for (x, y) in points {
            let space = if text.is_empty() { "" } else { " " };
            // Writing into a string does not fail.
            let _ = write!(text, "{space}{},{}", round(self.x_of(*x)), round(self.y_of(*y)));
        }
        html! { polyline class=(class) points=(text) {} }
    }

    fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (RIGHT - LEFT)
    }

    fn y_of(&self, value: f64) -> f64 {
        BOTTOM - self.y.place(value) * (BOTTOM - TOP)
    }
}

/// A tenth of a unit is finer than any screen.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A number with three significant digits: `0.25`, `12.5`, `65.5 k`, `3.2 M`.
pub(crate) fn short_number(value: f64) -> String {
    const SUFFIXES: [(f64, &str); 5] = [(1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    let large = SUFFIXES.into_iter().find(|(unit, _)| value.abs() >= 0.9995 * unit);
    let (unit, suffix) = large.unwrap_or((1.0, ""));
    let scaled = value / unit;
    let digits = match scaled.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{suffix}")
}

/// A whole number with separated thousands: `1,234,567`.
pub(crate) fn whole_number(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

/// Separates the thousands in the digits of a whole number.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
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
    fn numbers_have_three_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.254, "0.25"),
            (9.996, "10"),
            (12.54, "12.5"),
            (100.4, "100"),
            (999.6, "1 k"),
            (1234.0, "1.23 k"),
            (65_536.0, "65.5 k"),
            (3.2e6, "3.2 M"),
            (9.007e15, "9.01 P"),
        ] {
            assert_eq!(short_number(value), text);
        }
        assert_eq!(
            (whole_number(999.0), whole_number(1234.0), whole_number(-1_234_567.0)),
            ("999".into(), "1,234".into(), "-1,234,567".into())
        );
    }

    #[test]
    fn marks_stay_within_the_chart_and_text_stays_text() {
        let chart = Chart {
            name: "sample",
            title: "<script>alert(1)</script>",
            description: "\"quoted\"",
            x: Axis::between("height", 1.0, 3.0, whole_number),
            y: Axis::from_zero("", 10.0, short_number),
            marks: vec![Mark::Line(vec![(1.0, 0.0), (3.0, 10.0), (9.0, 99.0)]), Mark::Bars(vec![(1.0, 2.0, -5.0)])],
        };
        let svg = chart.render().into_string();
        assert!(svg.contains("points=\"58,208 508,14 508,14\"") && svg.contains("height=\"0\""), "{svg}");
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script>"), "{svg}");
        assert!(!svg.contains("style="), "{svg}");
        let hit = |from: f64| Hit { from, to: from + 1.0, text: "<b>2: 5".to_owned(), block: Some(2) };
        let svg = chart.render_with(&[hit(1.0), hit(9.0)]).into_string();
        assert!(svg.contains("href=\"/block/2\"") && svg.contains("<title>&lt;b&gt;2: 5</title>"), "{svg}");
        let many: Vec<Hit> = (0..1000).map(|place| hit(f64::from(place))).collect();
        assert!(!chart.render_with(&many).into_string().contains("hit"), "too thin to be hit");
        let one = Chart { marks: vec![Mark::Line(vec![(2.0, 5.0)])], ..chart };
        assert!(one.render().into_string().contains("<circle class=\"dot\" cx=\"283\" cy=\"111\""));
    }
}
