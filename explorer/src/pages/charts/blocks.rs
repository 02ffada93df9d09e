//! The charts of what is in the blocks and in their headers.

use super::data::ChartData;
use super::sections::{Drawing, Frame, Section, bars, least, line, most};
use crate::block_sizes::BlockSize;
use crate::stats::{self, HEIGHTS_PER_BAR, mean};
use crate::view::chart::{Axis, Chart, Hit, Mark, short_number, whole_number};
use maud::html;

const NO_BLOCKS: &str = "There are no blocks yet.";

pub(super) fn difficulty(data: &ChartData) -> Section {
    let values = stats::difficulties(data.shown());
    let intro = html! {
        p { "The difficulty is the number of hashes that it takes to find a block, on average. The network adjusts it \
            to keep the time between blocks steady, even if miners come and go." }
    };
    let Some((_, last)) = values.last() else { return Section::empty(intro, NO_BLOCKS) };
    let y = Axis::from_zero("hashes", most(&values), short_number);
    let frame = Frame { name: "difficulty", title: "Difficulty of each block", unit: "hashes", y };
    let below = html! {
        dl {
            dt { "Now" } dd { (whole_number(*last)) }
            dt { "Lowest" } dd { (whole_number(least(&values))) }
            dt { "Highest" } dd { (whole_number(most(&values))) }
        }
    };
    Section { intro, drawing: Some(line(data, frame, &values)), below }
}

pub(super) fn hash_rate(data: &ChartData) -> Section {
    let all = stats::hash_rates(&data.headers);
    let rates = data.last(&all);
    let intro = html! {
        p { "The hash rate is how many hashes all miners together try per second. Nobody can count them \
            directly, but dividing the work in 20 blocks by the time they took gives an estimate." }
    };
    let Some((_, last)) = rates.last() else {
        return Section::empty(intro, "The hash rate is estimated from the second block on.");
    };
    let y = Axis::from_zero("hashes per second", most(rates), short_number);
    let frame = Frame { name: "hashrate", title: "Hash rate of the network", unit: "hashes per second", y };
    let below = html! {
        dl {
            dt { "Now" } dd { (short_number(*last)) "H/s" }
            dt { "Lowest" } dd { (short_number(least(rates))) "H/s" }
            dt { "Highest" } dd { (short_number(most(rates))) "H/s" }
        }
    };
    Section { intro, drawing: Some(line(data, frame, rates)), below }
}

pub(super) fn stale(data: &ChartData) -> Section {
    let intro = html! {
        p { "If two miners find a block at about the same time, the chain forks for a moment. The block that loses is \
            called stale. If blocks come faster than news spreads, there are more stale blocks." }
    };
    let rates = data.stale_blocks.rates();
    let Some(rate) = data.stale_blocks.rate() else {
        return Section::empty(intro, "The explorer has seen no blocks yet.");
    };
    let (stale, observed) = (data.stale_blocks.stale(), data.stale_blocks.heights.len());
    let below = html! {
        p { strong { (stale) } @if stale == 1 { " stale block" } @else { " stale blocks" } " among the last "
            @if observed == 1 { "height" } @else { (observed) " heights" } ": "
            strong { (short_number(rate)) } " per 100 blocks. Each bar covers " (HEIGHTS_PER_BAR)
            " heights. The explorer does not know of forks before its start." }
    };
    Section { intro, drawing: Some(stale_rates(data, &rates)), below }
}

/// Rates of stale blocks: the lowest height of each bar, how many heights it has, and the stale blocks per hundred.
fn stale_rates(data: &ChartData, rates: &[(u64, u64, f64)]) -> Drawing {
    let bar = |(height, blocks, rate): &(u64, u64, f64)| {
        let last = (height + blocks).saturating_sub(1);
        let (from, to) = data.bar(*height, last)?;
        let text = format!("heights {height} to {last}: {} per 100", short_number(*rate));
        Some((from, to, *rate, text))
    };
    let bars: Vec<(f64, f64, f64, String)> = rates.iter().filter_map(bar).collect();
    let highest = bars.iter().map(|(.., rate, _)| *rate).fold(0.0, f64::max);
    let marks = Mark::Bars(bars.iter().map(|(from, to, rate, _)| (*from, *to, *rate)).collect());
    let chart = Chart {
        name: "forks",
        title: "Stale blocks per hundred",
        description: "One bar per ten heights: the number of stale blocks per hundred blocks of the chain.",
        x: data.axis(bars.first().map_or(0.0, |bar| bar.0), bars.last().map_or(0.0, |bar| bar.1)),
        y: Axis::from_zero("stale per 100", highest, short_number),
        marks: data.bands().chain([marks]).collect(),
    };
    let hit = |(from, to, _, text)| Hit { from, to, text, block: None };
    Drawing { chart, hits: bars.into_iter().map(hit).collect() }
}

pub(super) fn transactions(data: &ChartData) -> Section {
    let count = |size: &BlockSize| size.transactions.unwrap_or(0) as f64;
    sizes(data, ("transactions", "Transactions in each block", "transactions"), count)
}

pub(super) fn bytes(data: &ChartData) -> Section {
    sizes(data, ("bytes", "Bytes in each block", "bytes"), |size| size.bytes as f64)
}

fn sizes(
    data: &ChartData,
    (name, title, unit): (&'static str, &'static str, &'static str),
    value: fn(&BlockSize) -> f64,
) -> Section {
    let values: Vec<(u64, f64)> =
        data.last(&data.block_sizes).iter().map(|(height, size)| (*height, value(size))).collect();
    let Some((_, latest)) = values.last() else { return Section::empty(html! {}, NO_BLOCKS) };
    let average = mean(values.iter().map(|(_, value)| *value)).unwrap_or(0.0);
    let y = Axis::from_zero(unit, most(&values), short_number).of_whole();
    let below = html! {
        p { strong { (short_number(average)) } " " (unit) " per block on average over the last "
            @if values.len() == 1 { "block" } @else { (values.len()) " blocks" } ". The largest block has "
            (whole_number(most(&values))) ", the newest " (whole_number(*latest)) "." }
    };
    Section { intro: html! {}, drawing: Some(bars(data, Frame { name, title, unit, y }, &values)), below }
}
