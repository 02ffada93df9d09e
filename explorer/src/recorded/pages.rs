//! The pages of a recording. Each shows what was known at the moment `t`.

use super::blocks::{SeenBlock, block_event};
use super::playback::{Playback, Shown};
use super::{Recorded, View};
use crate::header_cache::MAX_HEADERS;
use crate::pages::charts::{self, By, ChartData, ChartsView, RecordedBlocks};
use crate::pages::network as stage;
use crate::stats::StaleBlocks;
use crate::view::{self, block_link};
use http::StatusCode;
use maud::{Markup, html};
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::block::{BlockHash, Height, Timestamp};
use shared::sync::BlockSource;
use shared::wire::Problem;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows of one page.
const PER_PAGE: usize = 50;
/// Most nodes that a block's page lists.
const MAX_RECEIPTS: usize = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AtQuery {
    /// Seconds from the beginning of the recording; without it, its beginning.
    #[param(nullable = false)]
    t: Option<f64>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct BlocksQuery {
    /// Seconds from the beginning of the recording; without it, its beginning.
    #[param(nullable = false)]
    t: Option<f64>,
    /// Lists the blocks below this height.
    #[param(inline, nullable = false)]
    before: Option<Number>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ChartsQuery {
    /// Seconds from the beginning of the recording; without it, its beginning.
    #[param(nullable = false)]
    t: Option<f64>,
    /// How many blocks to show.
    #[param(inline, nullable = false)]
    blocks: Option<Number>,
    /// What the x axis is: `height` or `clock`.
    #[serde(default)]
    #[param(value_type = Option<String>, nullable = false, pattern = "^(height|clock)$")]
    by: By,
}

pub(super) async fn network(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let AtQuery { t } = request.query()?;
    recorded.page(&request, t, |_, shown| View::new("Network", "/", stage::render_recorded(&shown.scene))).await
}

pub(super) async fn blocks(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let BlocksQuery { t, before } = request.query()?;
    let before = before.map(|Number(before)| Height(before));
    recorded.page(&request, t, |playback, shown| View::new("Blocks", "/blocks", list(playback, shown, before))).await
}

pub(super) async fn block(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let AtQuery { t } = request.query()?;
    let [name] = request.params()?;
    let view = |playback: &Playback, shown: &Shown| match find(playback, shown, name) {
        Some(block) => View::new(format!("Block {}", block.index), "/blocks", one_block(playback, shown, block)),
        None => {
            View::not_found(html! { "No node had a block " (view::sanitized(&view::short(name))) " at this moment." })
        }
    };
    recorded.page(&request, t, view).await
}

pub(super) async fn node(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let AtQuery { t } = request.query()?;
    let [name] = request.params()?;
    let view =
        |playback: &Playback, shown: &Shown| match playback.head().nodes.iter().position(|node| node.address == name) {
            Some(number) => View::new("Node", "", one_node(playback, shown, number)),
            None => View::not_found(html! { "There is no node " (view::sanitized(&view::short(name))) "." }),
        };
    recorded.page(&request, t, view).await
}

pub(super) async fn charts(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let ChartsQuery { t, blocks, by } = request.query()?;
    let view = ChartsView::new(blocks, by);
    let page = |playback: &Playback, shown: &Shown| {
        View::new("Charts", "/charts", charts::render(&chart_data(playback, shown, view)))
    };
    recorded.page(&request, t, page).await
}

pub(super) async fn chart_file(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let ChartsQuery { t, blocks, by } = request.query()?;
    let [file] = request.params()?;
    let shown = recorded.moment(t).await?;
    let data = chart_data(&recorded.playback, &shown, ChartsView::new(blocks, by));
    let made = view::with_cast(shown.scene.cast.clone(), || charts::make(file, &data));
    let missing = || server::not_found(format!("there is no chart {file:?} of a recording"));
    let (content_type, text) = made.ok_or_else(missing)?;
    Ok(reply::whole(StatusCode::OK, content_type, text.into()))
}

/// People get a page for paths that do not exist.
pub(super) async fn not_found(recorded: Arc<Recorded>, request: Request) -> Result<Response, Problem> {
    let words = html! { "A recording has no page " (view::sanitized(&view::short(request.path().as_str()))) "." };
    recorded.page(&request, None, |_, _| View::not_found(words)).await
}

/// The hashes of the best chain at this moment.
fn best_chain(playback: &Playback, shown: &Shown) -> BTreeSet<BlockHash> {
    let tip = shown.scene.state.tip().map(|tip| tip.hash);
    let chain = tip.into_iter().flat_map(|tip| playback.blocks().chain(tip, shown.scene.now));
    chain.map(|block| block.hash).collect()
}

fn find<'a>(playback: &'a Playback, shown: &Shown, name: &str) -> Option<&'a SeenBlock> {
    let (blocks, now) = (playback.blocks(), shown.scene.now);
    if let Ok(hash) = name.parse::<BlockHash>() {
        return blocks.get(&hash, now);
    }
    let Number(height) = name.parse().ok()?;
    let tip = shown.scene.state.tip()?.hash;
    blocks.chain(tip, now).find(|block| block.index.0 == height)
}

