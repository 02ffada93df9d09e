//! `/charts/<name>.csv`: the numbers of a chart, for a spreadsheet. Contains no text from other people.

use super::data::{ChartData, block_count};
use super::finders;
use crate::pages::errors;
use crate::state::ExplorerState;
use crate::stats::{self, Histogram};
use crate::view;
use http::StatusCode;
use maud::html;
use runtime::server::{Request, Response, reply};
use shared::wire::Problem;
use std::fmt::Display;
use std::sync::Arc;

pub(crate) async fn csv(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [file] = request.params()?;
    let block_count = block_count(&request)?;
    let Some(table) = file.strip_suffix(".csv").and_then(table) else {
        return Ok(errors::not_found(html! { "There is no chart " (view::sanitized(file)) "." }));
    };
    Ok(match ChartData::of(&explorer, block_count).await {
        Ok(data) => reply::whole(StatusCode::OK, "text/csv; charset=utf-8", table(&data).into()),
        Err(error) => errors::no_answer(&error),
    })
}

/// The table of a chart, by its name.
pub(crate) fn table(name: &str) -> Option<fn(&ChartData) -> String> {
    Some(match name {
        "difficulty" => |data| {
            rows("height,difficulty", data.shown().iter().map(|header| [header.index.0, header.difficulty.value()]))
        },
        "interval" => interval,
        "hashrate" => |data| {
            let rates = stats::hash_rates(&data.headers);
            let rate = |(height, rate): &(u64, f64)| [height.to_string(), format!("{rate:.0}")];
            rows("height,hashes_per_second", data.last(&rates).iter().map(rate))
        },
        "forks" => |data| {
            let heights = data.stale_blocks.heights.iter();
            rows("height,stale_blocks", heights.map(|(height, stale)| [*height, *stale]))
        },
        "transactions" => |data| {
            let counted = data.last(&data.block_sizes).iter();
            let counted = counted.filter_map(|(height, size)| Some([*height, size.transactions? as u64]));
            rows("height,transactions", counted)
        },
        "finders" => |data| {
            rows(
                "address,blocks",
                finders::counts(data).iter().map(|(miner, blocks)| [miner.to_string(), blocks.to_string()]),
            )
        },
        "bytes" => |data| {
            let block_sizes = data.last(&data.block_sizes).iter();
            rows("height,bytes", block_sizes.map(|(height, size)| [*height, size.bytes as u64]))
        },
        _ => return None,
    })
}

/// The bars of the histogram.
fn interval(data: &ChartData) -> String {
    let all = stats::intervals_ms(&data.headers);
    let histogram = Histogram::of(data.last(&all), data.target_ms);
    let bars =
        histogram.counts.iter().zip(histogram.expected(data.target_ms)).enumerate().map(|(bar, (count, expected))| {
            let at = |bar: usize| format!("{:.0}", bar as f64 * histogram.width_ms);
            [at(bar), at(bar + 1), count.to_string(), format!("{expected:.3}")]
        });
    rows("from_ms,to_ms,blocks,expected_blocks", bars)
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
    use crate::pages::charts::tests::data;

    #[test]
    fn each_row_has_a_line() {
        let data = data(&[1000, 1500, 3500]);
        let shown = |name: &str| table(name).unwrap()(&data);
        assert_eq!(shown("difficulty"), "height,difficulty\r\n1,1000\r\n2,1000\r\n3,1000\r\n");
        assert_eq!(shown("hashrate"), "height,hashes_per_second\r\n2,2000\r\n3,800\r\n");
        assert_eq!(shown("transactions"), "height,transactions\r\n1,1\r\n2,2\r\n3,0\r\n");
        assert_eq!(shown("bytes"), "height,bytes\r\n1,110\r\n2,120\r\n3,100\r\n");
        assert_eq!(shown("forks"), "height,stale_blocks\r\n1,1\r\n2,0\r\n3,1\r\n");
        let finders = shown("finders");
        assert!(finders.lines().count() == 4 && finders.lines().skip(1).all(|line| line.ends_with(",1")), "{finders}");
        let interval = shown("interval");
        assert!(interval.starts_with("from_ms,to_ms,blocks,expected_blocks\r\n0,250,0,"), "{interval}");
        assert_eq!(interval.lines().count(), 25);
        assert!(table("hashes").is_none());
    }

    #[test]
    fn the_number_of_blocks_is_as_requested() {
        let data = ChartData { block_count: 1, ..data(&[1000, 1500, 3500]) };
        for name in ["difficulty", "hashrate", "transactions", "bytes"] {
            assert_eq!(table(name).unwrap()(&data).lines().count(), 2, "{name}");
        }
    }
}
