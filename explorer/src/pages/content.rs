//! What the data of a block says, by the layer of its network.

use crate::view::{self, sanitized};
use maud::{Markup, html};
use runtime::sanitize;
use shared::block::{Block, Height};
use shared::ledger::Bundle;
use shared::params::LayerName;

/// Most characters of a text that stand open on the page.
const MAX_UNFOLDED: usize = 2000;
/// Most characters of a text that are on the page at all.
const MAX_SHOWN: usize = 100_000;

/// A block's data, read.
#[derive(Debug)]
pub(super) enum Content {
    /// Who mined it, and payments.
    Bundle(Bundle),
    /// Anything.
    Text(String),
}

impl Content {
    /// Reads it. Genesis carries the network's parameters on every layer.
    pub(super) fn of(block: &Block, layer: LayerName) -> Self {
        let text = || Self::Text(block.data().to_owned());
        if !layer.has_money() || block.index() == Height::GENESIS {
            return text();
        }
        Bundle::from_data(block.data()).map_or_else(|_| text(), |(bundle, _)| Self::Bundle(bundle))
    }

    /// In a cell of a table: who mined it, or how the text begins.
    pub(super) fn in_short(&self) -> Markup {
        const SHORT: usize = 60;
        match self {
            Self::Bundle(bundle) => view::address(&bundle.miner_address),
            Self::Text(text) => {
                let begin: String = text.chars().take(SHORT).collect();
                html! { (sanitized(&begin)) @if begin.len() < text.len() { "…" } }
            }
        }
    }

    /// How many payments it has.
    pub(super) fn transactions(&self) -> usize {
        match self {
            Self::Bundle(bundle) => bundle.transactions.len(),
            Self::Text(_) => 0,
        }
    }
}

/// A text as it is, long ones folded, very long ones cut.
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
