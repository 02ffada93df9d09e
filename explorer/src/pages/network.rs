//! The first page: the services, the block tree of all nodes, and what happened lately.

use super::health;
use crate::network::{Agreement, FollowedBranch, NetworkState, NewsItem, ServiceState, Topic};
use crate::state::ExplorerState;
use crate::steering::{SPLIT_TIME, Split};
use crate::view::tree::BlockTree;
use crate::view::{Page, block_link, bytes, chart, copyable, number, short, time};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::wire::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) async fn page(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    let splitting = match explorer.splitter.current() {
        Some(split) => Splitting::InProgress(split),
        None if explorer.splitter.can_split(&explorer.tokens) => Splitting::Possible,
        None => Splitting::Impossible,
    };
    let (network, has_money) = (&explorer.params.name, explorer.params.layer.has_money());
    let main = render(&explorer.network(), network, has_money, &splitting);
    Ok(Page { title: "Network", place: "/", scripts: &["network.js"], main }.response())
}

/// Whether there is a button that splits the network or heals it.
enum Splitting {
    Possible,
    /// The explorer lacks tokens, or fewer than two nodes answer.
    Impossible,
    InProgress(Split),
}

fn render(state: &NetworkState, network: &str, has_money: bool, splitting: &Splitting) -> Markup {
    let agreement = Agreement::of(state);
    html! {
        h1 { "The network " span.name { (network) } }
        div #notice data-live="nodes" { (notice(state)) }
        p #agreement .agreement data-live="nodes blocks" aria-live="polite" { (agreement_words(&agreement, state)) }
        section aria-labelledby="tree-title" {
            h2 #tree-title { "Blocks" }
            p.muted {
                "Each box is a block of the chain, with the newest on the right. A line leads to the block before. The \
                    names below a block are the nodes whose newest block it is. If two nodes find a block at the same \
                    time, the chain forks for a while. The branch with the most work wins; the others are abandoned \
                    and turn grey."
            }
            div #tree .card.scroll data-live="nodes blocks" tabindex="0" role="region" aria-labelledby="tree-title" {
                (tree(state))
            }
        }
        div #split data-live="nodes" { (split(splitting, state)) }
        p #split-result role="status" {}
        div.overview {
            section.news aria-labelledby="ticker-title" {
                h2 #ticker-title { "What happens" }
                div #ticker .card data-live="ticker" aria-live="off" { (news(state.news.iter())) }
            }
            div {
                section aria-labelledby="nodes-title" {
                    h2 #nodes-title { "Nodes" }
                    p.muted { "Nodes search for new blocks and check each other’s blocks." }
                    div #nodes .grid data-live="nodes blocks" { (nodes(state)) }
                }
                @if has_money {
                    section aria-labelledby="mempools-title" {
                        h2 #mempools-title { "Mempools" }
                        p.muted { "Mempools keep payments until a node puts them into a block." }
                        div #mempools .grid data-live="nodes pool" { (mempools(state)) }
                    }
                }
            }
        }
    }
}

/// The button that splits the network, or what is happening and the button that heals it.
fn split(splitting: &Splitting, state: &NetworkState) -> Markup {
    match splitting {
        Splitting::Impossible => html! {},
        Splitting::Possible => html! {
            section.card aria-labelledby="split-title" {
                h2 #split-title { "See a fork happen" }
                p { "The nodes are split into two halves that do not talk to each other. Each half adds blocks of its \
                    own, so the tree grows two branches. When the halves talk again, the branch with more work wins \
                    and the other turns grey." }
                noscript { p.warn { "The button needs JavaScript." } }
                p { button.primary type="button" data-split="split" { "Split the network for " (SPLIT_TIME.as_secs())
                    " seconds" } }
            }
        },
        Splitting::InProgress(Split { halves, until }) => html! {
            section.card.notice aria-labelledby="split-title" {
                h2 #split-title { "The network is split" }
                p {
                    (half(&halves[0], state)) " and " (half(&halves[1], state)) " do not receive each other's blocks. "
                    @match until {
                        Some(until) => { "The network heals by itself " (time(*until)) "." }
                        None => { "The network heals by itself once each half has found a block, within a minute at \
                            most." }
                    }
                }
                p { button type="button" data-split="heal" { "Heal now" } }
            }
        },
    }
}

