//! Reads what a person typed or pasted into the search: heights, hashes, ids and addresses as the programs print them,
//! also shortened or in quotes, addresses of nodes, and addresses of pages.

use percent_encoding::percent_decode_str;
use shared::block::BlockHash;
use shared::ledger::{AccountId, Address, CoinName, TransactionId};
use shared::sync::PeerAddress;

/// Longer texts name nothing. The address of a page may have 63 characters after a long host name.
const MAX_CHARS: usize = 400;
/// The beginning of all addresses.
const PREFIX: &str = "lab1";
/// What a program may print before a height, a hash or an id.
const LABELS: [&str; 9] = ["block", "height", "transaction", "payment", "id", "address", "node", "hash", "coin"];

/// What a text may name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SearchTerm {
    Height(u64),
    /// The hash of a block or the id of a transaction, which look alike.
    Hash(BlockHash, TransactionId),
    ShortHash(Shortened),
    Coin(CoinName),
    Address(Address),
    ShortAddress(Shortened),
    /// `0x` and 40 digits, as programs know accounts.
    Account(AccountId),
    /// `host:port` of a service.
    Service(String),
    /// The port of a service, `:8100`, as pages name nodes on one host.
    Port(String),
    /// The path of a page without parameters.
    Page(&'static str),
    Nothing,
}

/// The first characters of a hash or address, and the last ones where the middle was left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shortened {
    pub(super) first: String,
    pub(super) last: String,
}

impl Shortened {
    /// Whether `whole` may be what was shortened.
    pub(super) fn matches(&self, whole: &str) -> bool {
        whole.len() >= self.first.len() + self.last.len()
            && whole.starts_with(&self.first)
            && whole.ends_with(&self.last)
    }
}

impl SearchTerm {
    /// Reads a text; white space and case do not matter.
    pub(super) fn parse(typed: &str) -> Self {
        if typed.chars().nth(MAX_CHARS).is_some() {
            return Self::Nothing;
        }
        let text = unquoted(typed).to_lowercase();
        match split_url(&text) {
            Some((host, "")) if PeerAddress::new(host).is_some() => Self::Service(host.to_owned()),
            Some((_, path)) => parse_path(path),
            None => parse_name(&text),
        }
    }
}

/// The text without white space, quotes, brackets and punctuation around it.
fn unquoted(text: &str) -> &str {
    let is_kept = |c: char| c.is_alphanumeric() || matches!(c, '/' | '#' | '…' | '[' | ']' | ':');
    let text = text.trim_matches(|c: char| !is_kept(c) && c != '.');
    // A full stop ends a sentence, but three of them shorten a name.
    if text.ends_with("...") { text } else { text.trim_end_matches(['.', ':']) }
}

/// The host and the path of the address of a page, which may be one of this explorer, of a node, or a path alone.
fn split_url(text: &str) -> Option<(&str, &str)> {
    let (host, path) = match text.split_once("://") {
        Some(("http" | "https", rest)) => rest.split_once('/').unwrap_or((rest, "")),
        Some(_) => return None,
        None => ("", text.strip_prefix('/')?),
    };
    Some((host, path.split(['?', '#']).next().unwrap_or_default()))
}

