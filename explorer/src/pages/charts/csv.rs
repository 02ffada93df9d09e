//! `/charts/<name>.csv`: the numbers of a chart, for a spreadsheet. Contains no text from other people.

use super::data::ChartData;
use super::{finders, money};
use crate::stats::{self, Histogram};
use shared::block::Timestamp;
use std::fmt::Display;

pub(super) fn difficulty(data: &ChartData) -> String {
    let of_blocks = data.shown().iter().map(|header| (header.index.0, header.difficulty.value()));
    by_height(data, "difficulty", of_blocks)
}

/// The bars of the histogram.
pub(super) fn interval(data: &ChartData) -> String {
    let all = stats::intervals_ms(&data.headers);
    let histogram = Histogram::of(data.last(&all), data.target_ms);
    let bars =
        histogram.counts.iter().zip(histogram.expected(data.target_ms)).enumerate().map(|(bar, (count, expected))| {
            let at = |bar: usize| format!("{:.0}", bar as f64 * histogram.width_ms);
            [at(bar), at(bar + 1), count.to_string(), format!("{expected:.3}")]
        });
    rows("from_ms,to_ms,blocks,expected_blocks", bars)
}

pub(super) fn hash_rate(data: &ChartData) -> String {
    let rates = stats::hash_rates(&data.headers);
    let of_blocks = data.last(&rates).iter().map(|(height, rate)| (*height, format!("{rate:.0}")));
    by_height(data, "hashes_per_second", of_blocks)
}

pub(super) fn spread(data: &ChartData) -> String {
    by_height(data, "milliseconds", data.spreads().iter().map(|spread| (spread.index.0, spread.ms)))
}

pub(super) fn stale(data: &ChartData) -> String {
    by_height(data, "stale_blocks", data.stale_blocks.heights.iter().copied())
}

pub(super) fn transactions(data: &ChartData) -> String {
    let counted = data.last(&data.block_sizes).iter();
    by_height(data, "transactions", counted.filter_map(|(height, size)| Some((*height, size.transactions?))))
}

pub(super) fn bytes(data: &ChartData) -> String {
    let sizes = data.last(&data.block_sizes).iter();
    by_height(data, "bytes", sizes.map(|(height, size)| (*height, size.bytes)))
}

pub(super) fn fees(data: &ChartData) -> String {
    let rates = money::rates(data).into_iter().map(|(height, rate)| (height, format!("{rate:.3}")));
    by_height(data, "median_grains_per_byte", rates)
}

pub(super) fn pool(data: &ChartData) -> String {
    let samples = data.pool().iter();
    let samples = samples.map(|sample| [sample.at.to_string(), sample.count.to_string(), sample.bytes.to_string()]);
    rows("timestamp,transactions,bytes", samples)
}

pub(super) fn finders(data: &ChartData) -> String {
    let counts = finders::counts(data);
    rows("address,blocks", counts.iter().map(|(miner, blocks)| [miner.to_string(), blocks.to_string()]))
}

/// When the network was split: what the bands of the other charts show.
pub(super) fn splits(data: &ChartData) -> String {
    let splits = data
        .splits()
        .map(|split| [split.since.to_string(), split.healed.as_ref().map_or(String::new(), Timestamp::to_string)]);
    rows("since,healed", splits)
}

/// A value per block, between its height and its time.
fn by_height<T: Display>(data: &ChartData, name: &str, values: impl Iterator<Item = (u64, T)>) -> String {
    let line = |(height, value): (u64, T)| {
        let time = data.time_of(height).map_or(String::new(), |time| time.to_string());
        [height.to_string(), value.to_string(), time]
    };
    rows(&format!("height,{name},timestamp"), values.map(line))
}

/// A line of names, then one line per row (RFC 4180).
pub(in crate::pages) fn rows<T: Display, const N: usize>(names: &str, rows: impl Iterator<Item = [T; N]>) -> String {
    let line = |row: [T; N]| row.map(|value| value.to_string()).join(",");
    let lines = std::iter::once(names.to_owned()).chain(rows.map(line));
    lines.map(|line| line + "\r\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{PoolSample, SplitSpan, Spread};
    use crate::pages::charts::tests::data;
    use shared::block::Height;

    /// The lines without the times, which all are in the first minute of 1970.
    fn short(table: &str) -> String {
        table.replace("1970-01-01T00:00:0", "").replace('\r', "")
    }

    #[test]
    fn each_row_has_a_line() {
        let mut data = data(&[1000, 1500, 3500]);
        assert_eq!(
            difficulty(&data).lines().nth(1),
            Some("1,1000,1970-01-01T00:00:01.000Z"),
            "a table has the height and the time"
        );
        assert_eq!(short(&hash_rate(&data)), "height,hashes_per_second,timestamp\n2,2000,1.500Z\n3,800,3.500Z\n");
        let transactions = "height,transactions,timestamp\n1,1,1.000Z\n2,2,1.500Z\n3,0,3.500Z\n";
        assert_eq!(short(&super::transactions(&data)), transactions);
        assert_eq!(short(&bytes(&data)), "height,bytes,timestamp\n1,110,1.000Z\n2,120,1.500Z\n3,100,3.500Z\n");
        assert_eq!(short(&stale(&data)), "height,stale_blocks,timestamp\n1,1,1.000Z\n2,0,1.500Z\n3,1,3.500Z\n");
        assert_eq!(short(&fees(&data)), "height,median_grains_per_byte,timestamp\n1,1.500,1.000Z\n2,3.000,1.500Z\n");
        let finders = finders(&data);
        assert!(finders.lines().count() == 4 && finders.lines().skip(1).all(|line| line.ends_with(",1")), "{finders}");
        let interval = interval(&data);
        assert!(interval.starts_with("from_ms,to_ms,blocks,expected_blocks\r\n0,250,0,"), "{interval}");
        assert_eq!(interval.lines().count(), 25);
        let at = Timestamp::from_ms;
        data.measures.pool = [500, 1500].map(|ms| PoolSample { at: at(ms), count: ms / 100, bytes: ms }).into();
        assert_eq!(short(&pool(&data)), "timestamp,transactions,bytes\n1.500Z,15,1500\n", "since the first block");
        data.measures.splits = [SplitSpan { since: at(500), healed: Some(at(2000)) }].into();
        assert_eq!(short(&splits(&data)), "since,healed\n0.500Z,2.000Z\n");
        let (known, unknown) = (data.headers[1].hash(), shared::block::BlockHash::ZERO);
        data.measures.spreads = [known, unknown].map(|hash| Spread { index: Height(2), hash, ms: 7 }).into();
        assert_eq!(short(&spread(&data)), "height,milliseconds,timestamp\n2,7,1.500Z\n");
    }

    #[test]
    fn the_number_of_blocks_is_as_requested() {
        let mut data = data(&[1000, 1500, 3500]);
        data.view.block_count = 1;
        for table in [difficulty, hash_rate, transactions, bytes] {
            assert_eq!(table(&data).lines().count(), 2);
        }
    }
}