fn half(nodes: &[String], state: &NetworkState) -> Markup {
    let names = names(state);
    let named = nodes.iter().map(|node| names.get(node).unwrap_or(node).as_str()).collect::<Vec<_>>();
    html! { strong { (named.join(", ")) } }
}

/// What is missing, and how to start it.
fn notice(state: &NetworkState) -> Markup {
    let nobody = state.nodes.is_empty() && state.mempools.is_empty();
    html! {
        @if let Some(error) = &state.tracker_error {
            div.card.notice {
                h2 { "The tracker does not answer" }
                p { "The tracker keeps the list of nodes and mempools. This page asked the one at " code {
                    (state.tracker) } ": " (error) "." }
                @if nobody {
                    p { "Start a whole network, tracker included, in the folder of Chainlab:" }
                    (copyable("cargo run --release"))
                    p { "Or start a tracker and then a node, each in its own terminal:" }
                    (copyable("target/release/tracker\ntarget/release/node"))
                    p { "This page updates by itself." }
                } @else {
                    p { "The nodes and mempools that were known before are still shown." }
                }
            }
        } @else if nobody {
            div.card.notice {
                h2 { "No node is here yet" }
                p { "The tracker at " code { (state.tracker) } " lists no node or mempool of this network. Start a \
                    node:" }
                (copyable("target/release/node"))
                p {
                    "If nodes are already running, they may belong to another network. A network is defined by the \
                        rules in "
                    code { "Config.toml" } ", so start this program with the same file."
                }
            }
        }
    }
}

fn agreement_words(agreement: &Agreement, state: &NetworkState) -> Markup {
    let names = names(state);
    match &*agreement.branches {
        [] => html! { "No node answers at the moment." },
        [branch] => html! { strong.good { (one_branch_sentence(branch)) } },
        branches => html! {
            strong.warn {
                (branches.len()) " branches"
                @if let Some(fork) = &agreement.fork { " since block " (fork.index) }
                ":"
            }
            @for (place, branch) in branches.iter().take(4).enumerate() {
                @if place > 0 { ";" }
                " " (nodes_words(branch, &names)) " on the branch of block " (branch.tip.index) " "
                    (block_link(branch.tip.hash))
            }
            @if branches.len() > 4 { "; and more" }
            "."
        },
    }
}

fn one_branch_sentence(branch: &FollowedBranch) -> String {
    let (at_tip, behind) = (branch.at_tip.len(), branch.behind.len());
    let block = branch.tip.index;
    match (at_tip, behind) {
        (1, 0) => format!("The only node is at block {block}."),
        (2, 0) => format!("Both nodes agree on block {block}."),
        (_, 0) => format!("All {at_tip} nodes agree on block {block}."),
        (1, _) => format!("1 of {} nodes is at block {block}, the others are catching up.", 1 + behind),
        _ => format!("{at_tip} of {} nodes are at block {block}, the others are catching up.", at_tip + behind),
    }
}

fn nodes_words(branch: &FollowedBranch, names: &BTreeMap<String, String>) -> String {
    const NAMED: usize = 3;
    let all: Vec<_> = branch.at_tip.iter().chain(&branch.behind).collect();
    let named = all.iter().take(NAMED).map(|node| names.get(*node).map_or(node.as_str(), String::as_str));
    let named = named.collect::<Vec<_>>().join(", ");
    match all.len() {
        0 | 1 => format!("{named} is"),
        2..=NAMED => format!("{named} are"),
        more => format!("{named} and {} more are", more - NAMED),
    }
}

fn tree(state: &NetworkState) -> Markup {
    if state.blocks.is_empty() {
        return html! { p.muted { "No block is known yet." } };
    }
    let mut tips: BTreeMap<BlockHash, Vec<String>> = BTreeMap::new();
    for (node, tip) in state.answering() {
        tips.entry(tip.hash).or_default().push(node.clone());
    }
    let best = state.tip().map(|tip| tip.hash);
    BlockTree { blocks: &state.blocks, best, tips: &tips, names: &names(state) }.render()
}

