//! The chart: the main quantity over one swept key, with intervals as bars, the exact curve dashed, and the share of
//! the hash rate dotted where shares are drawn. Letters are large, since a phone shows the chart at half of its size.

use super::axis::Axis;
use super::scale::Scale;
use super::words;
use crate::plan::{Estimate, Plan, Summary};
use crate::scenario::{Curve, Quantity};
use maud::{Markup, html};

const WIDTH: f64 = 640.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const PLOT: f64 = 300.0;
const LEGEND_ROW: f64 = 26.0;
/// Below the axis: its labels, in up to two rows, and its title.
const BOTTOM: f64 = 60.0;
const LETTERS: f64 = 17.0;
/// What a letter takes on average, with some room.
const LETTER: f64 = 9.0;
/// Between dots of two series at the same place, which would hide one another.
const ASIDE: f64 = 9.0;
/// Colours that colour-blind people can tell apart (Okabe and Ito), the last for all further series.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888"];
const EXACT: &str = "6 4";
const FAIR: &str = "2 4";

/// A point of a series: where it stands, and what was measured there.
struct Dot<'a> {
    x: f64,
    estimate: &'a Estimate,
}

struct Series<'a> {
    name: String,
    dots: Vec<Dot<'a>>,
}

/// What the chart shows, before it is drawn.
struct Chart<'a> {
    axis: Axis,
    y_title: String,
    /// How many of the smallest unit the unit of y has.
    size: f64,
    series: Vec<Series<'a>>,
    /// The share of the hash rate over x.
    fair: Vec<(f64, f64)>,
}

/// The chart as SVG for a page, whose colour its letters have; `None` where nothing is swept, or nothing was measured.
pub fn chart(plan: &Plan, summaries: &[Summary]) -> Option<String> {
    let (height, inner) = Chart::new(plan, summaries)?.draw()?;
    let drawing = html! {
        svg viewBox={ "0 0 " (WIDTH) " " (px(height)) } width=(WIDTH) role="img" fill="currentColor"
            font-family="sans-serif" font-size=(LETTERS) { (inner) }
    };
    Some(drawing.into_string())
}

/// The chart as an SVG file, on white: a viewer or a page around it may be dark.
pub fn picture(plan: &Plan, summaries: &[Summary]) -> Option<String> {
    let (height, inner) = Chart::new(plan, summaries)?.draw()?;
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (px(height)) } width=(WIDTH) role="img"
            color="#222222" fill="currentColor" font-family="sans-serif" font-size=(LETTERS) {
            rect width="100%" height="100%" fill="#ffffff" {}
            (inner)
        }
    };
    Some(drawing.into_string())
}

/// What bars and lines of the chart are.
pub fn caption(plan: &Plan, summaries: &[Summary]) -> String {
    let Some(chart) = Chart::new(plan, summaries) else { return String::new() };
    let dots = || chart.series.iter().flat_map(|series| &series.dots);
    let mut sentences = Vec::new();
    if dots().any(|dot| dot.estimate.interval.is_some()) {
        sentences.push(format!("Bars are {} % intervals.", plan.scenario().measure.confidence * 100.0));
    }
    match dots().filter(|dot| dot.estimate.expected.is_some()).count() {
        0 => {}
        _ if chart.axis.is_of_words() => sentences.push("Dashed lines are exact values.".to_owned()),
        1 => {}
        _ => sentences.push("Dashed curves are exact.".to_owned()),
    }
    if !chart.fair.is_empty() {
        sentences.push("The dotted line is the miner's share of the hash rate.".to_owned());
    }
    sentences.join(" ")
}

