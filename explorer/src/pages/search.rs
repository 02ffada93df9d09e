//! Search: what somebody typed or pasted, and where that is found.

use super::missing;
use crate::service::Explorer;
use crate::sources::NoAnswer;
use crate::view::{self, Page, block_link, moved, said};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use serde::Deserialize;
use shared::block::{BlockHash, BlockId, Height};
use shared::ledger::{Address, TransactionId};
use shared::wire::{AddressBalance, Problem};

/// Longest text that is looked at; an address has 63 characters.
const LONGEST: usize = 64;
/// Most addresses of one answer.
const MOST: usize = 50;
/// What an address begins with.
const PREFIX: &str = "lab1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default)]
    q: String,
}

/// What a text may mean.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Height(u64),
    /// A block's hash or a transaction's id: they look alike.
    Hash(BlockHash, TransactionId),
    /// The first digits of one.
    HashPrefix(String),
    Address(Address),
    /// The first characters of one.
    AddressPrefix(String),
    /// Nothing that there could be.
    Nothing,
}

/// What was found.
#[derive(Debug)]
enum Found {
    /// The path of its page.
    One(String),
    Blocks(Vec<BlockId>),
    Addresses {
        found: Vec<AddressBalance>,
        are_more: bool,
    },
}

pub(crate) async fn page(explorer: &Explorer, request: &Request) -> Result<Response, Problem> {
    let Query { q } = request.query()?;
    match find(explorer, wanted(&q)).await {
        Ok(Some(Found::One(path))) => moved(&path),
        Ok(Some(found)) => Ok(Page { title: "Search", place: "", scripts: &[], main: render(&q, &found) }.response()),
        Ok(None) => Ok(missing::not_found(nothing(&q))),
        Err(error) => Ok(missing::no_answer(&error)),
    }
}

/// Reads what was typed; white space and case do not matter.
fn wanted(typed: &str) -> Wanted {
    let text: String =
        typed.chars().filter(|c| !c.is_whitespace()).take(LONGEST + 1).collect::<String>().to_lowercase();
    let text = text.trim_start_matches('#').trim_end_matches('…');
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Wanted::Nothing;
    }
    if let (Ok(hash), Ok(id)) = (text.parse(), text.parse()) {
        return Wanted::Hash(hash, id);
    }
    if let Ok(height) = text.parse() {
        return Wanted::Height(height);
    }
    if text.starts_with(PREFIX) || PREFIX.starts_with(text) {
        return text.parse().map_or_else(|_| Wanted::AddressPrefix(text.to_owned()), Wanted::Address);
    }
    if text.bytes().all(|c| c.is_ascii_hexdigit()) { Wanted::HashPrefix(text.to_owned()) } else { Wanted::Nothing }
}

async fn find(explorer: &Explorer, wanted: Wanted) -> Result<Option<Found>, NoAnswer> {
    match wanted {
        Wanted::Height(height) => Ok(height_is_there(explorer, height).then(|| Found::One(format!("/block/{height}")))),
        Wanted::Hash(hash, id) => hash_or_id(explorer, hash, id).await,
        Wanted::HashPrefix(prefix) => Ok(blocks(explorer, &prefix)),
        Wanted::Address(address) => Ok(Some(Found::One(format!("/address/{address}")))),
        Wanted::AddressPrefix(prefix) => addresses(explorer, prefix).await,
        Wanted::Nothing => Ok(None),
    }
}

fn height_is_there(explorer: &Explorer, height: u64) -> bool {
    explorer.watch.picture().tip().is_some_and(|tip| Height(height) <= tip.index)
}

