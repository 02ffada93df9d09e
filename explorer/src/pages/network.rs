//! The first page: who is there, the block tree across all nodes, and what happened lately; kept up to date while one looks.

use crate::network::{Agreement, Branch, Contact, Fact, Picture, Topic};
use crate::service::Explorer;
use crate::steering::split::{LASTS, Split, is_possible};
use crate::view::tree::Tree;
use crate::view::{Page, block_link, bytes, chart, copyable, number, short, time};
use maud::{Markup, html};
use runtime::server::Response;
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::wire::Problem;
use std::collections::BTreeMap;

pub(crate) fn page(explorer: &Explorer) -> Result<Response, Problem> {
    let splitting = match explorer.splitter.now() {
        Some(split) => Splitting::GoesOn(split),
        None if is_possible(explorer) => Splitting::Possible,
        None => Splitting::Impossible,
    };
    let (network, has_money) = (&explorer.params.name, explorer.params.layer.has_money());
    let main = render(&explorer.watch.picture(), network, has_money, &splitting);
    Ok(Page { title: "Network", place: "/", scripts: &["network.js"], main }.response())
}

/// Whether the network can be split by a button, or is.
enum Splitting {
    Possible,
    /// The explorer lacks tokens, or there are too few nodes.
    Impossible,
    GoesOn(Split),
}

fn render(picture: &Picture, network: &str, has_money: bool, splitting: &Splitting) -> Markup {
    let agreement = Agreement::of(picture);
    html! {
        h1 { "The network " span.name { (network) } }
        div #notice data-live="nodes" { (notice(picture)) }
        p #agreement .agreement data-live="nodes blocks" aria-live="polite" { (agreement_words(&agreement, picture)) }
        section aria-labelledby="tree-title" {
            h2 #tree-title { "Blocks" }
            p.muted {
                "Each box is a block of the chain, the newest on the right; the line leads to the block before it. Below a \
                 block stand the nodes that have it as their newest. When two nodes find a block at the same time, the chain \
                 forks for a while; the branch with most work wins, and the others are left and turn grey."
            }
            div #tree .card.scroll data-live="nodes blocks" tabindex="0" role="region" aria-labelledby="tree-title" {
                (tree(picture))
            }
        }
        div #split data-live="nodes" { (split(splitting, picture)) }
        p #split-result role="status" {}
        div.overview {
            section.news aria-labelledby="ticker-title" {
                h2 #ticker-title { "What happens" }
                div #ticker .card data-live="ticker" aria-live="off" { (ticker(picture.ticker.iter())) }
            }
            div {
                section aria-labelledby="nodes-title" {
                    h2 #nodes-title { "Nodes" }
                    p.muted { "They search for blocks and check each other’s." }
                    div #nodes .grid data-live="nodes blocks" { (nodes(picture)) }
                }
                @if has_money {
                    section aria-labelledby="mempools-title" {
                        h2 #mempools-title { "Mempools" }
                        p.muted { "They keep payments until a node puts them into a block." }
                        div #mempools .grid data-live="nodes pool" { (mempools(picture)) }
                    }
                }
            }
        }
    }
}

/// The button that makes a fork, what one sees then, and the button that ends it.
fn split(splitting: &Splitting, picture: &Picture) -> Markup {
    match splitting {
        Splitting::Impossible => html! {},
        Splitting::Possible => html! {
            section.card aria-labelledby="split-title" {
                h2 #split-title { "See a fork happen" }
                p { "Two halves of the nodes stop talking to each other, so each goes on with blocks of its own and the tree grows \
                     two branches; when they talk again, the branch with more work wins and the other one turns grey." }
                noscript { p.warn { "The button needs JavaScript." } }
                p { button.primary type="button" data-split="split" { "Split the network for " (LASTS.as_secs()) " seconds" } }
            }
        },
        Splitting::GoesOn(Split { halves, until }) => html! {
            section.card.notice aria-labelledby="split-title" {
                h2 #split-title { "The network is split" }
                p {
                    (half(&halves[0], picture)) " and " (half(&halves[1], picture)) " do not hear of each other's blocks. "
                    @match until {
                        Some(until) => { "They talk again by themselves " (time(*until)) "." }
                        None => { "They talk again by themselves once each half has found a block, and within a minute anyhow." }
                    }
                }
                p { button type="button" data-split="heal" { "Heal now" } }
            }
        },
    }
}