impl<'a> Chart<'a> {
    fn new(plan: &Plan, summaries: &'a [Summary]) -> Option<Self> {
        let axis = Axis::of(summaries)?;
        let quantity = plan.main_quantity()?;
        let column = plan.quantities().iter().position(|known| *known == quantity)?;
        let series = series(summaries, &axis, column);
        let dots = || series.iter().flat_map(|series| &series.dots);
        let (words, kind) = words::quantity(quantity);
        let most = dots().filter_map(|dot| dot.estimate.value).fold(0.0, f64::max);
        let (unit, size) = kind.unit(most);
        let y_title = if unit.is_empty() { words.to_owned() } else { format!("{words}, in {unit}") };
        let is_fair_exact = plan.scenario().expect.as_ref().is_some_and(|expect| expect.curve == Curve::Fair);
        let is_of_shares = matches!(quantity, Quantity::Share | Quantity::RevenuePerInterval);
        let fair = if is_of_shares && !is_fair_exact { fair(summaries, &axis) } else { Vec::new() };
        dots().any(|dot| dot.estimate.value.is_some()).then_some(Self { axis, y_title, size, series, fair })
    }

    /// The height of the drawing, and what is in it.
    fn draw(&self) -> Option<(f64, Markup)> {
        let (legend, rows) = self.legend();
        let top = TOP + LEGEND_ROW * rows as f64;
        let bottom = top + PLOT;
        let dots = || self.series.iter().flat_map(|series| &series.dots);
        let places = || dots().map(|dot| dot.x);
        let x = self.axis.scale(places(), LEFT, WIDTH - RIGHT)?;
        let heights = dots().flat_map(|dot| {
            let Estimate { interval, expected, value, .. } = dot.estimate;
            [interval.map(|interval| interval.high), *expected, *value].map(|height| height.map(|h| h / self.size))
        });
        let fair = self.fair.iter().map(|(_, share)| *share);
        // No quantity is negative.
        let y = Scale::new(heights.flatten().chain(fair).chain([0.0]), bottom, top, true)?;
        let inner = html! {
            title { (self.y_title) " over " (self.axis.title) }
            (legend)
            (self.axes(&x, &y, &self.axis.labels(&x, places())))
            @if !self.fair.is_empty() {
                polyline points=(polyline(self.fair.iter().copied(), &x, &y)) fill="none" stroke="currentColor"
                    stroke-width="1.5" stroke-dasharray=(FAIR) {}
            }
            @for place in 0..self.series.len() { (self.line(place, &x, &y)) }
        };
        Some((bottom + BOTTOM, inner))
    }

