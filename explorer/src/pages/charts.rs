//! The page of charts: difficulty, time between blocks, hash rate, stale blocks and block sizes. Each chart has its
//! most important numbers beside it, and all of them as CSV.

mod csv;
mod data;
mod finders;
mod sections;

pub(super) use csv::rows;
pub(crate) use csv::{csv, table};
pub(crate) use data::{ChartData, ChartsQuery, clamped};

use crate::pages::errors;
use crate::state::ExplorerState;
use crate::view::Page;
use data::CHOICES;
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::wire::Problem;
use std::sync::Arc;

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    match ChartData::of(&explorer, data::block_count(&request)?).await {
        Ok(data) => Ok(Page { title: "Charts", place: "/charts", scripts: &[], main: render(&data) }.response()),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

pub(crate) fn render(data: &ChartData) -> Markup {
    html! {
        h1 { "Charts" }
        nav aria-label="How many blocks to show" {
            p {
                "The last "
                @for (place, blocks) in CHOICES.into_iter().enumerate() {
                    @if place > 0 { " · " }
                    a href=(format!("/charts?blocks={blocks}")) aria-current=[(blocks ==
                        data.block_count).then_some("true")] {
                        (blocks)
                    }
                }
                " blocks"
            }
        }
        div.charts {
            (section(data, "difficulty", "Difficulty", &sections::difficulty(data)))
            (section(data, "interval", "Time between blocks", &sections::interval(data)))
            (section(data, "hashrate", "Hash rate", &sections::hash_rate(data)))
            (section(data, "forks", "Stale blocks", &sections::stale_blocks(data)))
            @if data.has_sizes && data.has_money {
                (section(data, "transactions", "Transactions per block", &sections::block_sizes(data)))
            } @else if data.has_sizes {
                (section(data, "bytes", "Bytes per block", &sections::block_sizes(data)))
            }
            @if data.has_money { (section(data, "finders", "Who found the blocks", &finders::draw(data))) }
        }
    }
}

fn section(data: &ChartData, name: &str, title: &str, shown: &Markup) -> Markup {
    html! {
        section.card aria-labelledby=(format!("{name}-heading")) {
            h2 id=(format!("{name}-heading")) { (title) }
            div id=(format!("{name}-chart")) data-live="blocks" { (shown) }
            p { a href=(format!("/charts/{name}.csv?blocks={}", data.block_count)) { "The numbers as CSV" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_sizes::BlockSize;
    use crate::header_cache::tests::chain;
    use crate::stats::StaleBlocks;
    use crate::view::snapshot;
    use shared::block::Header;

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
                },
            )
        });
        let block_sizes = block_sizes.collect();
        let stale_blocks =
            StaleBlocks { heights: headers.iter().map(|header| (header.index.0, header.index.0 % 2)).collect() };
        ChartData {
            headers,
            block_count: 200,
            stale_blocks,
            block_sizes,
            target_ms: 1000,
            has_money: true,
            has_sizes: true,
        }
    }

    fn finder(number: usize) -> shared::ledger::Address {
        shared::keys::KeyPair::from_seed(["ada", "ben", "cleo"][number]).address()
    }

    #[test]
    fn a_chain_of_some_blocks() {
        let times: Vec<u64> = (0..40_u64).map(|n| n * 900 + n * n % 7 * 100).collect();
        snapshot("charts", &render(&data(&times)));
    }

    #[test]
    fn an_empty_chain_and_one_block_are_no_error() {
        snapshot("charts-empty", &render(&data(&[])));
        let one = render(&data(&[5000])).into_string();
        assert!(one.contains("<circle") && one.contains("from the second block on"), "{one}");
        assert!(!one.contains("NaN") && !one.contains("inf") && !one.contains("last 1 blocks"), "{one}");
    }

    #[test]
    fn without_money_bytes_are_shown() {
        let page = render(&ChartData { has_money: false, ..data(&[1000, 2000, 3000]) }).into_string();
        assert!(page.contains("Bytes per block") && page.contains("/charts/bytes.csv"), "{page}");
        assert!(!page.contains("ransaction"), "{page}");
    }

    #[test]
    fn every_chart_has_a_title_and_no_inline_style() {
        let page = render(&data(&[1000, 2000, 3500, 3600])).into_string();
        assert!(!page.contains("style="), "{page}");
        assert_eq!(page.matches("<svg class=\"chart\"").count(), 5);
        assert_eq!((page.matches("<title id=").count(), page.matches("<desc").count()), (5, 5));
    }
}
