//! The small parts of which pages are made: hashes, amounts, times, links.

use maud::{Markup, html};
use shared::block::{BlockHash, Timestamp};
use shared::ledger::{Address, Amount, TransactionId};

/// The first characters of a long name, and dots.
pub(crate) fn short(text: &str) -> String {
    const SHOWN: usize = 12;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A block by its hash, shortened, with a link.
pub(crate) fn block_link(hash: BlockHash) -> Markup {
    let text = hash.to_string();
    html! { a.hash href={ "/block/" (text) } title=(text) { (short(&text)) } }
}

/// A transaction by its id, shortened, with a link.
pub(crate) fn transaction_link(id: TransactionId) -> Markup {
    let text = id.to_string();
    html! { a.hash href={ "/transaction/" (text) } title=(text) { (short(&text)) } }
}

/// An address, shortened, with a link.
pub(crate) fn address(of: &Address) -> Markup {
    let text = of.to_string();
    html! { a.hash href={ "/address/" (text) } title=(text) { (short(&text)) } }
}

/// An amount of money.
pub(crate) fn amount(amount: Amount) -> Markup {
    html! { span.amount { (amount.to_string()) " LAB" } }
}

/// A time; `live.js` shows it in the reader's own zone, and how long ago it was.
pub(crate) fn time(at: Timestamp) -> Markup {
    let text = at.to_string();
    html! { time datetime=(text) { (text) } }
}

/// A word with its explanation, which opens where it stands.
pub(crate) fn explained(word: &str, explanation: &str) -> Markup {
    html! { details.explained { summary { (word) } p { (explanation) } } }
}

/// Shell commands or other text with a button that copies it.
pub(crate) fn copyable(text: &str) -> Markup {
    html! {
        div.copyable {
            pre tabindex="0" { code { (text) } }
            button.copy type="button" hidden { "Copy" }
        }
    }
}