    /// The names of the series in rows above the plot, and how many rows there are.
    fn legend(&self) -> (Markup, usize) {
        let named = self.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty());
        let mut entries: Vec<(Option<&str>, &str)> =
            named.map(|(place, series)| (Some(colour(place)), series.name.as_str())).collect();
        if !self.fair.is_empty() {
            entries.push((None, "share of the hash rate"));
        }
        let (mut at, mut row) = (LEFT, 0);
        let mut placed = Vec::new();
        for (colour, name) in entries {
            let width = 24.0 + LETTER * name.chars().count() as f64;
            if at > LEFT && at + width > WIDTH - RIGHT {
                (at, row) = (LEFT, row + 1);
            }
            placed.push((at, TOP + 4.0 + LEGEND_ROW * f64::from(row), colour, name));
            at += width + 12.0;
        }
        let rows = if placed.is_empty() { 0 } else { row as usize + 1 };
        let legend = html! {
            @for (at, height, colour, name) in placed {
                @match colour {
                    Some(colour) => rect x=(px(at)) y=(px(height - 11.0)) width="12" height="12" fill=(colour) {},
                    None => line x1=(px(at)) x2=(px(at + 14.0)) y1=(px(height - 5.0)) y2=(px(height - 5.0))
                        stroke="currentColor" stroke-width="1.5" stroke-dasharray=(FAIR) {},
                }
                text x=(px(at + 18.0)) y=(px(height)) { (name) }
            }
        };
        (legend, rows)
    }

    fn axes(&self, x: &Scale, y: &Scale, labels: &[(f64, String)]) -> Markup {
        let (bottom, right) = (y.from, WIDTH - RIGHT);
        html! {
            text x="8" y="20" { (self.y_title) }
            @for tick in y.ticks() {
                line x1=(LEFT) x2=(right) y1=(px(y.at(tick))) y2=(px(y.at(tick))) stroke="currentColor"
                    stroke-opacity="0.2" {}
                text x=(LEFT - 8.0) y=(px(y.at(tick) + 6.0)) text-anchor="end" { (y.text(tick)) }
            }
            @for (at, label) in labels {
                text x=(px(x.at(*at))) y=(px(bottom + 22.0)) text-anchor="middle" { (label) }
            }
            line x1=(LEFT) x2=(right) y1=(px(bottom)) y2=(px(bottom)) stroke="currentColor" {}
            text x=((LEFT + right) / 2.0) y=(px(bottom + 48.0)) text-anchor="middle" { (self.axis.title) }
        }
    }

    /// A series. What is exact at a word is a mark of its own, since nothing lies between two words.
    fn line(&self, place: usize, x: &Scale, y: &Scale) -> Markup {
        let (series, colour) = (&self.series[place], colour(place));
        let expected = series.dots.iter().filter_map(|dot| Some((dot.x, dot.estimate.expected? / self.size)));
        let expected: Vec<(f64, f64)> = expected.collect();
        let has_curve = expected.len() > 1 && !self.axis.is_of_words();
        let middle = (self.series.len() as f64 - 1.0) / 2.0;
        // A dot on its curve stays there.
        let aside = if has_curve { 0.0 } else { ASIDE * (place as f64 - middle) };
        html! {
            @if self.axis.is_of_words() {
                @for (at, value) in &expected {
                    @let (at, height) = (x.at(*at) + aside, px(y.at(*value)));
                    line x1=(px(at - 16.0)) x2=(px(at + 16.0)) y1=(height) y2=(height) stroke=(colour)
                        stroke-width="2" stroke-dasharray=(EXACT) {}
                }
            } @else if has_curve {
                polyline points=(polyline(expected.iter().copied(), x, y)) fill="none" stroke=(colour)
                    stroke-width="2" stroke-dasharray=(EXACT) {}
            }
            @for dot in &series.dots {
                @let at = px(x.at(dot.x) + aside);
                @if let Some(interval) = dot.estimate.interval {
                    @let ends = [interval.low.max(0.0), interval.high].map(|end| px(y.at(end / self.size)));
                    line x1=(at) x2=(at) y1=(ends[0]) y2=(ends[1]) stroke=(colour) stroke-width="2.5" {}
                }
                @if let Some(value) = dot.estimate.value {
                    circle cx=(at) cy=(px(y.at(value / self.size))) r="4.5" fill=(colour) {}
                }
            }
        }
    }
}

fn series<'a>(summaries: &'a [Summary], axis: &Axis, column: usize) -> Vec<Series<'a>> {
    let mut all: Vec<Series<'_>> = Vec::new();
    for summary in summaries {
        let name = axis.series(summary);
        let Some(x) = axis.place(summary) else { continue };
        let dot = Dot { x, estimate: &summary.estimates[column] };
        match all.iter_mut().find(|series| series.name == name) {
            Some(series) => series.dots.push(dot),
            None => all.push(Series { name, dots: vec![dot] }),
        }
    }
    all
}

/// The share of the hash rate over x, if it is a line: not where two series differ in it.
fn fair(summaries: &[Summary], axis: &Axis) -> Vec<(f64, f64)> {
    let point = |summary: &Summary| Some((axis.place(summary)?, summary.hash_rate?));
    let Some(mut points) = summaries.iter().map(point).collect::<Option<Vec<_>>>() else { return Vec::new() };
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    points.dedup();
    if points.windows(2).any(|pair| pair[0].0 == pair[1].0) { Vec::new() } else { points }
}

fn polyline(points: impl Iterator<Item = (f64, f64)>, x: &Scale, y: &Scale) -> String {
    points.map(|(at, value)| format!("{},{}", px(x.at(at)), px(y.at(value)))).collect::<Vec<_>>().join(" ")
}

fn colour(place: usize) -> &'static str {
    COLOURS[place.min(COLOURS.len() - 1)]
}

/// A coordinate with one digit: enough, and the same everywhere.
fn px(value: f64) -> String {
    format!("{value:.1}")
}
