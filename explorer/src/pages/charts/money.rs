//! The charts of money: what waits, what it pays, and who finds the blocks.

use super::data::{ChartData, clock};
use super::sections::{Drawing, Frame, Section, around, bars, least, most};
use crate::network::PoolSample;
use crate::view::chart::{Axis, Chart, Hit, Mark, short_number, whole_number};
use maud::html;

/// Most samples of the pool whose values are under the pointer.
const MAX_HITS: usize = 200;

/// The size of the pool over time.
pub(super) fn pool(data: &ChartData) -> Section {
    let intro = html! {
        p { "Transactions wait in the pool of a mempool until a block has room for them. It fills while no block is \
            found, and each block empties a part of it." }
    };
    let samples = data.pool();
    let Some(last) = samples.last() else { return Section::empty(intro, "The explorer has not asked a mempool yet.") };
    let highest = samples.iter().max_by_key(|sample| sample.count).unwrap_or(last);
    let below = html! {
        dl {
            dt { "Now" } dd { (whole_number(last.count as f64)) }
            dt { "Most" } dd { (whole_number(highest.count as f64)) " at " (clock(highest.at)) " UTC" }
        }
    };
    let drawing = pool_chart(data, samples, highest.count);
    Section { intro, drawing: Some(drawing), below }
}

fn pool_chart(data: &ChartData, samples: &[PoolSample], highest: u64) -> Drawing {
    let point = |sample: &PoolSample| (data.x_at(sample.at), sample.count as f64);
    let points: Vec<(f64, f64)> = samples.iter().map(point).collect();
    let place = |point: Option<&(f64, f64)>| point.map_or(0.0, |(x, _)| *x);
    let (first, last) = (place(points.first()), place(points.last()));
    let every = samples.len().div_ceil(MAX_HITS).max(1);
    let shown: Vec<&PoolSample> = samples.iter().step_by(every).collect();
    let xs: Vec<f64> = shown.iter().map(|sample| data.x_at(sample.at)).collect();
    let hit = |((sample, x), (from, to)): ((&&PoolSample, &f64), (f64, f64))| {
        let (count, bytes) = (whole_number(sample.count as f64), whole_number(sample.bytes as f64));
        let text = format!("{} UTC: {count} wait, {bytes} bytes{}", clock(sample.at), data.at_split(*x));
        Hit { from, to, text, block: None }
    };
    let hits = shown.iter().zip(&xs).zip(around(&xs)).map(hit).collect();
    let chart = Chart {
        name: "pool",
        title: "Transactions that wait",
        description: "A line over time: how many transactions wait for a block.",
        x: data.axis(first, last),
        y: Axis::from_zero("transactions", highest as f64, short_number).of_whole(),
        marks: data.bands().chain([Mark::Line(points)]).collect(),
    };
    Drawing { chart, hits }
}

/// The median fee per byte in each block.
pub(super) fn fees(data: &ChartData) -> Section {
    let intro = html! {
        p { "Blocks have little room, so miners prefer transactions that pay more per byte. Each bar is the median of \
            a block: half of its transactions pay more, half pay less. One grain is a hundred-millionth of a LAB." }
    };
    let values = rates(data);
    let Some((_, latest)) = values.last() else { return Section::empty(intro, "No transaction is in a block yet.") };
    let unit = "grains per byte";
    let y = Axis::from_zero(unit, most(&values), short_number);
    let frame = Frame { name: "fees", title: "Median fee per byte in each block", unit, y };
    let below = html! {
        dl {
            dt { "Newest" } dd { (short_number(*latest)) " " (unit) }
            dt { "Lowest" } dd { (short_number(least(&values))) }
            dt { "Highest" } dd { (short_number(most(&values))) }
        }
    };
    Section { intro, drawing: Some(bars(data, frame, &values)), below }
}

/// The median fee per byte of each shown block that has transactions, by height.
pub(super) fn rates(data: &ChartData) -> Vec<(u64, f64)> {
    data.last(&data.block_sizes).iter().filter_map(|(height, size)| Some((*height, size.fee_rate?))).collect()
}