fn half(nodes: &[String], picture: &Picture) -> Markup {
    let names = names(picture);
    let named = nodes.iter().map(|node| names.get(node).unwrap_or(node).as_str()).collect::<Vec<_>>();
    html! { strong { (named.join(", ")) } }
}

/// What is missing, and how to get it.
fn notice(picture: &Picture) -> Markup {
    let nobody = picture.nodes.is_empty() && picture.mempools.is_empty();
    html! {
        @if let Some(error) = &picture.tracker_error {
            div.card.notice {
                h2 { "The tracker does not answer" }
                p { "A tracker knows who is there. This page asks the one at " code { (picture.tracker) } ": " (error) "." }
                @if nobody {
                    p { "Start a whole network, with a tracker, in the folder of Chainlab:" }
                    (copyable("cargo run --release"))
                    p { "Or a tracker alone, and then a node, each in a terminal of its own:" }
                    (copyable("target/release/tracker\ntarget/release/node"))
                    p { "This page notices by itself." }
                } @else {
                    p { "Whoever was known before is still shown here." }
                }
            }
        } @else if nobody {
            div.card.notice {
                h2 { "Nobody is here yet" }
                p { "The tracker at " code { (picture.tracker) } " lists nobody of this network. Start a node:" }
                (copyable("target/release/node"))
                p {
                    "If there are nodes already, they may be of another network: its rules are in " code { "Config.toml" }
                    ", and this program must be started with the same."
                }
            }
        }
    }
}

/// Whether the nodes agree, in a sentence or two.
fn agreement_words(agreement: &Agreement, picture: &Picture) -> Markup {
    let names = names(picture);
    match &*agreement.branches {
        [] => html! { "No node answers at the moment." },
        [branch] => html! { strong.good { (one_branch(branch)) } },
        branches => html! {
            strong.warn {
                (branches.len()) " branches"
                @if let Some(parted) = &agreement.parted { " since block " (parted.index) }
                ":"
            }
            @for (place, branch) in branches.iter().take(4).enumerate() {
                @if place > 0 { ";" }
                " " (nodes_words(branch, &names)) " on the branch of block " (branch.tip.index) " " (block_link(branch.tip.hash))
            }
            @if branches.len() > 4 { "; and more" }
            "."
        },
    }
}

fn one_branch(branch: &Branch) -> String {
    let (there, behind) = (branch.there.len(), branch.behind.len());
    let block = branch.tip.index;
    match (there, behind) {
        (1, 0) => format!("The only node is at block {block}."),
        (2, 0) => format!("Both nodes agree on block {block}."),
        (_, 0) => format!("All {there} nodes agree on block {block}."),
        (1, _) => format!("1 of {} nodes is at block {block}, the others are on their way there.", 1 + behind),
        _ => format!("{there} of {} nodes are at block {block}, the others are on their way there.", there + behind),
    }
}

fn nodes_words(branch: &Branch, names: &BTreeMap<String, String>) -> String {
    const NAMED: usize = 3;
    let all: Vec<_> = branch.there.iter().chain(&branch.behind).collect();
    let named = all.iter().take(NAMED).map(|node| names.get(*node).map_or(node.as_str(), String::as_str));
    let named = named.collect::<Vec<_>>().join(", ");
    match all.len() {
        0 | 1 => format!("{named} is"),
        2..=NAMED => format!("{named} are"),
        more => format!("{named} and {} more are", more - NAMED),
    }
}

fn tree(picture: &Picture) -> Markup {
    if picture.blocks.is_empty() {
        return html! { p.muted { "No block is known yet." } };
    }
    let mut tips: BTreeMap<BlockHash, Vec<String>> = BTreeMap::new();
    for (node, tip) in picture.answering() {
        tips.entry(tip.hash).or_default().push(node.clone());
    }
    let best = picture.tip().map(|tip| tip.hash);
    Tree { blocks: &picture.blocks, best, tips: &tips, names: &names(picture) }.render()
}

