//! The page of a node: its chain, peers and settings, and buttons that steer it if the explorer has its token.

mod details;
mod steering;

use crate::network::{BlockSummary, NetworkState};
use crate::pages::{errors, health};
use crate::state::ExplorerState;
use crate::view::{self, Page};
use details::{NodeDetails, OtherNode};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::chain::{BranchStatus, BranchTip};
use shared::ledger::Address;
use shared::wire::{MiningInfo, Problem};
use std::sync::Arc;

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [node] = request.params()?;
    let state = explorer.network();
    let Some(node) = NodeDetails::of(&explorer, &state, node).await else {
        return Ok(errors::not_found(html! { "No node " (view::sanitized(node)) " is known in this network." }));
    };
    let title = format!("Node {}", view::cast().node(&node.address));
    Ok(Page { title: &title, place: "/", scripts: &["node.js"], main: render(&node, &state) }.response())
}

fn render(node: &NodeDetails, state: &NetworkState) -> Markup {
    html! {
        h1 { "Node " (view::cast().node(&node.address)) " " small.hash { (node.address) } }
        div.grid {
            section.card aria-labelledby="node-now" {
                h2 id="node-now" { "Now" }
                div #node-state data-live="nodes blocks" { (current(node)) }
            }
            section.card aria-labelledby="node-steer" {
                h2 id="node-steer" { "Controls" }
                (steering::controls(node))
            }
        }
        section aria-labelledby="node-peers" {
            h2 id="node-peers" { "Other nodes" }
            p { "A node sends its peers every block that it finds or receives. Nodes that are cut off from each other \
                continue on their own until they are connected again: this is how a fork begins and ends. Blocks can \
                still arrive through nodes that are connected to both." }
            div.table id="node-peers-table" data-live="nodes" { (peers(node)) }
        }
        section aria-labelledby="node-branches" {
            h2 id="node-branches" { "Known branches" }
            div.table id="node-branches-table" data-live="nodes blocks" { (branches(&node.tips)) }
        }
        section aria-labelledby="node-blocks" {
            h2 id="node-blocks" { "Its last blocks" }
            div.table id="node-blocks-table" data-live="nodes blocks" { (blocks(node, state)) }
        }
        section aria-labelledby="node-rules" {
            h2 id="node-rules" { "Settings" }
            (settings(node))
        }
        (steering::lessons(node))
    }
}

fn current(node: &NodeDetails) -> Markup {
    html! {
        @if let Some(error) = &node.service.error {
            p.bad { "It does not answer: " (view::sanitized(error)) }
        }
        (health::sentences(&node.service))
        dl {
            @if let Some(tip) = node.service.tip() {
                dt { "Height" } dd { strong id="node-height" { (tip.index) } }
                dt { "Newest block" } dd { (view::block_link(tip.hash)) " of " (view::time(tip.timestamp)) }
                dt { "Work" } dd { "about " (view::number(tip.work.0)) " hashes went into this chain" }
            }
            @if let Some(mining) = node.mining() { (mining_rows(mining, node)) }
            @if let Some(at) = node.service.last_seen { dt { "Last seen" } dd { (view::time(at)) } }
        }
    }
}

fn mining_rows(mining: &MiningInfo, node: &NodeDetails) -> Markup {
    let is_mining = node.service.is_mining();
    let payee: Option<Address> = mining.address.as_ref().and_then(|address| address.parse().ok());
    html! {
        dt { "Mines" }
        dd {
            @if mining.enabled { "yes, with " (mining.threads) @if mining.threads == 1 { " thread" } @else { " threads"
                } }
            @else { "only on demand" }
            @if mining.enabled && !is_mining { ", but not now" }
        }
        @if is_mining { dt { "Hash rate" } dd { (view::chart::short_number(mining.hashrate as f64)) "H/s" } }
        @if let Some(payee) = payee {
            dt { "Earns for" } dd { (view::address(&payee)) }
            @if let Some(balance) = node.balance { dt { "Its balance" } dd { (view::amount(balance)) } }
        }
    }
}

