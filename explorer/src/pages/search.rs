//! Search: reads what a person typed or pasted, and leads to the page that it names.

use super::errors;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, block_link, redirect, sanitized};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use serde::Deserialize;
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{Address, TransactionId};
use shared::wire::{AddressBalance, Problem};
use std::sync::Arc;

/// Longer texts name nothing. An address has 63 characters.
const MAX_CHARS: usize = 64;
/// Most results that are listed.
const MAX_RESULTS: usize = 50;
/// The beginning of all addresses.
const PREFIX: &str = "lab1";

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    /// A height, hash, id or address, or the beginning of one.
    #[serde(default)]
    q: String,
}

/// What a text may name.
#[derive(Debug, PartialEq, Eq)]
enum SearchTerm {
    Height(u64),
    /// The hash of a block or the id of a transaction, which look alike.
    Hash(BlockHash, TransactionId),
    /// The first digits of a hash.
    HashPrefix(String),
    Address(Address),
    /// The first characters of an address.
    AddressPrefix(String),
    Nothing,
}

#[derive(Debug)]
enum SearchResult {
    /// The path of a page.
    One(String),
    Blocks(Vec<BlockId>),
    Addresses {
        found: Vec<AddressBalance>,
        are_more: bool,
    },
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let SearchQuery { q } = request.query()?;
    match find(&explorer, parse(&q)).await {
        Ok(Some(SearchResult::One(path))) => redirect(&path),
        Ok(Some(found)) => Ok(Page { title: "Search", place: "", scripts: &[], main: render(&q, &found) }.response()),
        Ok(None) => Ok(errors::not_found(nothing(&q))),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

/// Reads a text; white space and case do not matter.
fn parse(typed: &str) -> SearchTerm {
    let text: String =
        typed.chars().filter(|c| !c.is_whitespace()).take(MAX_CHARS + 1).collect::<String>().to_lowercase();
    let text = text.trim_start_matches('#').trim_end_matches('…');
    if text.is_empty() || text.len() > MAX_CHARS || !text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return SearchTerm::Nothing;
    }
    if let (Ok(hash), Ok(id)) = (text.parse(), text.parse()) {
        return SearchTerm::Hash(hash, id);
    }
    if let Ok(height) = text.parse() {
        return SearchTerm::Height(height);
    }
    if text.starts_with(PREFIX) || PREFIX.starts_with(text) {
        return text.parse().map_or_else(|_| SearchTerm::AddressPrefix(text.to_owned()), SearchTerm::Address);
    }
    if text.bytes().all(|c| c.is_ascii_hexdigit()) {
        SearchTerm::HashPrefix(text.to_owned())
    } else {
        SearchTerm::Nothing
    }
}

async fn find(explorer: &ExplorerState, parse: SearchTerm) -> Result<Option<SearchResult>, UpstreamError> {
    match parse {
        SearchTerm::Height(height) => {
            Ok(height_is_there(explorer, height).then(|| SearchResult::One(format!("/block/{height}"))))
        }
        SearchTerm::Hash(hash, id) => hash_or_id(explorer, hash, id).await,
        SearchTerm::HashPrefix(prefix) => Ok(blocks(explorer, &prefix)),
        SearchTerm::Address(address) => Ok(Some(SearchResult::One(format!("/address/{address}")))),
        SearchTerm::AddressPrefix(prefix) => addresses(explorer, prefix).await,
        SearchTerm::Nothing => Ok(None),
    }
}

fn height_is_there(explorer: &ExplorerState, height: u64) -> bool {
    explorer.network().tip().is_some_and(|tip| Height(height) <= tip.index)
}

async fn hash_or_id(
    explorer: &ExplorerState,
    hash: BlockHash,
    id: TransactionId,
) -> Result<Option<SearchResult>, UpstreamError> {
    match explorer.upstream.block(hash).await {
        Ok(_) => return Ok(Some(SearchResult::One(format!("/block/{hash}")))),
        Err(error) if !error.is_not_found() && !matches!(error, UpstreamError::NoneKnown(_)) => return Err(error),
        Err(_) => {}
    }
    if !explorer.params.layer.has_money() {
        return Ok(None);
    }
    match explorer.upstream.transaction(id).await {
        Ok(_) => Ok(Some(SearchResult::One(format!("/transaction/{id}")))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last blocks whose hashes begin with `prefix`.
fn blocks(explorer: &ExplorerState, prefix: &str) -> Option<SearchResult> {
    let state = explorer.network();
    let begins = state.blocks.values().filter(|block| block.hash.to_string().starts_with(prefix));
    let found: Vec<_> =
        begins.map(|block| BlockId { index: block.index, hash: block.hash }).take(MAX_RESULTS).collect();
    match &*found {
        [] => None,
        [one] => Some(SearchResult::One(format!("/block/{}", one.hash))),
        _ => Some(SearchResult::Blocks(found)),
    }
}

async fn addresses(explorer: &ExplorerState, prefix: String) -> Result<Option<SearchResult>, UpstreamError> {
    if !explorer.params.layer.has_money() {
        return Ok(None);
    }
    let prefix = prefix.to_owned();
    let request = async move |client: &runtime::client::Client, mempool: &str| {
        client.balances(mempool, &prefix, None, MAX_RESULTS).await
    };
    let answer = explorer.upstream.mempool(request).await?;
    let are_more = answer.next.is_some();
    let found: Vec<_> = answer.entries.into_iter().take(MAX_RESULTS).collect();
    Ok(match &*found {
        [] => None,
        [one] => Some(SearchResult::One(format!("/address/{}", one.address))),
        _ => Some(SearchResult::Addresses { found, are_more }),
    })
}

fn render(typed: &str, found: &SearchResult) -> Markup {
    html! {
        h1 { "Search" }
        p { "More than one thing begins with " (quoted(typed)) ":" }
        @match found {
            SearchResult::One(path) => p { a href=(path) { (path) } },
            SearchResult::Blocks(blocks) => ul { @for block in blocks { li { "block " (block.index) " "
                (block_link(block.hash)) } } },
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
            "Nothing was found for " (quoted(typed)) ". The hash of a block or the id of a transaction must be \
                complete, with all 64 digits, "
            "unless the block is one of the newest. The beginning of an address is enough if the address ever had \
                money."
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

    #[test]
    fn a_text_is_read_as_what_it_names() {
        let (hash, alice) = ("0a".repeat(32), samples::address("alice"));
        let both = || SearchTerm::Hash(hash.parse().expect("a hash"), hash.parse().expect("an id"));
        let prefix = |text: &str| SearchTerm::AddressPrefix(text.to_owned());
        for (typed, expected) in [
            ("5", SearchTerm::Height(5)),
            (" #12\n", SearchTerm::Height(12)),
            ("18446744073709551616", SearchTerm::HashPrefix("18446744073709551616".to_owned())),
            (&hash, both()),
            (&hash.to_uppercase(), both()),
            (&format!(" {} {} ", &hash[..32], &hash[32..]), both()),
            ("000a1B…", SearchTerm::HashPrefix("000a1b".to_owned())),
            (alice.as_str(), SearchTerm::Address(alice)),
            (&alice.as_str().to_uppercase(), SearchTerm::Address(alice)),
            ("LAB1QW3", prefix("lab1qw3")),
            ("lab", prefix("lab")),
            (&alice.as_str().replace('y', "x"), prefix(&alice.as_str().replace('y', "x"))),
            ("", SearchTerm::Nothing),
            ("  ", SearchTerm::Nothing),
            ("//evil.example", SearchTerm::Nothing),
            ("lab1%0d%0a", SearchTerm::Nothing),
            (samples::HOSTILE, SearchTerm::Nothing),
            (&"a".repeat(100_000), SearchTerm::Nothing),
        ] {
            assert_eq!(parse(typed), expected, "{typed:.100}");
        }
    }

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
        samples::assert_harmless(&render(samples::HOSTILE, &SearchResult::Blocks(Vec::new())).into_string());
    }
}
