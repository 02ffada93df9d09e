//! The data of a block, as the layer of its network reads it.

use crate::network::Outside;
use crate::view::{self, sanitized};
use maud::{Markup, html};
use runtime::sanitize;
use shared::block::{Block, Height};
use shared::ledger::Bundle;
use shared::params::LayerName;

/// Longer texts are folded; in characters.
const MAX_UNFOLDED: usize = 2000;
/// Longer texts are cut; in characters.
const MAX_SHOWN: usize = 100_000;

#[derive(Debug)]
pub(super) enum Content {
    Bundle(Bundle),
    Text(String),
}

impl Content {
    /// The data of genesis is text on every layer: the parameters of the network.
    pub(super) fn of(block: &Block, layer: LayerName) -> Self {
        let text = || Self::Text(block.data().to_owned());
        if !layer.has_money() || block.index() == Height::GENESIS {
            return text();
        }
        Bundle::from_data(block.data()).map_or_else(|_| text(), |(bundle, _)| Self::Bundle(bundle))
    }

    /// For a cell of a table: the miner, or the beginning of the text.
    pub(super) fn in_short(&self, outside: Option<&Outside>) -> Markup {
        const SHORT: usize = 60;
        match self {
            Self::Bundle(bundle) => view::finder(&bundle.miner_address, outside),
            Self::Text(text) => {
                let begin: String = text.chars().take(SHORT).collect();
                html! { (sanitized(&begin)) @if begin.len() < text.len() { "…" } }
            }
        }
    }

    /// The number of transactions.
    pub(super) fn transactions(&self) -> usize {
        match self {
            Self::Bundle(bundle) => bundle.transactions.len(),
            Self::Text(_) => 0,
        }
    }
}

/// A text of another person: folded if it is long, cut if it is very long.
pub(super) fn text(text: &str) -> Markup {
    let shown: String = text.chars().take(MAX_SHOWN).collect();
    let pre = html! { pre.data tabindex="0" dir="auto" { (sanitize::text(&shown)) } };
    html! {
        @if text.is_empty() {
            p.muted { "The data is empty." }
        } @else if shown.chars().count() > MAX_UNFOLDED {
            details { summary { "Show the text, " (view::bytes(text.len())) } (pre) }
        } @else {
            (pre)
        }
        @if shown.len() < text.len() { p.muted { "Only the beginning is shown, " (view::bytes(shown.len())) "." } }
    }
}
