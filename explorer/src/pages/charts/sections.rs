//! The charts, each with an explanation and its most important numbers.

use super::data::ChartData;
use crate::block_sizes::BlockSize;
use crate::stats::{self, HEIGHTS_PER_BAR, Histogram, mean};
use crate::view::chart::{Axis, Chart, Hit, Mark, short_number, whole_number};
use maud::{Markup, html};

pub(super) fn difficulty(data: &ChartData) -> Markup {
    let values = stats::difficulties(data.shown());
    let intro = html! {
        p { "The difficulty is the number of hashes that it takes to find a block, on average. The network adjusts it \
            to keep the time between blocks steady, even if miners come and go." }
    };
    let Some((_, last)) = values.last() else { return html! { (intro) (no_blocks()) } };
    html! {
        (intro)
        (over_heights("difficulty", "Difficulty at each height", "hashes", &values))
        dl {
            dt { "Now" } dd { (whole_number(*last)) }
            dt { "Lowest" } dd { (whole_number(least(&values))) }
            dt { "Highest" } dd { (whole_number(most(&values))) }
        }
    }
}

pub(super) fn interval(data: &ChartData) -> Markup {
    let all = stats::intervals_ms(&data.headers);
    let intervals = data.last(&all);
    let target = seconds(data.target_ms as f64);
    let intro = html! {
        p { "Finding a block is pure chance: each hash is a lottery ticket. So most blocks follow quickly, and a few \
            take very long. The curve shows what chance alone would do: an exponential distribution around the target \
            of " (target) "." }
    };
    let Some(observed) = mean(intervals.iter().map(|(_, ms)| *ms as f64)) else {
        return html! { (intro) p.muted { "Times between blocks are shown from the second block on." } };
    };
    let histogram = Histogram::of(intervals, data.target_ms);
    let half_ms = data.target_ms as f64 * std::f64::consts::LN_2;
    let within = intervals.iter().filter(|(_, ms)| *ms as f64 <= half_ms).count();
    let percent = short_number(100.0 * within as f64 / intervals.len() as f64);
    html! {
        (intro)
        (histogram_chart(&histogram, data.target_ms))
        p { "The average is " strong { (seconds(observed)) } "; target: " strong { (target) } ". About half should \
            arrive within " (seconds(half_ms)) "; of the last " (intervals.len()) ", " (percent) " % did. "
            @if histogram.longer > 0 {
                @let shown_ms = histogram.width_ms * histogram.counts.len() as f64;
                (histogram.longer) " took longer than the " (seconds(shown_ms)) " that the chart shows."
            }
        }
    }
}

fn histogram_chart(histogram: &Histogram, target_ms: u64) -> Markup {
    let width = histogram.width_ms / 1000.0;
    let place = |bar: usize| bar as f64 * width;
    let bars = histogram.counts.iter().enumerate().map(|(bar, count)| (place(bar), place(bar + 1), *count as f64));
    let expected = histogram.expected(target_ms);
    let curve = expected.iter().enumerate().map(|(bar, count)| (place(bar) + width / 2.0, *count)).collect();
    let highest =
        expected.iter().copied().chain(histogram.counts.iter().map(|count| *count as f64)).fold(0.0, f64::max);
    let chart = Chart {
        name: "interval",
        title: "Histogram of the times between blocks",
        description: "Bars: how many blocks took each time. Curve: how many should by chance alone.",
        x: Axis::between("seconds since the block before", 0.0, place(histogram.counts.len()), short_number),
        y: Axis::from_zero("blocks", highest, short_number).of_whole(),
        marks: vec![Mark::Bars(bars.collect()), Mark::Expected(curve)],
    };
    let hits: Vec<Hit> = (0..histogram.counts.len())
        .map(|bar| Hit {
            from: place(bar),
            to: place(bar + 1),
            text: format!(
                "{} s to {} s: {} blocks, {} expected",
                short_number(place(bar)),
                short_number(place(bar + 1)),
                histogram.counts[bar],
                short_number(expected[bar])
            ),
            block: None,
        })
        .collect();
    chart.render_with(&hits)
}

pub(super) fn hash_rate(data: &ChartData) -> Markup {
    let all = stats::hash_rates(&data.headers);
    let rates = data.last(&all);
    let intro = html! {
        p { "The hash rate is how many hashes all miners together try per second. Nobody can count them \
            directly, but dividing the work in 20 blocks by the time they took gives an estimate." }
    };
    let Some((_, last)) = rates.last() else {
        return html! { (intro) p.muted { "The hash rate is estimated from the second block on." } };
    };
    html! {
        (intro)
        (over_heights("hashrate", "Hash rate of the network at each height", "hashes per second", rates))
        dl {
            dt { "Now" } dd { (short_number(*last)) "H/s" }
            dt { "Lowest" } dd { (short_number(least(rates))) "H/s" }
            dt { "Highest" } dd { (short_number(most(rates))) "H/s" }
        }
    }
}

