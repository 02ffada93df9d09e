//! Page charts: how hard the blocks were, how fast they came, what they carry, and how often the network disagreed.
//! Each chart has its key numbers in words beside it, and all of its numbers as CSV.

mod csv;
mod past;
mod sections;

pub(crate) use csv::csv;

use crate::pages::missing;
use crate::service::Explorer;
use crate::view::Page;
use maud::{Markup, html};
use past::Past;
use runtime::server::{Request, Response};
use shared::wire::Problem;

/// How many blocks can be looked back at.
const CHOICES: [usize; 5] = [100, 200, 500, 1000, 2000];

pub(crate) async fn page(explorer: &Explorer, request: &Request) -> Result<Response, Problem> {
    match Past::of(explorer, past::wanted(request)?).await {
        Ok(past) => Ok(Page { title: "Charts", place: "/charts", scripts: &[], main: render(&past) }.response()),
        Err(error) => Ok(missing::no_answer(&error)),
    }
}

fn render(past: &Past) -> Markup {
    html! {
        h1 { "Charts" }
        nav aria-label="How far to look back" {
            p {
                "The last "
                @for (place, blocks) in CHOICES.into_iter().enumerate() {
                    @if place > 0 { " · " }
                    a href=(format!("/charts?blocks={blocks}")) aria-current=[(blocks == past.wanted).then_some("true")] {
                        (blocks)
                    }
                }
                " blocks"
            }
        }
        div.charts {
            (section(past, "difficulty", "Difficulty", &sections::difficulty(past)))
            (section(past, "interval", "Time between blocks", &sections::interval(past)))
            (section(past, "hashrate", "Hash rate", &sections::hash_rate(past)))
            (section(past, "forks", "Fork rate", &sections::forks(past)))
            @if past.has_money {
                (section(past, "transactions", "Transactions per block", &sections::loads(past)))
            } @else {
                (section(past, "bytes", "Bytes per block", &sections::loads(past)))
            }
        }
    }
}

fn section(past: &Past, name: &str, title: &str, shown: &Markup) -> Markup {
    html! {
        section.card aria-labelledby=(format!("{name}-heading")) {
            h2 id=(format!("{name}-heading")) { (title) }
            div id=(format!("{name}-chart")) data-live="blocks" { (shown) }
            p { a href=(format!("/charts/{name}.csv?blocks={}", past.wanted)) { "The numbers as CSV" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Forks;
    use crate::headers::tests::chain;
    use crate::loads::Load;
    use crate::view::snapshot;
    use shared::block::Header;

    /// A past of blocks at these times, some of which carry something.
    pub(super) fn past(times_ms: &[u64]) -> Past {
        let headers: Vec<Header> = chain(None, times_ms);
        let loads = headers.iter().map(|header| {
            let transactions = usize::try_from(header.index.0 % 3).unwrap();
            (header.index.0, Load { bytes: 100 + 10 * transactions, transactions: Some(transactions) })
        });
        let loads = loads.collect();
        let forks = Forks { heights: headers.iter().map(|header| (header.index.0, header.index.0 % 2)).collect() };
        Past { headers, wanted: 200, forks, loads, aim_ms: 1000, has_money: true }
    }

    #[test]
    fn a_chain_of_some_blocks() {
        let times: Vec<u64> = (0..40_u64).map(|n| n * 900 + n * n % 7 * 100).collect();
        snapshot("charts", &render(&past(&times)));
    }

    #[test]
    fn an_empty_chain_and_one_block_are_no_error() {
        snapshot("charts-empty", &render(&past(&[])));
        let one = render(&past(&[5000])).into_string();
        assert!(one.contains("<circle") && one.contains("needs two blocks"), "{one}");
        assert!(!one.contains("NaN") && !one.contains("inf"), "{one}");
    }

    #[test]
    fn without_money_bytes_are_shown() {
        let page = render(&Past { has_money: false, ..past(&[1000, 2000, 3000]) }).into_string();
        assert!(page.contains("Bytes per block") && page.contains("/charts/bytes.csv"), "{page}");
        assert!(!page.contains("ransaction"), "{page}");
    }

    #[test]
    fn nothing_is_styled_inline_and_every_chart_says_what_it_is() {
        let page = render(&past(&[1000, 2000, 3500, 3600])).into_string();
        assert!(!page.contains("style="), "{page}");
        assert_eq!(page.matches("<svg").count(), 5);
        assert_eq!((page.matches("<title").count(), page.matches("<desc").count()), (5, 5));
    }
}
