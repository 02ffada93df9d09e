//! The chart: the main quantity over one swept key, with intervals as bars and the expected curve dashed. Values that
//! are no numbers, such as the names of rules, stand side by side in their order.

use crate::plan::{Estimate, Plan, Summary};
use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 48.0;
/// Colours that colour-blind people can tell apart (Okabe and Ito), the last for all further series.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666"];

/// A point of a series: where it stands, and what was measured there.
struct Dot<'a> {
    x: f64,
    estimate: &'a Estimate,
}

struct Series<'a> {
    name: String,
    dots: Vec<Dot<'a>>,
}

/// The swept key that the chart is over.
struct Axis<'a> {
    key: usize,
    /// Its values in their order, where one of them is no number; otherwise empty.
    words: Vec<&'a str>,
}

impl<'a> Axis<'a> {
    /// The key with most values, since it makes the longest curves; one of numbers, if there is one.
    fn of(summaries: &'a [Summary]) -> Option<Self> {
        let keys = summaries.first()?.point.len();
        let values = |key: usize| {
            let mut values: Vec<&str> = Vec::new();
            for summary in summaries {
                let value = summary.point[key].1.as_str();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            values
        };
        let numeric = |key: &usize| summaries.iter().all(|summary| number(summary, *key).is_some());
        let longest = |keys: &mut dyn Iterator<Item = usize>| keys.max_by_key(|key| values(*key).len());
        if let Some(key) = longest(&mut (0..keys).filter(numeric)) {
            return Some(Self { key, words: Vec::new() });
        }
        let key = longest(&mut (0..keys))?;
        Some(Self { key, words: values(key) })
    }

    /// Where a point stands.
    fn place(&self, summary: &Summary) -> Option<f64> {
        if self.words.is_empty() {
            return number(summary, self.key);
        }
        let place = self.words.iter().position(|word| *word == summary.point[self.key].1)?;
        Some(place as f64)
    }

    fn scale(&self, series: &[Series<'_>]) -> Option<Scale> {
        let (from, to) = (LEFT, WIDTH - RIGHT);
        if self.words.is_empty() {
            return Scale::new(series.iter().flat_map(|series| series.dots.iter().map(|dot| dot.x)), from, to, false);
        }
        Some(Scale { low: -0.5, high: self.words.len() as f64 - 0.5, step: 1.0, from, to })
    }

    /// What stands below the axis, and where.
    fn labels(&self, scale: &Scale) -> Vec<(f64, String)> {
        match &*self.words {
            [] => scale.ticks().map(|tick| (tick, scale.text(tick))).collect(),
            words => words
                .iter()
                .enumerate()
                .map(|(place, word)| (place as f64, word.trim_matches('"').to_owned()))
                .collect(),
        }
    }
}

/// A linear scale from numbers to pixels, with round numbers beside it.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale over all finite `values`. `round` widens it to round numbers.
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64, round: bool) -> Option<Self> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let high = if high > low { high } else { low + 1.0 };
        let step = round_step(high - low);
        if round {
            let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
            return Some(Self { low, high, step, from, to });
        }
        Some(Self { low, high, step, from, to })
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The multiples of the step that lie on the scale.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        // A little room, since a tenth is no binary number.
        let first = (self.low / self.step - 1e-9).ceil();
        let count = ((self.high / self.step + 1e-9).floor() - first).clamp(0.0, 20.0) as u32;
        (0..=count).map(move |tick| (first + f64::from(tick)) * self.step)
    }

    /// A tick as text, with as many digits as the step needs.
    fn text(&self, tick: f64) -> String {
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

/// The chart as SVG; `None` where nothing is swept, or nothing was measured.
pub fn chart(plan: &Plan, summaries: &[Summary]) -> Option<String> {
    let first = summaries.first()?;
    let axis = Axis::of(summaries)?;
    let judged = plan.scenario().expect.as_ref().map(|expect| expect.curve.quantity());
    let quantity = judged.or(plan.quantities().first().copied())?;
    let column = plan.quantities().iter().position(|known| *known == quantity)?;
    let series = series(summaries, &axis, column);
    let x = axis.scale(&series)?;
    let heights = series.iter().flat_map(|series| &series.dots).flat_map(|dot| {
        let interval = dot.estimate.interval;
        [interval.map(|interval| interval.low), interval.map(|interval| interval.high), dot.estimate.expected]
    });
    let y = Scale::new(heights.flatten().chain([0.0]), HEIGHT - BOTTOM, TOP, true)?;
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img"
            font-family="sans-serif" font-size="12" {
            title { (quantity.name()) " over " (first.point[axis.key].0) }
            (axes(&x, &y, &axis.labels(&x), &first.point[axis.key].0, quantity.name()))
            @for (place, series) in series.iter().enumerate() {
                (line(series, place, &x, &y, !axis.words.is_empty()))
            }
        }
    };
    Some(drawing.into_string())
}