pub(super) fn stale_blocks(data: &ChartData) -> Markup {
    let intro = html! {
        p { "If two miners find a block at about the same time, the chain forks for a moment. The block that loses is \
            called stale. If blocks come faster than news spreads, there are more stale blocks." }
    };
    let rates = data.stale_blocks.rates();
    let (Some(rate), Some((lowest, ..))) = (data.stale_blocks.rate(), rates.first()) else {
        return html! { (intro) p.muted { "The explorer has seen no blocks yet." } };
    };
    let (stale, observed) = (data.stale_blocks.stale(), data.stale_blocks.heights.len());
    let end = data.stale_blocks.heights.last().map_or(*lowest, |(height, _)| *height) + 1;
    let begins = |height: u64| height as f64;
    let bars = rates.iter().map(|(height, blocks, rate)| (begins(*height), begins(height + blocks), *rate));
    let chart = Chart {
        name: "forks",
        title: "Stale blocks per hundred",
        description: "One bar per ten heights: the number of stale blocks per hundred blocks of the chain.",
        x: Axis::between("height", begins(*lowest), begins(end), whole_number).of_whole(),
        y: Axis::from_zero("stale per 100", rates.iter().map(|(.., rate)| *rate).fold(0.0, f64::max), short_number),
        marks: vec![Mark::Bars(bars.collect())],
    };
    let hit = |(height, blocks, rate): &(u64, u64, f64)| {
        let text = format!("heights {height} to {}: {} per 100", height + blocks - 1, short_number(*rate));
        Hit { from: begins(*height), to: begins(height + blocks), text, block: None }
    };
    html! {
        (intro)
        (chart.render_with(&rates.iter().map(hit).collect::<Vec<_>>()))
        p { strong { (stale) } @if stale == 1 { " stale block" } @else { " stale blocks" } " among the last "
            @if observed == 1 { "height" } @else { (observed) " heights" } ": "
            strong { (short_number(rate)) } " per 100 blocks. Each bar covers " (HEIGHTS_PER_BAR)
            " heights. The explorer does not know of forks before its start." }
    }
}

/// Transactions per block, or bytes on a network without money.
pub(super) fn block_sizes(data: &ChartData) -> Markup {
    let (name, title, unit, value): (_, _, _, fn(&BlockSize) -> f64) = if data.has_money {
        let count: fn(&BlockSize) -> f64 = |size| size.transactions.unwrap_or(0) as f64;
        ("transactions", "Transactions in each block", "transactions", count)
    } else {
        ("bytes", "Bytes in each block", "bytes", |size| size.bytes as f64)
    };
    let values: Vec<(u64, f64)> =
        data.last(&data.block_sizes).iter().map(|(height, size)| (*height, value(size))).collect();
    let (Some((first, _)), Some((last, latest))) = (values.first(), values.last()) else { return no_blocks() };
    let bars = values.iter().map(|(height, value)| (*height as f64, *height as f64 + 1.0, *value)).collect();
    let average = mean(values.iter().map(|(_, value)| *value)).unwrap_or(0.0);
    let chart = Chart {
        name,
        title,
        description: "One bar per block.",
        x: Axis::between("height", *first as f64, *last as f64 + 1.0, whole_number).of_whole(),
        y: Axis::from_zero(unit, most(&values), short_number).of_whole(),
        marks: vec![Mark::Bars(bars)],
    };
    let hit = |(height, value): &(u64, f64)| {
        let text = format!("block {height}: {} {unit}", whole_number(*value));
        Hit { from: *height as f64, to: *height as f64 + 1.0, text, block: Some(*height) }
    };
    html! {
        (chart.render_with(&values.iter().map(hit).collect::<Vec<_>>()))
        p { strong { (short_number(average)) } " " (unit) " per block on average over the last "
            @if values.len() == 1 { "block" } @else { (values.len()) " blocks" } ". The largest block has "
            (whole_number(most(&values))) ", the newest " (whole_number(*latest)) "."
                }
    }
}

fn over_heights(name: &str, title: &str, unit: &'static str, values: &[(u64, f64)]) -> Markup {
    let place = |value: Option<&(u64, f64)>| value.map_or(0.0, |(height, _)| *height as f64);
    let chart = Chart {
        name,
        title,
        description: "A line over the heights of the blocks.",
        x: Axis::between("height", place(values.first()), place(values.last()), whole_number).of_whole(),
        y: Axis::from_zero(unit, most(values), short_number),
        marks: vec![Mark::Line(values.iter().map(|(height, value)| (*height as f64, *value)).collect())],
    };
    let hit = |(height, value): &(u64, f64)| {
        let middle = *height as f64;
        let text = format!("block {height}: {} {unit}", whole_number(*value));
        Hit { from: middle - 0.5, to: middle + 0.5, text, block: Some(*height) }
    };
    chart.render_with(&values.iter().map(hit).collect::<Vec<_>>())
}

fn no_blocks() -> Markup {
    html! { p.muted { "There are no blocks yet." } }
}

fn least(values: &[(u64, f64)]) -> f64 {
    values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min)
}

fn most(values: &[(u64, f64)]) -> f64 {
    values.iter().map(|(_, value)| *value).fold(0.0, f64::max)
}

fn seconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{} ms", short_number(ms)) } else { format!("{} s", short_number(ms / 1000.0)) }
}
