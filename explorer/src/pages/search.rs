//! Search: reads what a person typed or pasted, and leads to the page that it names.

mod find;
mod term;

use super::errors;
use crate::names::Cast;
use crate::state::ExplorerState;
use crate::view::{self, Page, block_link, redirect, sanitized, transaction_link};
use find::{HashMatches, SearchResult, find};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use serde::Deserialize;
use shared::wire::Problem;
use std::sync::Arc;
use term::SearchTerm;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    /// A name, a height, hash, id or address, also shortened, a coin, a node's `host:port`, or the address of a page.
    #[serde(default)]
    q: String,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let SearchQuery { q } = request.query()?;
    if let Some(path) = of_name(&q, &view::cast()) {
        return redirect(&path);
    }
    match find(&explorer, SearchTerm::parse(&q)).await {
        Ok(Some(SearchResult::One(path))) => redirect(&path),
        Ok(Some(found)) => Ok(Page { title: "Search", place: "", scripts: &[], main: render(&q, &found) }.response()),
        Ok(None) => Ok(errors::not_found(nothing(&q))),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

/// The page of a person or of a node, as pages name them: `Ada`, `A`, `A (Ada)`.
fn of_name(typed: &str, cast: &Cast) -> Option<String> {
    let name = typed.split_once('(').map_or(typed, |(letter, _)| letter).trim();
    let person = || cast.find(name).map(|address| format!("/address/{address}"));
    let node = || cast.find_node(name).map(|node| format!("/node/{node}"));
    if name.is_empty() { None } else { node().or_else(person) }
}

fn render(typed: &str, found: &SearchResult) -> Markup {
    html! {
        h1 { "Search" }
        p { "More than one thing matches " (quoted(typed)) ":" }
        @match found {
            SearchResult::One(path) => p { a href=(path) { (path) } },
            SearchResult::Hashes(HashMatches { blocks, transactions }) => ul {
                @for block in blocks { li { "block " (block.index) " " (block_link(block.hash)) } }
                @for id in transactions { li { "transaction " (transaction_link(*id)) } }
            },
            SearchResult::Addresses { found, are_more } => {
                ul { @for each in found { li { a.hash href={ "/address/" (each.address) } { (each.address) } " "
                    (view::amount(each.balance)) } } }
                @if *are_more { p.muted { "And more. Type another character or two." } }
            }
        }
    }
}

fn nothing(typed: &str) -> Markup {
    html! {
        @if typed.trim().is_empty() { "The search was empty." } @else {
            "No match for " (quoted(typed)) ". The beginning of a hash or id is enough if the block or \
                transaction is among the newest; otherwise all 64 digits are needed. The beginning of an address is \
                enough if the address ever had money."
        }
    }
}

fn quoted(typed: &str) -> Markup {
    const SHOWN: usize = 100;
    html! { "“" (sanitized(&typed.trim().chars().take(SHOWN).collect::<String>())) "”" }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use shared::ledger::Amount;
    use shared::wire::AddressBalance;

    #[test]
    fn several_addresses() {
        let found =
            ["alice", "bob"].map(|seed| AddressBalance { address: samples::address(seed), balance: Amount::MAX });
        let found = SearchResult::Addresses { found: found.to_vec(), are_more: true };
        snapshot("search", &render("LAB1q", &found));
    }

    #[test]
    fn a_hostile_text_stays_text() {
        samples::assert_harmless(&nothing(samples::HOSTILE).into_string());
        samples::assert_harmless(
            &render(samples::HOSTILE, &SearchResult::Hashes(HashMatches::default())).into_string(),
        );
    }
}
