//! The small parts that pages share: hashes, amounts, times, links.

use super::{base, chart};
use crate::names::{Cast, colour, program_digits};
use crate::network::{Outside, Word, Words};
use maud::{Markup, html};
use runtime::sanitize;
use serde::Serialize;
use shared::block::{BlockHash, Timestamp};
use shared::explain::Explanation;
use shared::ledger::{Address, Amount, CoinName, TransactionId};
use std::fmt::Write;

/// The first characters of a long name, with an ellipsis.
pub(crate) fn short(text: &str) -> String {
    const SHOWN: usize = 12;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A link to a block, with its shortened hash.
pub(crate) fn block_link(hash: BlockHash) -> Markup {
    let text = hash.to_string();
    html! { a.hash href={ "/block/" (text) } title=(text) { (short(&text)) } }
}

/// A link to a transaction, with its shortened id.
pub(crate) fn transaction_link(id: TransactionId) -> Markup {
    let text = id.to_string();
    html! { a.hash href={ "/transaction/" (text) } title=(text) { (short(&text)) } }
}

/// A link to a coin, with its shortened name.
pub(crate) fn coin_link(coin: CoinName) -> Markup {
    html! { a.hash href={ "/coin/" (coin) } title=(coin) { (coin.short()) } }
}

/// A link to an address: the name of its owner with the first digits, or the address, shortened. With the switch "Show
/// addresses" the style sheet shows the address instead of the name.
pub(crate) fn address(of: &Address) -> Markup {
    if !of.is_key() {
        return program(of);
    }
    let text = of.to_string();
    let cast = base::cast();
    html! {
        @match cast.name(of) {
            Some(name) => a.who href={ "/address/" (text) } title=(text) {
                @if let Some(letter) = cast.miner_letter(of) { (chip(letter)) " " }
                span.name { (name) } " " small.digits { (digits(of)) } span.whole { (short(&text)) }
            },
            None => a.hash href={ "/address/" (text) } title=(text) { (short(&text)) },
        }
    }
}

/// A link to a program, with the beginning of its account: addresses of programs all begin alike.
pub(crate) fn program(of: &Address) -> Markup {
    html! {
        @if *of == Address::nobody() { "nobody" }
        @else { a.hash href={ "/program/" (of) } title=(of) { (program_name(of)) } }
    }
}

/// The short name of a program, the same on all pages.
pub(crate) fn program_name(of: &Address) -> String {
    format!("{}…", digits(of))
}

/// The first digits of an address in which addresses differ; of a program, those of its account.
pub(crate) fn digits(of: &Address) -> String {
    if of.is_key() { of.as_str().get(5..9).unwrap_or_default().to_owned() } else { program_digits(of) }
}

/// A letter on the colour of its finder.
pub(crate) fn chip(letter: &str) -> Markup {
    html! { b.chip.(colour(letter)) { (letter) } }
}

/// A node, `A (Ada)`, as a link to its page.
pub(crate) fn node(node: &str) -> Markup {
    let cast = base::cast();
    html! { a href={ "/node/" (node) } title=(node) { (cast.node(node)) } }
}

/// The finder of a block; if that is no node, also how the block came into the network.
pub(crate) fn finder(miner: &Address, outside: Option<&Outside>) -> Markup {
    html! {
        (address(miner))
        @if let Some(Outside { node, is_browser, .. }) = outside {
            @if *is_browser { "’s browser" } ", by way of " (self::node(node))
        }
    }
}

/// A sentence about people and nodes, by their names.
pub(crate) fn words(words: &Words) -> Markup {
    let cast = base::cast();
    html! {
        @for word in &words.0 {
            @match word {
                Word::Text(text) => (sanitize::line(text)),
                Word::Node(node) => b { (sanitize::line(&cast.node(node))) },
                Word::Person(address) => (address_in_words(*address, &cast)),
                Word::Block(block) => a href={ "/block/" (block.hash) } { (block.index) },
            }
        }
    }
}

fn address_in_words(of: Address, cast: &Cast) -> Markup {
    match cast.name(&of) {
        Some(name) => html! { a.who href={ "/address/" (of) } title=(of) { span.name { (name) }
        span.whole { (short(of.as_str())) } } },
        None => address(&of),
    }
}

/// An amount: two decimals, and the others quietly after them.
pub(crate) fn amount(amount: Amount) -> Markup {
    let (whole, first, rest) = money(amount.grains());
    html! { span.amount { (whole) "." (first) @if !rest.is_empty() { span.rest { (rest) } } " LAB" } }
}

/// Grains in LAB: the whole part with separated thousands, two decimals, and the others without zeros at the end.
pub(crate) fn money(grains: u64) -> (String, String, String) {
    const UNIT: u64 = Amount::GRAINS_PER_LAB;
    let decimals = format!("{:08}", grains % UNIT);
    let (first, rest) = decimals.split_at(2);
    (thin(grains / UNIT), first.to_owned(), rest.trim_end_matches('0').to_owned())
}

/// A whole number with thin spaces between its thousands.
pub(crate) fn thin(number: u64) -> String {
    chart::grouped(&number.to_string()).replace(',', "\u{202f}")
}

/// A time. `live.js` shows how long ago it was, and the time in the reader's zone.
pub(crate) fn time(at: Timestamp) -> Markup {
    let text = at.to_string();
    html! { time datetime=(text) { (text) } }
}

/// A time as it is written in a block, to the millisecond. `live.js` adds how long ago it was.
pub(crate) fn exact_time(at: Timestamp) -> Markup {
    let text = at.to_string();
    let words = text.trim_end_matches('Z').replacen('T', " ", 1);
    html! { time.exact datetime=(text) { (words) " UTC" } time.since.muted datetime=(text) {} }
}

/// A word whose explanation opens below it.
pub(crate) fn explained(word: &str, explanation: &str) -> Markup {
    html! { details.explained { summary { (word) } p { (explanation) } } }
}

/// Shell commands or other text with a button that copies them.
pub(crate) fn copyable(text: &str) -> Markup {
    html! {
        div.copyable {
            pre tabindex="0" { code { (text) } }
            button.copy type="button" hidden { "Copy" }
        }
    }
}

/// A text of another person on one line, without hidden characters, and isolated from the direction of the text around
/// it.
pub(crate) fn sanitized(text: &str) -> Markup {
    html! { bdi.said { (sanitize::line(text)) } }
}

/// A whole number with separated thousands.
pub(crate) fn number(number: impl Into<u128>) -> Markup {
    html! { (chart::grouped(&number.into().to_string())) }
}

/// A size with a unit, rounded to a tenth of it.
pub(crate) fn bytes(count: usize) -> Markup {
    const KIB: u128 = 1024;
    let tenths = |unit: u128| (count as u128 * 10 + unit / 2) / unit;
    html! {
        @match (tenths(KIB), tenths(KIB * KIB)) {
            _ if count < 1024 => { (count) " B" }
            // 1024.0 KiB is 1.0 MiB.
            (kib, _) if kib < 10 * KIB => { (kib / 10) "." (kib % 10) " KiB" }
            (_, mib) => { (mib / 10) "." (mib % 10) " MiB" }
        }
    }
}

/// A value as JSON, folded, with a button that copies it. Hidden characters are written as escapes.
pub(crate) fn raw_json(value: &impl Serialize) -> Markup {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    html! { details.raw { summary { "Raw JSON" } (copyable(&visible_json(&json))) } }
}

/// Writes characters that deceive as `\u` escapes, which mean the same in JSON. They can only occur in its strings.
fn visible_json(json: &str) -> String {
    let mut visible = String::with_capacity(json.len());
    // The safe text has a character for each character.
    for (c, safe) in json.chars().zip(sanitize::text(json).chars()) {
        if c == safe {
            visible.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(visible, "\\u{unit:04x}");
        }
    }
    visible
}

/// The commands that check something again, each with what it proves.
pub(crate) fn recheck(explanation: &Explanation) -> Markup {
    html! {
        ol.recheck {
            @for step in &explanation.steps {
                li {
                    p { (step.what) }
                    (copyable(&step.command))
                    @if !step.gives.is_empty() { p.gives { "prints " code { (step.gives) } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_on_one_line() {
        let sanitized = sanitized("<script>alert(1)</script>\n\u{202e}\"'").into_string();
        assert_eq!(sanitized, "<bdi class=\"said\">&lt;script&gt;alert(1)&lt;/script&gt;\u{fffd}\u{fffd}&quot;'</bdi>");
    }

    #[test]
    fn json_with_escapes_is_the_same_json() {
        for text in ["plain", "a\u{202e}b", "tab\tline\nquote\" \\", "\u{e0041} 🦀 </pre>", WRITING] {
            let visible = visible_json(&serde_json::to_string_pretty(&[text]).expect("JSON"));
            assert_eq!(sanitize::text(&visible), visible, "something still deceives");
            assert_eq!(serde_json::from_str::<Vec<String>>(&visible).expect("JSON"), [text]);
        }
    }

    /// Joined emoji, a flag, Persian, Hindi, and a combining accent.
    const WRITING: &str = "👩\u{200d}🚀 ❤\u{fe0f} 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} \
        می\u{200c}خواهم क्\u{200d}ष e\u{301}";

    #[test]
    fn writing_of_all_peoples_is_shown_as_it_is_written() {
        assert_eq!(sanitized(WRITING).into_string(), format!("<bdi class=\"said\">{WRITING}</bdi>"));
        assert!(raw_json(&[WRITING]).into_string().contains(WRITING));
    }

    #[test]
    fn money_has_two_decimals_in_front() {
        for (grains, expected) in [
            (0, ("0", "00", "")),
            (940_000_000, ("9", "40", "")),
            (825_000_000, ("8", "25", "")),
            (118_892_724_443, ("1\u{202f}188", "92", "724443")),
            (9180, ("0", "00", "00918")),
        ] {
            let (whole, first, rest) = money(grains);
            assert_eq!((&*whole, &*first, &*rest), expected);
        }
    }

    #[test]
    fn sizes_are_easy_to_read() {
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5113, "5.0 KiB"),
            (5222, "5.1 KiB"),
            (1_048_524, "1023.9 KiB"),
            (1_048_525, "1.0 MiB"),
            (2_000_000, "1.9 MiB"),
            (usize::MAX, "17592186044416.0 MiB"),
        ] {
            assert_eq!(bytes(size).into_string(), expected);
        }
    }
}