fn finder(playback: &Playback, block: &SeenBlock) -> Markup {
    let node = block.finder.and_then(|finder| playback.head().nodes.get(finder as usize));
    html! {
        @match node {
            Some(node) => (view::node(&node.address)),
            None if block.hash == playback.head().tip.hash => span.muted { "before the recording" },
            None => span.muted { "a miner with a strategy" },
        }
    }
}

fn list(playback: &Playback, shown: &Shown, before: Option<Height>) -> Markup {
    let best = best_chain(playback, shown);
    let mut rows: Vec<&SeenBlock> = playback.blocks().known(shown.scene.now).collect();
    let (all, stale) = (rows.len(), rows.iter().filter(|block| !best.contains(&block.hash)).count());
    rows.retain(|block| before.is_none_or(|before| block.index < before));
    rows.sort_by_key(|block| (Reverse(block.index), !best.contains(&block.hash), block.hash));
    // All blocks of a height are on one page.
    let last = rows.get(PER_PAGE - 1).map(|block| block.index);
    let listed = last.map_or(rows.len(), |last| rows.partition_point(|block| block.index >= last));
    html! {
        h1 { "Blocks" }
        p { "At this moment " (all) " blocks were known, of which " (stale) " were not on the best chain." }
        div.table tabindex="0" role="region" aria-label="Blocks, newest first" {
            table {
                thead { tr { th.number scope="col" { "Height" } th scope="col" { "Hash" } th scope="col" { "Time" }
                    th scope="col" { "Found by" } th.number scope="col" { "Difficulty" } th scope="col" { "Chain" } } }
                tbody { @for block in &rows[..listed] {
                    tr {
                        th.number scope="row" { a href={ "/block/" (block.hash) } { (block.index) } }
                        td data-label="Hash" { (block_link(block.hash)) }
                        td data-label="Time" { (view::time(block.timestamp)) }
                        td data-label="Found by" { (finder(playback, block)) }
                        td.number data-label="Difficulty" { (view::number(block.difficulty.value())) }
                        td data-label="Chain" { @if best.contains(&block.hash) { "best" } @else { "stale" } }
                    }
                } }
            }
        }
        nav.paging aria-label="More blocks" {
            @if before.is_some() { a.button href="/blocks" { "Newest" } }
            @if let Some(last) = last.filter(|_| listed < rows.len()) {
                a.button href={ "/blocks?before=" (last) } rel="next" { "Older" }
            }
        }
    }
}

/// When a node told of a block, and how it got it.
struct Receipt<'a> {
    at: Timestamp,
    node: u32,
    source: BlockSource,
    from: Option<&'a str>,
}