fn peers(node: &NodeDetails) -> Markup {
    if node.others.is_empty() {
        return html! { p { "No other node is known." } };
    }
    html! {
        table {
            caption { "Links of this node" }
            thead { tr {
                th scope="col" { "Node" } th scope="col" { "State" } th.number scope="col" { "Height" } th scope="col" {
                    "Last seen" }
                @if node.can_steer { th scope="col" { "Controls" } }
            } }
            tbody {
                @for other in &node.others { (peer(other, node)) }
            }
        }
    }
}

fn peer(other: &OtherNode, node: &NodeDetails) -> Markup {
    html! {
        tr {
            th scope="row" {
                @if other.is_known { (view::node(&other.address)) " " small.digits { (other.address) } }
                @else { (view::sanitized(&other.address)) }
            }
            td data-label="State" { (other.state()) }
            td.number data-label="Height" { @if let Some(tip) = &other.tip { (tip.index) } }
            td data-label="Last seen" { @if let Some(at) = other.last_seen { (view::time(at)) } }
            @if node.can_steer { td data-label="Controls" { @if other.is_known { (steering::link(other)) } } }
        }
    }
}

fn branches(tips: &Result<Vec<BranchTip>, String>) -> Markup {
    let tips = match tips {
        Ok(tips) => tips,
        Err(error) => return html! { p.bad { "The node did not say: " (view::sanitized(error)) } },
    };
    html! {
        table {
            caption { "The last block of each branch; the branch with the most work is the best chain" }
            thead { tr {
                th scope="col" { "Last block" } th.number scope="col" { "Height" }
                th.number scope="col" { "Forks after" } th.number scope="col" { "Work" } th scope="col" { "Status" }
            } }
            tbody {
                @for tip in tips {
                    tr {
                        th scope="row" { (view::block_link(tip.hash)) }
                        td.number data-label="Height" { (tip.index) }
                        td.number data-label="Forks after" {
                            @if tip.status == BranchStatus::Best { "–" } @else { (tip.fork.index) }
                        }
                        td.number data-label="Work" { (view::number(tip.work.0)) }
                        td data-label="Status" { (match tip.status {
                            BranchStatus::Best => html! { span.good { "best chain" } },
                            BranchStatus::Side => html! { span.muted { "side branch" } },
                            BranchStatus::Invalid => html! { span.bad { "breaks a rule" } },
                        }) }
                    }
                }
            }
        }
    }
}

fn blocks(node: &NodeDetails, state: &NetworkState) -> Markup {
    let tip = node.service.tip();
    let last = tip.into_iter().flat_map(|tip| state.chain(tip.hash)).take(details::BLOCKS);
    html! {
        table {
            caption { "Newest first" }
            thead { tr {
                th.number scope="col" { "Height" } th scope="col" { "Block" } th scope="col" { "When" } th.number
                    scope="col" { "Difficulty" }
                th scope="col" { "Found by" }
            } }
            tbody {
                @for block in last {
                    tr {
                        th.number scope="row" { (block.index) }
                        td data-label="Block" { (view::block_link(block.hash)) }
                        td data-label="When" { (view::time(block.timestamp)) }
                        td.number data-label="Difficulty" { (view::chart::whole_number(block.difficulty as f64)) }
                        td data-label="Found by" { (found_by(block, state)) }
                    }
                }
            }
        }
    }
}

/// The node that found a block, or who else did.
fn found_by(block: &BlockSummary, state: &NetworkState) -> Markup {
    let outside = state.outside.get(&block.hash);
    let miner = state.contents.get(&block.hash).and_then(|contents| contents.miner);
    html! {
        @match (miner, outside, &block.mined_by) {
            (Some(miner), Some(outside), _) => (view::finder(&miner, Some(outside))),
            (_, _, Some(node)) => (view::node(node)),
            _ => {}
        }
    }
}

fn settings(node: &NodeDetails) -> Markup {
    html! {
        dl {
            @if let Some(info) = &node.service.info {
                dt { "Version" } dd { (view::sanitized(&info.version)) }
                dt { "Started" } dd { (view::time(info.started)) }
                dt { "Network" } dd.hash { (info.network_id) }
            }
            @for (name, value) in &node.params { dt { (name) } dd { (value) } }
        }
        p { "For programs: " a href={ "http://" (node.address) "/docs" } { "the API of this node" } "." }
    }
}

#[cfg(test)]
mod tests;