async fn hash_or_id(explorer: &Explorer, hash: BlockHash, id: TransactionId) -> Result<Option<Found>, NoAnswer> {
    match explorer.sources.block(hash).await {
        Ok(_) => return Ok(Some(Found::One(format!("/block/{hash}")))),
        Err(error) if !error.is_not_found() && !matches!(error, NoAnswer::Nobody(_)) => return Err(error),
        Err(_) => {}
    }
    if !explorer.params.layer.has_money() {
        return Ok(None);
    }
    match explorer.sources.transaction(id).await {
        Ok(_) => Ok(Some(Found::One(format!("/transaction/{id}")))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last blocks whose hashes begin so.
fn blocks(explorer: &Explorer, prefix: &str) -> Option<Found> {
    let picture = explorer.watch.picture();
    let begins = picture.blocks.values().filter(|seen| seen.hash.to_string().starts_with(prefix));
    let found: Vec<_> = begins.map(|seen| BlockId { index: seen.index, hash: seen.hash }).take(MOST).collect();
    match &*found {
        [] => None,
        [one] => Some(Found::One(format!("/block/{}", one.hash))),
        _ => Some(Found::Blocks(found)),
    }
}

async fn addresses(explorer: &Explorer, prefix: String) -> Result<Option<Found>, NoAnswer> {
    if !explorer.params.layer.has_money() {
        return Ok(None);
    }
    let prefix = prefix.to_owned();
    let ask = async move |client: &runtime::client::Client, mempool: &str| {
        client.balances(mempool, &prefix, None, MOST).await
    };
    let answer = explorer.sources.mempool(ask).await?;
    let are_more = answer.next.is_some();
    let found: Vec<_> = answer.entries.into_iter().take(MOST).collect();
    Ok(match &*found {
        [] => None,
        [one] => Some(Found::One(format!("/address/{}", one.address))),
        _ => Some(Found::Addresses { found, are_more }),
    })
}

fn render(typed: &str, found: &Found) -> Markup {
    html! {
        h1 { "Search" }
        p { "Several things begin with " (quoted(typed)) ":" }
        @match found {
            Found::One(path) => p { a href=(path) { (path) } },
            Found::Blocks(blocks) => ul { @for block in blocks { li { "block " (block.index) " " (block_link(block.hash)) } } },
            Found::Addresses { found, are_more } => {
                ul { @for each in found { li { a.hash href={ "/address/" (each.address) } { (each.address) } " " (view::amount(each.balance)) } } }
                @if *are_more { p.muted { "And more: type another character or two." } }
            }
        }
    }
}

fn nothing(typed: &str) -> Markup {
    html! {
        @if typed.trim().is_empty() { "Nothing was typed." } @else {
            "Nothing is found for " (quoted(typed)) ". A block's hash or a transaction's id is needed as a whole, all 64 digits, unless the "
            "block is one of the last; of an address, the beginning will do, if it ever had money."
        }
    }
}

fn quoted(typed: &str) -> Markup {
    const SHOWN: usize = 100;
    html! { "“" (said(&typed.trim().chars().take(SHOWN).collect::<String>())) "”" }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use shared::ledger::Amount;

    #[test]
    fn what_was_typed_is_understood() {
        let (hash, alice) = ("0a".repeat(32), samples::address("alice"));
        let both = || Wanted::Hash(hash.parse().expect("a hash"), hash.parse().expect("an id"));
        let prefix = |text: &str| Wanted::AddressPrefix(text.to_owned());
        for (typed, expected) in [
            ("5", Wanted::Height(5)),
            (" #12\n", Wanted::Height(12)),
            ("18446744073709551616", Wanted::HashPrefix("18446744073709551616".to_owned())),
            (&hash, both()),
            (&hash.to_uppercase(), both()),
            (&format!(" {} {} ", &hash[..32], &hash[32..]), both()),
            ("000a1B…", Wanted::HashPrefix("000a1b".to_owned())),
            (alice.as_str(), Wanted::Address(alice)),
            (&alice.as_str().to_uppercase(), Wanted::Address(alice)),
            ("LAB1QW3", prefix("lab1qw3")),
            ("lab", prefix("lab")),
            (&alice.as_str().replace('y', "x"), prefix(&alice.as_str().replace('y', "x"))),
            ("", Wanted::Nothing),
            ("  ", Wanted::Nothing),
            ("//evil.example", Wanted::Nothing),
            ("lab1%0d%0a", Wanted::Nothing),
            (samples::HOSTILE, Wanted::Nothing),
            (&"a".repeat(100_000), Wanted::Nothing),
        ] {
            assert_eq!(wanted(typed), expected, "{typed:.100}");
        }
    }

    #[test]
    fn several_addresses() {
        let found =
            ["alice", "bob"].map(|seed| AddressBalance { address: samples::address(seed), balance: Amount::MAX });
        let found = Found::Addresses { found: found.to_vec(), are_more: true };
        snapshot("search", &render("LAB1q", &found));
    }

    #[test]
    fn what_was_typed_stays_text() {
        samples::assert_harmless(&nothing(samples::HOSTILE).into_string());
        samples::assert_harmless(&render(samples::HOSTILE, &Found::Blocks(Vec::new())).into_string());
    }
}
