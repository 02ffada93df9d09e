//! The charts of times: between blocks, and until a block has reached every node.

use super::data::ChartData;
use super::sections::{Drawing, Frame, Section, bars, most, seconds};
use crate::stats::{self, Histogram, mean};
use crate::view::chart::{Axis, Chart, Hit, Mark, short_number};
use maud::html;

/// The axis of spreads ends at this multiple of the time that nine of ten blocks took; otherwise one split would
/// flatten all other bars.
const SPREAD_SHOWN: f64 = 3.0;

pub(super) fn interval(data: &ChartData) -> Section {
    let all = stats::intervals_ms(&data.headers);
    let intervals = data.last(&all);
    let target = seconds(data.target_ms as f64);
    let intro = html! {
        p { "Finding a block is pure chance: each hash is a lottery ticket. So most blocks follow quickly, and a few \
            take very long. The curve shows what chance alone would do: an exponential distribution around the target \
            of " (target) "." }
    };
    let Some(observed) = mean(intervals.iter().map(|(_, ms)| *ms as f64)) else {
        return Section::empty(intro, "Times between blocks are shown from the second block on.");
    };
    let histogram = Histogram::of(intervals, data.target_ms);
    let half_ms = data.target_ms as f64 * std::f64::consts::LN_2;
    let within = intervals.iter().filter(|(_, ms)| *ms as f64 <= half_ms).count();
    let percent = short_number(100.0 * within as f64 / intervals.len() as f64);
    let below = html! {
        p { "The average is " strong { (seconds(observed)) } "; target: " strong { (target) } ". About half should \
            arrive within " (seconds(half_ms)) "; of the last " (intervals.len()) ", " (percent) " % did. "
            @if histogram.longer > 0 {
                @let shown_ms = histogram.width_ms * histogram.counts.len() as f64;
                (histogram.longer) " took longer than the " (seconds(shown_ms)) " that the chart shows."
            }
        }
    };
    Section { intro, drawing: Some(histogram_chart(&histogram, data.target_ms)), below }
}

fn histogram_chart(histogram: &Histogram, target_ms: u64) -> Drawing {
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
    Drawing { chart, hits }
}

/// How long blocks took until every node had them.
pub(super) fn spread(data: &ChartData) -> Section {
    let intro = html! {
        p { "A new block travels from node to node. Until every node has it, some still mine on the block before, and \
            what they find then makes a fork. The explorer measures from the first node that reports a block to the \
            last." }
    };
    let values: Vec<(u64, f64)> = data.spreads().iter().map(|spread| (spread.index.0, spread.ms as f64)).collect();
    let mut sorted: Vec<f64> = values.iter().map(|(_, ms)| *ms).collect();
    sorted.sort_by(f64::total_cmp);
    let of_ten = |tenths: usize| sorted.get((sorted.len() * tenths / 10).min(sorted.len().saturating_sub(1))).copied();
    let (Some(half), Some(most_of_them)) = (of_ten(5), of_ten(9)) else {
        return Section::empty(intro, "The explorer has seen no block arrive at every node yet.");
    };
    let slowest = most(&values);
    let top = slowest.min(SPREAD_SHOWN * most_of_them.max(1.0));
    let y = Axis::from_zero("milliseconds", top, short_number);
    let end = y.high();
    let over = sorted.iter().filter(|ms| **ms > end).count();
    let frame = Frame { name: "spread", title: "Time until every node has a block", unit: "ms", y };
    let below = html! {
        dl {
            dt { "Half of them within" } dd { (seconds(half)) }
            dt { "Nine of ten within" } dd { (seconds(most_of_them)) }
            dt { "The slowest" } dd { (seconds(slowest)) }
        }
        @if over > 0 {
            p { (over) " took longer than the " (seconds(end)) " that the chart shows: a node was cut off or down." }
        }
    };
    Section { intro, drawing: Some(bars(data, frame, &values)), below }
}