/// Short names of nodes: the port, if all are on the same host.
fn names(state: &NetworkState) -> BTreeMap<String, String> {
    let mut hosts: Vec<_> = state.nodes.keys().filter_map(|address| Some(address.rsplit_once(':')?.0)).collect();
    hosts.dedup();
    if hosts.len() > 1 {
        return BTreeMap::new();
    }
    let name = |address: &String| Some((address.clone(), format!(":{}", address.rsplit_once(':')?.1)));
    state.nodes.keys().filter_map(name).collect()
}

fn nodes(state: &NetworkState) -> Markup {
    html! {
        @if state.nodes.is_empty() { p.muted { "No node is known yet." } }
        @for (address, service) in &state.nodes { (node(address, service)) }
    }
}

fn node(address: &str, service: &ServiceState) -> Markup {
    let mining = service.info.as_ref().and_then(|info| info.mining.as_ref());
    let is_mining = service.is_mining();
    html! {
        article.card.service.silent[service.error.is_some()] data-key=(address) {
            h3 { a href={ "/node/" (address) } { (address) } }
            p.state {
                @if service.error.is_some() { span.bad { "does not answer" } }
                @else if service.info.is_none() { span.muted { "is being asked" } }
                @else if is_mining { span.good { "mining" } }
                @else { span.muted { "not mining" } }
                (health::badges(service))
            }
            dl {
                (tip(service.tip()))
                @if let Some(mining) = mining.filter(|_| is_mining) {
                    dt { "Hash rate" } dd { (chart::short_number(mining.hashrate as f64)) "H/s" }
                }
                @if let Some(peers) = service.info.as_ref().and_then(|info| info.peers) {
                    dt { "Peers" } dd { (number(peers)) }
                }
                (last_seen(service))
            }
        }
    }
}

fn mempools(state: &NetworkState) -> Markup {
    html! {
        @if state.mempools.is_empty() {
            p.muted { "No mempool is known. Payments need one." }
        }
        @for (address, service) in &state.mempools { (mempool(address, service)) }
    }
}

fn mempool(address: &str, service: &ServiceState) -> Markup {
    let pool = service.info.as_ref().and_then(|info| info.pool.as_ref());
    html! {
        article.card.service.silent[service.error.is_some()] data-key=(address) {
            h3 { (address) }
            @if service.error.is_some() { p.state { span.bad { "does not answer" } } }
            @else if !service.health().is_empty() { p.state { (health::badges(service)) } }
            dl {
                @if let Some(pool) = pool {
                    dt { a href="/transactions" { "Waiting" } }
                    dd {
                        (number(pool.count)) @if pool.count == 1 { " payment" } @else { " payments" }
                        ", " (bytes(usize::try_from(pool.bytes).unwrap_or(usize::MAX)))
                    }
                }
                (tip(service.tip()))
                (last_seen(service))
            }
        }
    }
}

fn tip(tip: Option<Tip>) -> Markup {
    html! {
        dt { "Newest block" }
        dd {
            @if let Some(tip) = tip { (tip.index) " " (block_link(tip.hash)) } @else { "none known" }
        }
    }
}

fn last_seen(service: &ServiceState) -> Markup {
    html! {
        dt { "Last seen" }
        dd {
            @match (&service.error, service.last_seen) {
                (None, Some(_)) => { "just now" }
                (_, Some(at)) => { (time(at)) }
                (_, None) => { "never" }
            }
        }
        @if let Some(error) = &service.error { dt { "Error" } dd.bad { (error) } }
    }
}

fn news<'a>(items: impl ExactSizeIterator<Item = &'a NewsItem>) -> Markup {
    html! {
        @if items.len() == 0 { p.muted { "Nothing yet. News will appear here." } }
        @else {
            ul.ticker {
                @for item in items {
                    li .(topic(item.topic)) data-key=(format!("{} {}", item.at, item.text)) {
                        (item.text)
                        @if let Some(block) = &item.block {
                            " " a.hash href={ "/block/" (block.hash) } title=(block.hash) {
                                (short(&block.hash.to_string())) }
                        }
                        " " span.muted { (time(item.at)) }
                    }
                }
            }
        }
    }
}

/// The CSS class of an item.
const fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::Block => "found",
        Topic::Fork => "fork",
        Topic::Service => "service",
        Topic::Payment => "payment",
    }
}

#[cfg(test)]
mod tests;