fn number(summary: &Summary, key: usize) -> Option<f64> {
    // TOML writes 1_000 as 1000.
    summary.point.get(key)?.1.parse().ok()
}

fn series<'a>(summaries: &'a [Summary], axis: &Axis<'_>, column: usize) -> Vec<Series<'a>> {
    let mut all: Vec<Series<'_>> = Vec::new();
    for summary in summaries {
        let others = summary.point.iter().enumerate().filter(|(key, _)| *key != axis.key);
        let name = others.map(|(_, (key, value))| format!("{} {value}", key.rsplit('.').next().unwrap_or(key)));
        let name = name.collect::<Vec<_>>().join(", ");
        let Some(x) = axis.place(summary) else { continue };
        let dot = Dot { x, estimate: &summary.estimates[column] };
        match all.iter_mut().find(|series| series.name == name) {
            Some(series) => series.dots.push(dot),
            None => all.push(Series { name, dots: vec![dot] }),
        }
    }
    all
}

fn axes(x: &Scale, y: &Scale, labels: &[(f64, String)], x_name: &str, y_name: &str) -> Markup {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    html! {
        @for tick in y.ticks() {
            line x1=(LEFT) x2=(right) y1=(px(y.at(tick))) y2=(px(y.at(tick))) stroke="#dddddd" {}
            text x=(LEFT - 6.0) y=(px(y.at(tick) + 4.0)) text-anchor="end" { (y.text(tick)) }
        }
        @for (at, label) in labels {
            text x=(px(x.at(*at))) y=(bottom + 18.0) text-anchor="middle" { (label) }
        }
        line x1=(LEFT) x2=(right) y1=(bottom) y2=(bottom) stroke="#333333" {}
        text x=((LEFT + right) / 2.0) y=(HEIGHT - 8.0) text-anchor="middle" { (x_name) }
        text x=(LEFT) y=(TOP - 10.0) { (y_name) }
    }
}

/// `is_of_words`: what is expected of a word is a mark of its own, since nothing lies between two words.
fn line(series: &Series<'_>, place: usize, x: &Scale, y: &Scale, is_of_words: bool) -> Markup {
    let colour = COLOURS[place.min(COLOURS.len() - 1)];
    let expected = series.dots.iter().filter_map(|dot| Some((dot.x, dot.estimate.expected?)));
    let curve: Vec<String> = expected.map(|(at, value)| format!("{},{}", px(x.at(at)), px(y.at(value)))).collect();
    let legend_y = TOP + 16.0 + 18.0 * place as f64;
    html! {
        @if is_of_words {
            @for dot in &series.dots {
                @if let Some(value) = dot.estimate.expected {
                    @let (at, height) = (x.at(dot.x), px(y.at(value)));
                    line x1=(px(at - 16.0)) x2=(px(at + 16.0)) y1=(height) y2=(height) stroke=(colour)
                        stroke-dasharray="5 4" {}
                }
            }
        } @else if curve.len() > 1 {
            polyline points=(curve.join(" ")) fill="none" stroke=(colour) stroke-dasharray="5 4" {}
        }
        @for dot in &series.dots {
            @if let Some(interval) = dot.estimate.interval {
                @let at = px(x.at(dot.x));
                line x1=(at) x2=(at) y1=(px(y.at(interval.low))) y2=(px(y.at(interval.high))) stroke=(colour)
                    stroke-width="2" {}
                circle cx=(at) cy=(px(y.at(interval.estimate))) r="3.5" fill=(colour) {}
            }
        }
        @if !series.name.is_empty() {
            rect x=(WIDTH - RIGHT + 16.0) y=(legend_y - 9.0) width="10" height="10" fill=(colour) {}
            text x=(WIDTH - RIGHT + 32.0) y=(legend_y) { (series.name) }
        }
    }
}

/// A coordinate with one digit: enough, and the same everywhere.
fn px(value: f64) -> String {
    format!("{value:.1}")
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
}