fn parse_path(path: &str) -> SearchTerm {
    let path = path.trim_end_matches('/');
    let (before, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Ok(name) = percent_decode_str(name).decode_utf8() else { return SearchTerm::Nothing };
    // Below a proxy, the page has other pieces before.
    match before.rsplit('/').next().unwrap_or_default() {
        "block" | "transaction" | "coin" | "address" | "node" | "program" => parse_name(&name),
        _ if name.contains(':') => parse_name(&name),
        _ => page(&name),
    }
}

fn page(name: &str) -> SearchTerm {
    match name {
        "" => SearchTerm::Page("/"),
        "blocks" => SearchTerm::Page("/blocks"),
        "transactions" => SearchTerm::Page("/transactions"),
        "programs" => SearchTerm::Page("/programs"),
        "charts" => SearchTerm::Page("/charts"),
        "learn" => SearchTerm::Page("/learn"),
        "wallet" => SearchTerm::Page("/wallet"),
        _ => SearchTerm::Nothing,
    }
}

fn parse_name(text: &str) -> SearchTerm {
    let text = without_label(text.trim_start_matches('#').trim());
    let text: String = unquoted(text).chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.trim_start_matches('#');
    if let Some(port) = text.strip_prefix(':').filter(|port| port.parse::<u16>().is_ok()) {
        return SearchTerm::Port(port.to_owned());
    }
    if text.contains(':') {
        let is_address = PeerAddress::new(text).is_some();
        return if is_address { SearchTerm::Service(text.to_owned()) } else { SearchTerm::Nothing };
    }
    if let Ok(coin) = text.parse() {
        return SearchTerm::Coin(coin);
    }
    // Pages of Ethereum's tools leave out the 0x.
    let account = text.strip_prefix("0x").unwrap_or(text);
    if let Ok(account) = format!("0x{account}").parse() {
        return SearchTerm::Account(account);
    }
    // Before heights: a hash may consist of digits alone.
    if let (Ok(hash), Ok(id)) = (text.parse(), text.parse()) {
        return SearchTerm::Hash(hash, id);
    }
    if let Some(height) = height(text) {
        return SearchTerm::Height(height);
    }
    let (first, last) = text.split_once('…').or_else(|| text.split_once("...")).unwrap_or((text, ""));
    if first.is_empty() || !(first.bytes().chain(last.bytes())).all(|c| c.is_ascii_alphanumeric()) {
        return SearchTerm::Nothing;
    }
    let shortened = Shortened { first: first.to_owned(), last: last.to_owned() };
    if first.starts_with(PREFIX) || PREFIX.starts_with(first) {
        return text.parse().map_or(SearchTerm::ShortAddress(shortened), SearchTerm::Address);
    }
    let is_hex = (first.bytes().chain(last.bytes())).all(|c| c.is_ascii_hexdigit());
    if is_hex && first.len() <= 64 { SearchTerm::ShortHash(shortened) } else { SearchTerm::Nothing }
}

/// A height, also with separated thousands, as charts have it: `1,234`.
fn height(text: &str) -> Option<u64> {
    let is_grouped = text.split(',').skip(1).all(|group| group.len() == 3) && !text.starts_with(',');
    if is_grouped { text.replace(',', "").parse().ok() } else { None }
}

/// `5` of `block 5`. A label must be a word of its own: `id` may also be the beginning of something else.
fn without_label(text: &str) -> &str {
    match text.split_once(|c: char| c.is_whitespace() || c == ':') {
        Some((label, rest)) if LABELS.contains(&label.trim_matches(['"', '\''])) => rest.trim(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::*;

    fn coin(place: u16) -> CoinName {
        CoinName { id: "0a".repeat(32).parse().expect("an id"), place }
    }

    fn short(first: &str, last: &str) -> Shortened {
        Shortened { first: first.to_owned(), last: last.to_owned() }
    }

    fn check(cases: &[(&str, SearchTerm)]) {
        for (typed, expected) in cases {
            assert_eq!(&SearchTerm::parse(typed), expected, "{typed:.100}");
        }
    }

    fn hash() -> SearchTerm {
        let hash = "0a".repeat(32);
        SearchTerm::Hash(hash.parse().expect("a hash"), hash.parse().expect("an id"))
    }

    fn account() -> SearchTerm {
        SearchTerm::Account("0xa0d5ab0000000000000000000000000000000001".parse().expect("an account"))
    }

    #[test]
    fn heights_hashes_and_addresses_are_read() {
        let (text, alice) = ("0a".repeat(32), samples::address("alice"));
        check(&[
            ("5", SearchTerm::Height(5)),
            (" #12\n", SearchTerm::Height(12)),
            ("1,234,567", SearchTerm::Height(1_234_567)),
            ("18446744073709551616", SearchTerm::ShortHash(short("18446744073709551616", ""))),
            (&text, hash()),
            (&text.to_uppercase(), hash()),
            (&format!(" {} {} ", &text[..32], &text[32..]), hash()),
            (alice.as_str(), SearchTerm::Address(alice)),
            (&alice.as_str().to_uppercase(), SearchTerm::Address(alice)),
            ("0xA0d5ab0000000000000000000000000000000001", account()),
            ("a0d5ab0000000000000000000000000000000001", account()),
            ("http://127.0.0.1:8080/program/0xa0d5ab0000000000000000000000000000000001", account()),
            ("LAB1QW3", SearchTerm::ShortAddress(short("lab1qw3", ""))),
            ("lab", SearchTerm::ShortAddress(short("lab", ""))),
        ]);
    }

    #[test]
    fn names_are_read_as_programs_print_them() {
        let text = "0a".repeat(32);
        check(&[
            ("lab1qgepc90y…", SearchTerm::ShortAddress(short("lab1qgepc90y", ""))),
            ("lab1qw3a0…7943p", SearchTerm::ShortAddress(short("lab1qw3a0", "7943p"))),
            ("lab1qw3a0...7943p", SearchTerm::ShortAddress(short("lab1qw3a0", "7943p"))),
            ("0000b3f6ac…", SearchTerm::ShortHash(short("0000b3f6ac", ""))),
            ("0000b3f6ac...", SearchTerm::ShortHash(short("0000b3f6ac", ""))),
            ("block 5", SearchTerm::Height(5)),
            ("Block 5.", SearchTerm::Height(5)),
            ("block 0000b3f6", SearchTerm::ShortHash(short("0000b3f6", ""))),
            (&format!("\"{text}\","), hash()),
            (&format!("“{text}”"), hash()),
            (&format!("\"id\": \"{text}\","), hash()),
            (&format!("({text})"), hash()),
            (&format!("\"coin\": \"{text}.0\","), SearchTerm::Coin(coin(0))),
            (&format!("coin {text}.1."), SearchTerm::Coin(coin(1))),
            ("'lab1qgepc90y…'", SearchTerm::ShortAddress(short("lab1qgepc90y", ""))),
        ]);
    }

    #[test]
    fn addresses_of_pages_and_services_are_read() {
        let (text, alice) = ("0a".repeat(32), samples::address("alice"));
        let service = |text: &str| SearchTerm::Service(text.to_owned());
        check(&[
            ("http://127.0.0.1:8080/block/5", SearchTerm::Height(5)),
            ("https://lab.example.org/lab/block/5?x=y#header", SearchTerm::Height(5)),
            (&format!("http://127.0.0.1:8080/transaction/{text}"), hash()),
            (&format!("http://127.0.0.1:8100/block/{text}"), hash()),
            (&format!("http://127.0.0.1:8080/coin/{text}.12"), SearchTerm::Coin(coin(12))),
            (&format!("/address/{alice}"), SearchTerm::Address(alice)),
            ("http://127.0.0.1:8080/node/127.0.0.1:8100", service("127.0.0.1:8100")),
            ("http://127.0.0.1:8080/node/127.0.0.1%3A8100", service("127.0.0.1:8100")),
            ("http://127.0.0.1:8100/", service("127.0.0.1:8100")),
            ("http://127.0.0.1:8080/blocks/", SearchTerm::Page("/blocks")),
            ("/wallet", SearchTerm::Page("/wallet")),
            ("127.0.0.1:8100", service("127.0.0.1:8100")),
            ("LOCALHOST:8100", service("localhost:8100")),
            ("[::1]:8100", service("[::1]:8100")),
            (":8100", SearchTerm::Port("8100".to_owned())),
            ("node :8100", SearchTerm::Port("8100".to_owned())),
        ]);
    }

    #[test]
    fn a_text_that_names_nothing_is_nothing() {
        for typed in [
            "",
            "  ",
            "//evil.example",
            "https://evil.example/pay",
            "javascript:alert(1)",
            "lab1%0d%0a",
            "/block/",
            "…",
            "1,2",
            samples::HOSTILE,
            &"a".repeat(100_000),
        ] {
            assert_eq!(SearchTerm::parse(typed), SearchTerm::Nothing, "{typed:.100}");
        }
    }

    #[test]
    fn a_shortened_name_matches_its_beginning_and_its_end() {
        assert!(short("ab", "").matches("abc") && short("ab", "yz").matches("ab…yz"));
        assert!(!short("ab", "").matches("b") && !short("ab", "yz").matches("aby"));
        assert!(!short("abc", "cde").matches("abcde"), "beginning and end overlap");
    }
}
