//! The page of charts. Each has its most important numbers beside it, all of them as CSV, and its drawing as SVG.

mod blocks;
mod csv;
mod data;
mod file;
mod finders;
mod money;
mod sections;
mod times;

pub(super) use csv::rows;
pub(crate) use data::{By, ChartData, ChartsQuery, ChartsView, RecordedBlocks};
pub(crate) use file::{file, make};

use crate::pages::errors;
use crate::state::ExplorerState;
use crate::view::Page;
use data::CHOICES;
use maud::{Markup, html};
use runtime::server::{Request, Response};
use sections::Section;
use shared::wire::Problem;
use std::sync::Arc;

/// A chart: its page's part, its drawing and its table.
struct Kind {
    /// Its name in addresses.
    name: &'static str,
    title: &'static str,
    section: fn(&ChartData) -> Section,
    table: fn(&ChartData) -> String,
    shown: Shown,
    /// Whether a recording has what it shows: not the contents of blocks, and nothing that an explorer measures.
    of_recordings: bool,
}

/// Where a chart is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Always,
    /// On networks with money.
    WithMoney,
    /// On networks without.
    WithoutMoney,
}

/// The charts in their order on the page.
#[rustfmt::skip] // a table
const KINDS: [Kind; 10] = [
    Kind { name: "difficulty", title: "Difficulty", section: blocks::difficulty, table: csv::difficulty,
        shown: Shown::Always, of_recordings: true },
    Kind { name: "interval", title: "Time between blocks", section: times::interval, table: csv::interval,
        shown: Shown::Always, of_recordings: true },
    Kind { name: "hashrate", title: "Hash rate", section: blocks::hash_rate, table: csv::hash_rate,
        shown: Shown::Always, of_recordings: true },
    Kind { name: "spread", title: "Time until every node has a block", section: times::spread, table: csv::spread,
        shown: Shown::Always, of_recordings: false },
    Kind { name: "forks", title: "Stale blocks", section: blocks::stale, table: csv::stale,
        shown: Shown::Always, of_recordings: true },
    Kind { name: "transactions", title: "Transactions per block", section: blocks::transactions,
        table: csv::transactions, shown: Shown::WithMoney, of_recordings: false },
    Kind { name: "pool", title: "Waiting transactions", section: money::pool, table: csv::pool,
        shown: Shown::WithMoney, of_recordings: false },
    Kind { name: "fees", title: "Fees", section: money::fees, table: csv::fees,
        shown: Shown::WithMoney, of_recordings: false },
    Kind { name: "finders", title: "Who found the blocks", section: finders::section, table: csv::finders,
        shown: Shown::WithMoney, of_recordings: true },
    Kind { name: "bytes", title: "Bytes per block", section: blocks::bytes, table: csv::bytes,
        shown: Shown::WithoutMoney, of_recordings: false },
];

