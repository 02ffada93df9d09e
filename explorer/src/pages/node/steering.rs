//! The buttons on the page of a node. `assets/node.js` sends their orders to [`crate::routes::steering`].

use super::details::{LinkState, NodeDetails, OtherNode};
use crate::steering::MAX_BLOCKS;
use crate::view;
use maud::{Markup, html};

impl OtherNode {
    pub(super) fn state(&self) -> Markup {
        match &self.link {
            LinkState::Connected => html! { span.good { "connected" } },
            LinkState::Blocked => html! { span.warn { "cut off" } },
            LinkState::Failed(reason) => html! { span.bad { "no contact: " (view::sanitized(reason)) } },
            LinkState::NotConnected => html! { span.muted { "not connected" } },
        }
    }
}

/// The buttons, or how to get them.
pub(super) fn controls(node: &NodeDetails) -> Markup {
    if !node.can_steer {
        return without_token(node);
    }
    html! {
        noscript { p.warn { "The buttons need JavaScript." } }
        div #steering data-node=(node.address) {
            p { button.primary type="button" data-action="mine" { "Mine a block" } }
            form #mine-more {
                label for="mine-count" { "Mine several " }
                input #mine-count name="blocks" type="number" min="1" max=(MAX_BLOCKS) value="2" required;
                " "
                button { "Mine" }
            }
            p { button type="button" data-action="sync" { "Sync now" }
                " (ask every peer for a better chain)" }
            @if !node.others.is_empty() {
                p {
                    button type="button" data-action="cut" data-all="" { "Cut off from all" }
                    " "
                    button type="button" data-action="allow" data-all="" { "Connect to all" }
                }
            }
        }
        p #steering-result role="status" aria-live="polite" {}
    }
}

fn without_token(node: &NodeDetails) -> Markup {
    html! {
        p { "Mining on demand, cutting and connecting need the token of the node, which this explorer was not given. \
            If you run both programs, start the explorer with it. The token is in the file " code { "token" } " in the \
            data folder of the node:" }
        (view::copyable(&format!("CHAINLAB__EXPLORER__TOKENS={}=<token> explorer", node.address)))
    }
}

/// The button in the row of another node.
pub(super) fn link(other: &OtherNode) -> Markup {
    let (action, word) = match other.link {
        LinkState::Connected | LinkState::Failed(_) => ("cut", "Cut off"),
        LinkState::Blocked => ("allow", "Allow again"),
        LinkState::NotConnected => ("connect", "Connect"),
    };
    html! {
        button type="button" data-action=(action) data-peer=(other.address) aria-label={ (word) " " (other.address) } {
            (word) }
    }
}

pub(super) fn lessons(node: &NodeDetails) -> Markup {
    html! {
        section aria-labelledby="node-lessons" {
            h2 id="node-lessons" { "Four things to try" }
            details { summary { "Link two nodes" }
                p { "Cut this node off from another one with the button in its row, then allow it again. The explorer \
                    tells both sides if it has both tokens. Look at the page of the other node." } }
            details { summary { "Mine two blocks" }
                p { "Press the button twice, or mine two at once. The height goes up by two"
                    @if node.has_money { ", and the balance of the miner's address goes up by two rewards" } "." } }
            @if node.has_money {
                details { summary { "Pay, and see the payment in a block" }
                    p { "Pay with the " a href="/wallet" { "wallet" } ", see the payment wait among the "
                        a href="/transactions" { "transactions" } ", mine a block here, and find it in that block." } }
            }
            details { summary { "Let one node run ahead, and follow it" }
                p { "Cut this node off from all others. Mine some blocks on another node: its chain is now longer, and \
                    this node does not know. Connect to all again, and read how many blocks this node was behind. If \
                    you mine on both sides in between, the branch with less work is abandoned." } }
        }
    }
}