fn one_block(playback: &Playback, shown: &Shown, block: &SeenBlock) -> Markup {
    let is_best = best_chain(playback, shown).contains(&block.hash);
    let told = playback.until(shown.ms).iter().filter_map(block_event);
    let receipts: Vec<Receipt<'_>> = told
        .filter(|(_, _, event)| event.hash == block.hash)
        .map(|(at, node, event)| Receipt { at, node, source: event.source, from: event.from.as_deref() })
        .collect();
    let nodes = &playback.head().nodes;
    html! {
        h1 { "Block " (block.index) }
        dl {
            dt { "Hash" } dd.hash { (block.hash) }
            dt { "Chain" } dd { @if is_best { "on the best chain" } @else { "stale: not on the best chain" } }
            dt { "Found by" } dd { (finder(playback, block)) }
            dt { "Time" } dd { (view::time(block.timestamp)) }
            dt { "Difficulty" } dd { (view::number(block.difficulty.value())) }
            dt { "Work of its branch" } dd { (view::number(block.work.0)) }
            dt { "Block before" }
            dd { @if block.prev_hash == BlockHash::ZERO { "–" } @else { (block_link(block.prev_hash)) } }
        }
        h2 { "Who had it" }
        @if block.hash == playback.head().tip.hash { p { "All nodes began with it." } }
        @else { p { (receipts.len()) " of " (nodes.len()) " nodes had it at this moment." } }
        @if !receipts.is_empty() {
            div.table tabindex="0" role="region" aria-label="Nodes, the first one first" {
                table {
                    thead { tr { th scope="col" { "Node" } th.number scope="col" { "After" }
                        th scope="col" { "How" } } }
                    tbody { @for receipt in receipts.iter().take(MAX_RECEIPTS) {
                        tr {
                            td data-label="Node" { @if let Some(node) = nodes.get(receipt.node as usize)
                                { (view::node(&node.address)) } }
                            td.number data-label="After" { (receipt.at.ms_since(block.heard).max(0)) " ms" }
                            td data-label="How" { (how(receipt)) }
                        }
                    } }
                }
            }
            @if receipts.len() > MAX_RECEIPTS { p.muted { "And " (receipts.len() - MAX_RECEIPTS) " more." } }
        }
    }
}

fn how(receipt: &Receipt<'_>) -> Markup {
    html! {
        @match receipt.source {
            BlockSource::Mined => "found it",
            BlockSource::Pushed => "was sent it",
            BlockSource::Synced => "fetched it while catching up",
        }
        @if let Some(from) = receipt.from { ", from " (view::node(from)) }
    }
}

fn one_node(playback: &Playback, shown: &Shown, number: usize) -> Markup {
    let nodes = &playback.head().nodes;
    let node = &nodes[number];
    let state = &shown.scene.state;
    let service = state.nodes.get(&node.address);
    let best = best_chain(playback, shown);
    let found = playback.blocks().known(shown.scene.now).filter(|block| block.finder == u32::try_from(number).ok());
    let found: Vec<&SeenBlock> = found.collect();
    let lost = found.iter().filter(|block| !best.contains(&block.hash)).count();
    html! {
        h1 { "Node " (shown.scene.cast.node(&node.address)) }
        dl {
            dt { "Address" } dd { code { (node.address) } " (nobody listens there)" }
            dt { "Newest block" }
            dd { @match service.and_then(crate::network::ServiceState::tip) {
                Some(tip) => { a href={ "/block/" (tip.hash) } { (tip.index) } }
                None => "not shown: there are too many nodes",
            } }
            dt { "Hash rate" } dd { (view::number(node.hash_rate)) " hashes per second" }
            @if let Some(earner) = &node.earner { dt { "Mines for" } dd.hash { (earner) } }
            dt { "Blocks found" } dd { (found.len()) @if lost > 0 { ", of which " (lost) " were lost" } }
            dt { "Links" }
            dd {
                @for (place, other) in node.links.iter().take(MAX_RECEIPTS).enumerate() {
                    @if let Some(other) = nodes.get(*other as usize) {
                        @if place > 0 { ", " }
                        (view::node(&other.address))
                        @if state.is_cut(&node.address, &other.address) { " (cut)" }
                    }
                }
                @if node.links.is_empty() { "none" }
            }
        }
    }
}

fn chart_data(playback: &Playback, shown: &Shown, view: ChartsView) -> ChartData {
    let state = &shown.scene.state;
    let tip = state.tip().map(|tip| tip.hash);
    let chain = tip.into_iter().flat_map(|tip| playback.blocks().chain(tip, shown.scene.now));
    let mut chain: Vec<&SeenBlock> = chain.filter(|block| block.index > Height::GENESIS).take(MAX_HEADERS).collect();
    chain.reverse();
    let earner = |block: &&SeenBlock| playback.head().nodes.get(block.finder? as usize)?.earner;
    let blocks = RecordedBlocks {
        headers: chain.iter().map(|block| block.header()).collect(),
        miners: chain.iter().map(earner).collect(),
        stale_blocks: StaleBlocks::of(state).last(view.block_count()),
    };
    ChartData::recorded(view, playback.params(), blocks)
}