impl Kind {
    fn is_shown(&self, data: &ChartData) -> bool {
        let is_of_network = match self.shown {
            Shown::Always => true,
            Shown::WithMoney => data.has_money,
            Shown::WithoutMoney => !data.has_money,
        };
        is_of_network && (self.of_recordings || !data.is_recorded)
    }
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    match ChartData::of(&explorer, ChartsView::of(&request)?).await {
        Ok(data) => Ok(Page { title: "Charts", place: "/charts", scripts: &[], main: render(&data) }.response()),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

pub(crate) fn render(data: &ChartData) -> Markup {
    html! {
        h1 { "Charts" }
        nav aria-label="How many blocks to show, and by what" {
            p {
                "The last "
                @for (place, blocks) in CHOICES.into_iter().enumerate() {
                    @if place > 0 { " · " }
                    (choice(data, ChartsView { block_count: blocks, ..data.view }, &blocks.to_string()))
                }
                " blocks, "
                (choice(data, ChartsView { by: By::Height, ..data.view }, "by height"))
                " · "
                (choice(data, ChartsView { by: By::Clock, ..data.view }, "by clock"))
            }
        }
        div #splits data-live="blocks" { (splits(data)) }
        div.charts {
            @for kind in KINDS.iter().filter(|kind| kind.is_shown(data)) { (section(data, kind)) }
        }
    }
}

fn choice(data: &ChartData, view: ChartsView, text: &str) -> Markup {
    html! {
        a href=(format!("/charts?{}", view.query())) aria-current=[(view == data.view).then_some("true")] { (text) }
    }
}

/// What the bands behind the charts mean.
fn splits(data: &ChartData) -> Markup {
    let count = data.splits().count();
    html! {
        @if count > 0 {
            p.muted {
                "The bands mark when the network was split: " (count) @if count == 1 { " time" } @else { " times" } ". "
                a href=(format!("/charts/splits.csv?{}", data.view.query())) { "When, as CSV" }
            }
        }
    }
}

fn section(data: &ChartData, kind: &Kind) -> Markup {
    let Kind { name, title, .. } = kind;
    let query = data.view.query();
    html! {
        section.card aria-labelledby=(format!("{name}-heading")) {
            h2 id=(format!("{name}-heading")) { (title) }
            div id=(format!("{name}-chart")) data-live="blocks" { ((kind.section)(data).render()) }
            p {
                a href=(format!("/charts/{name}.csv?{query}")) { "The numbers as CSV" } " · "
                a href=(format!("/charts/{name}.svg?{query}")) { "The drawing as SVG" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_sizes::BlockSize;
    use crate::header_cache::tests::chain;
    use crate::network::{PoolSample, SplitSpan, Spread};
    use crate::stats::StaleBlocks;
    use crate::view::snapshot;
    use shared::block::{Header, Timestamp};

    /// Blocks at these times, some with transactions.
    pub(super) fn data(times_ms: &[u64]) -> ChartData {
        let headers: Vec<Header> = chain(None, times_ms);
        let block_sizes = headers.iter().map(|header| {
            let transactions = usize::try_from(header.index.0 % 3).unwrap();
            (
                header.index.0,
                BlockSize {
                    bytes: 100 + 10 * transactions,
                    transactions: Some(transactions),
                    miner: Some(finder(transactions)),
                    fee_rate: (transactions > 0).then_some(1.5 * transactions as f64),
                },
            )
        });
        let block_sizes = block_sizes.collect();
        let stale_blocks =
            StaleBlocks { heights: headers.iter().map(|header| (header.index.0, header.index.0 % 2)).collect() };
        ChartData::sample(headers, block_sizes, stale_blocks)
    }

    /// Forty blocks, with a split and all that is measured.
    pub(super) fn measured() -> ChartData {
        let times: Vec<u64> = (0..40_u64).map(|n| n * 900 + n * n % 7 * 100).collect();
        let mut data = data(&times);
        let at = Timestamp::from_ms;
        let spread = |header: &Header| {
            let slow = if header.index.0 == 20 { 9000 } else { 0 };
            Spread { index: header.index, hash: header.hash(), ms: 20 + header.index.0 % 9 + slow }
        };
        data.measures.spreads = data.headers.iter().skip(10).map(spread).collect();
        let sample = |n: u64| PoolSample { at: at(n * 1000), count: n % 5, bytes: n % 5 * 300 };
        data.measures.pool = (10..36).map(sample).collect();
        data.measures.splits = [SplitSpan { since: at(17_000), healed: Some(at(22_000)) }].into();
        data
    }

    fn finder(number: usize) -> shared::ledger::Address {
        shared::keys::KeyPair::from_seed(["ada", "ben", "cleo"][number]).address()
    }

    #[test]
    fn a_chain_of_some_blocks() {
        let mut data = measured();
        snapshot("charts", &render(&data));
        data.view.by = By::Clock;
        snapshot("charts-by-clock", &render(&data));
    }

    #[test]
    fn an_empty_chain_and_one_block_are_no_error() {
        snapshot("charts-empty", &render(&data(&[])));
        for by in [By::Height, By::Clock] {
            let mut data = data(&[5000]);
            data.view.by = by;
            let one = render(&data).into_string();
            assert!(one.contains("<circle") && one.contains("from the second block on"), "{one}");
            assert!(!one.contains("NaN") && !one.contains("inf") && !one.contains("last 1 blocks"), "{one}");
        }
    }

    #[test]
    fn without_money_bytes_are_shown() {
        let mut data = data(&[1000, 2000, 3000]);
        data.has_money = false;
        let page = render(&data).into_string();
        assert!(page.contains("Bytes per block") && page.contains("/charts/bytes.csv"), "{page}");
        assert!(!page.contains("ransaction"), "{page}");
    }

    #[test]
    fn every_chart_has_a_title_and_no_inline_style() {
        let page = render(&measured()).into_string();
        assert!(!page.contains("style="), "{page}");
        assert_eq!(page.matches("<svg class=\"chart\"").count(), 8);
        assert_eq!((page.matches("<title id=").count(), page.matches("<desc").count()), (8, 8));
        // The histogram is over lengths of time, and a split is at none of them.
        assert_eq!(page.matches("class=\"band\"").count(), 7);
        assert!(page.contains("during a split</title>"), "{page}");
    }

    #[test]
    fn the_axis_is_switched_within_the_same_range() {
        let mut data = measured();
        data.view.block_count = 500;
        let by_height = render(&data).into_string();
        assert!(by_height.contains("href=\"/charts?blocks=500&amp;by=clock\">by clock"), "{by_height}");
        data.view.by = By::Clock;
        let by_clock = render(&data).into_string();
        assert!(by_clock.contains("href=\"/charts?blocks=500\">by height"), "{by_clock}");
        assert!(by_clock.contains("href=\"/charts?blocks=1000&amp;by=clock\">1000"), "{by_clock}");
        assert!(by_clock.contains("time (UTC)") && by_clock.contains(">00:00:10</text>"), "{by_clock}");
    }
}