/// Short names: where all are on the same machine, the port is enough.
fn names(picture: &Picture) -> BTreeMap<String, String> {
    let mut hosts: Vec<_> = picture.nodes.keys().filter_map(|address| Some(address.rsplit_once(':')?.0)).collect();
    hosts.dedup();
    if hosts.len() > 1 {
        return BTreeMap::new();
    }
    let name = |address: &String| Some((address.clone(), format!(":{}", address.rsplit_once(':')?.1)));
    picture.nodes.keys().filter_map(name).collect()
}

fn nodes(picture: &Picture) -> Markup {
    html! {
        @if picture.nodes.is_empty() { p.muted { "No node is known yet." } }
        @for (address, contact) in &picture.nodes { (node(address, contact)) }
    }
}

fn node(address: &str, contact: &Contact) -> Markup {
    let mining = contact.info.as_ref().and_then(|info| info.mining.as_ref());
    let is_mining = mining.is_some_and(|mining| mining.enabled);
    html! {
        article.card.service.silent[contact.error.is_some()] data-key=(address) {
            h3 { a href={ "/node/" (address) } { (address) } }
            p.state {
                @if contact.error.is_some() { span.bad { "does not answer" } }
                @else if contact.info.is_none() { span.muted { "is being asked" } }
                @else if is_mining { span.good { "mining" } }
                @else { span.muted { "not mining" } }
            }
            dl {
                (tip(contact.tip()))
                @if let Some(mining) = mining.filter(|_| is_mining) {
                    dt { "Hash rate" } dd { (chart::figure(mining.hashrate as f64)) "H/s" }
                }
                @if let Some(peers) = contact.info.as_ref().and_then(|info| info.peers) {
                    dt { "Peers" } dd { (number(peers)) }
                }
                (last_seen(contact))
            }
        }
    }
}

fn mempools(picture: &Picture) -> Markup {
    html! {
        @if picture.mempools.is_empty() {
            p.muted { "No mempool is known: payments need one." }
        }
        @for (address, contact) in &picture.mempools { (mempool(address, contact)) }
    }
}

fn mempool(address: &str, contact: &Contact) -> Markup {
    let pool = contact.info.as_ref().and_then(|info| info.pool.as_ref());
    html! {
        article.card.service.silent[contact.error.is_some()] data-key=(address) {
            h3 { (address) }
            @if contact.error.is_some() { p.state { span.bad { "does not answer" } } }
            dl {
                @if let Some(pool) = pool {
                    dt { a href="/transactions" { "Waiting" } }
                    dd {
                        (number(pool.count)) @if pool.count == 1 { " payment" } @else { " payments" }
                        ", " (bytes(usize::try_from(pool.bytes).unwrap_or(usize::MAX)))
                    }
                }
                (tip(contact.tip()))
                (last_seen(contact))
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

fn last_seen(contact: &Contact) -> Markup {
    html! {
        dt { "Last seen" }
        dd {
            @match (&contact.error, contact.last_seen) {
                (None, Some(_)) => { "just now" }
                (_, Some(at)) => { (time(at)) }
                (_, None) => { "never" }
            }
        }
        @if let Some(error) = &contact.error { dt { "Error" } dd.bad { (error) } }
    }
}

fn ticker<'a>(facts: impl ExactSizeIterator<Item = &'a Fact>) -> Markup {
    html! {
        @if facts.len() == 0 { p.muted { "Nothing yet. News appear here by themselves." } }
        @else {
            ul.ticker {
                @for fact in facts {
                    li .(topic(fact.topic)) data-key=(format!("{} {}", fact.at, fact.words)) {
                        (fact.words)
                        @if let Some(block) = &fact.block {
                            " " a.hash href={ "/block/" (block.hash) } title=(block.hash) { (short(&block.hash.to_string())) }
                        }
                        " " span.muted { (time(fact.at)) }
                    }
                }
            }
        }
    }
}

/// The class of a fact, for its mark.
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
