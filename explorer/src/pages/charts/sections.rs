//! What a chart is made of: words before it, the drawing, and its most important numbers below.

use super::data::ChartData;
use crate::view::chart::{Axis, Chart, Hit, Mark, short_number, whole_number};
use maud::{Markup, html};

pub(super) struct Section {
    pub(super) intro: Markup,
    /// `None` while there is nothing to draw.
    pub(super) drawing: Option<Drawing>,
    /// The numbers, or a sentence that says why they are missing.
    pub(super) below: Markup,
}

pub(super) struct Drawing {
    pub(super) chart: Chart<'static>,
    pub(super) hits: Vec<Hit>,
}

impl Section {
    pub(super) fn render(&self) -> Markup {
        html! {
            (self.intro)
            @if let Some(Drawing { chart, hits }) = &self.drawing { (chart.render_with(hits)) }
            (self.below)
        }
    }

    /// A chart that has nothing to show yet.
    pub(super) fn empty(intro: Markup, why: &str) -> Self {
        Self { intro, drawing: None, below: html! { p.muted { (why) } } }
    }
}

/// The name, title and y axis of a chart over the blocks.
pub(super) struct Frame {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) y: Axis,
}

/// A line through a value per block.
pub(super) fn line(data: &ChartData, frame: Frame, values: &[(u64, f64)]) -> Drawing {
    let points: Vec<(u64, f64, f64)> =
        values.iter().filter_map(|(height, value)| Some((*height, data.x_of(*height)?, *value))).collect();
    let place = |point: Option<&(u64, f64, f64)>| point.map_or(0.0, |(_, x, _)| *x);
    let line = Mark::Line(points.iter().map(|(_, x, value)| (*x, *value)).collect());
    let chart = Chart {
        name: frame.name,
        title: frame.title,
        description: "A line over the blocks.",
        x: data.axis(place(points.first()), place(points.last())),
        y: frame.y,
        marks: data.bands().chain([line]).collect(),
    };
    let xs: Vec<f64> = points.iter().map(|(_, x, _)| *x).collect();
    let hit = |((height, x, value), (from, to)): (&(u64, f64, f64), (f64, f64))| {
        let text = format!("block {height}: {} {}{}", digits(*value), frame.unit, data.at_split(*x));
        Hit { from, to, text, block: Some(*height) }
    };
    let hits = points.iter().zip(around(&xs)).map(hit).collect();
    Drawing { chart, hits }
}

/// A bar per block.
pub(super) fn bars(data: &ChartData, frame: Frame, values: &[(u64, f64)]) -> Drawing {
    let bar = |(height, value): &(u64, f64)| {
        let (from, to) = data.bar(*height, *height)?;
        Some((*height, from, to, *value))
    };
    let all: Vec<(u64, f64, f64, f64)> = values.iter().filter_map(bar).collect();
    let marks = Mark::Bars(all.iter().map(|(_, from, to, value)| (*from, *to, *value)).collect());
    let chart = Chart {
        name: frame.name,
        title: frame.title,
        description: "One bar per block.",
        x: data.axis(all.first().map_or(0.0, |bar| bar.1), all.last().map_or(0.0, |bar| bar.2)),
        y: frame.y,
        marks: data.bands().chain([marks]).collect(),
    };
    let hit = |(height, from, to, value): &(u64, f64, f64, f64)| {
        let at_split = data.at_split((from + to) / 2.0);
        let text = format!("block {height}: {} {}{at_split}", digits(*value), frame.unit);
        Hit { from: *from, to: *to, text, block: Some(*height) }
    };
    let hits = all.iter().map(hit).collect();
    Drawing { chart, hits }
}

/// The part of the x axis that is nearest to each place: to the middles between it and its neighbours.
pub(super) fn around(xs: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let middle = |place: usize| (xs[place] + xs[place + 1]) / 2.0;
    (0..xs.len()).map(move |place| {
        let from = if place > 0 { middle(place - 1) } else { xs[0] - 0.5 };
        let to = if place + 1 < xs.len() { middle(place) } else { xs[place] + 0.5 };
        (from, to)
    })
}

pub(super) fn least(values: &[(u64, f64)]) -> f64 {
    values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min)
}

pub(super) fn most(values: &[(u64, f64)]) -> f64 {
    values.iter().map(|(_, value)| *value).fold(0.0, f64::max)
}

/// A large number with all its digits, a small one with its first.
fn digits(value: f64) -> String {
    if value < 100.0 { short_number(value) } else { whole_number(value) }
}

pub(super) fn seconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{} ms", short_number(ms)) } else { format!("{} s", short_number(ms / 1000.0)) }
}
