//! The page that lists the blocks of the best chain, newest first.

use super::content::Content;
use super::errors;
use crate::network::Outside;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, block_link};
use maud::{Markup, html};
use runtime::server::{Number, Request, Response};
use serde::Deserialize;
use shared::block::{Block, Header, Height};
use shared::params::LayerName;
use shared::wire::Problem;
use std::sync::Arc;

/// Blocks of one page.
const PER_PAGE: u64 = 50;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlocksQuery {
    /// Lists the blocks below this height.
    #[param(inline, nullable = false)]
    pub(super) before: Option<Number>,
}

struct Row {
    header: Header,
    content: Content,
    /// How it came into the network, if a node did not find it.
    outside: Option<Outside>,
    bytes: usize,
}

struct BlockList {
    layer: LayerName,
    /// Newest first.
    rows: Vec<Row>,
    /// Whether this is the page with the newest blocks.
    is_first: bool,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let BlocksQuery { before } = request.query()?;
    let Some(tip) = explorer.network().tip() else {
        return Ok(errors::no_answer(&UpstreamError::NoneKnown("node")));
    };
    let newest = tip.index.0.saturating_add(1);
    let end = before.map_or(newest, |Number(before)| before.min(newest));
    let from = end.saturating_sub(PER_PAGE);
    let layer = explorer.params.layer;
    let blocks = match explorer.upstream.chain(from, end - from).await {
        Ok(blocks) => blocks,
        Err(error) => return Ok(errors::no_answer(&error)),
    };
    let state = explorer.network();
    let rows = blocks.into_iter().rev().map(|block| row(&block, layer, state.outside.get(&block.hash()))).collect();
    let main = render(&BlockList { layer, rows, is_first: end == newest });
    Ok(Page { title: "Blocks", place: "/blocks", scripts: &[], main }.response())
}

fn row(block: &Block, layer: LayerName, outside: Option<&Outside>) -> Row {
    let (header, content) = (block.header().clone(), Content::of(block, layer));
    Row { header, content, outside: outside.cloned(), bytes: block.data().len() }
}

fn render(listed: &BlockList) -> Markup {
    html! {
        h1 { "Blocks" }
        p { "A block is a page in a ledger that everyone shares. Each block contains the hash of the block before, a \
            fingerprint of its contents, so changing one block means redoing every block after it." }
        // Older pages do not change.
        div #blocks data-live=[listed.is_first.then_some("blocks")] {
            @if listed.rows.is_empty() { p { "There are no blocks here." } } @else { (table(listed)) }
            (paging(listed))
        }
    }
}

fn table(BlockList { layer, rows, .. }: &BlockList) -> Markup {
    let has_money = layer.has_money();
    let what = if has_money { "Found by" } else { "Text" };
    html! {
        div.table tabindex="0" role="region" aria-label="Blocks, newest first" {
            table {
                thead { tr {
                    th.number scope="col" { "Height" }
                    th scope="col" { "Hash" }
                    th scope="col" { "Time" }
                    th scope="col" { (what) }
                    @if has_money { th.number scope="col" { "Transactions" } }
                    th.number scope="col" { "Size" }
                    th.number scope="col" { "Difficulty" }
                } }
                tbody {
                    @for Row { header, content, outside, bytes } in rows {
                        tr {
                            th.number scope="row" { a href={ "/block/" (header.index) } { (header.index) } }
                            td data-label="Hash" { (block_link(header.hash())) }
                            td data-label="Time" { (view::time(header.timestamp)) }
                            td class=[(!has_money).then_some("msg")] data-label=(what) {
                                @if header.index == Height::GENESIS { span.muted { "the rules of this network" } }
                                @else { (content.in_short(outside.as_ref())) }
                            }
                            @if has_money { td.number data-label="Transactions" { (content.transactions()) } }
                            td.number data-label="Size" { (view::bytes(*bytes)) }
                            td.number data-label="Difficulty" { (view::number(header.difficulty.value())) }
                        }
                    }
                }
            }
        }
    }
}

fn paging(BlockList { rows, is_first, .. }: &BlockList) -> Markup {
    let oldest = rows.last().map_or(0, |row| row.header.index.0);
    html! {
        nav.paging aria-label="More blocks" {
            @if !is_first { a.button href="/blocks" { "Newest" } }
            @if oldest > 0 { a.button href={ "/blocks?before=" (oldest) } rel="next" { "Older" } }
            @if let Some(newest) = rows.first() {
                a.button href={ "/blocks.csv?before=" (newest.header.index.next()) } { "As CSV" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;

    fn listed(layer: LayerName, blocks: &[Block]) -> BlockList {
        BlockList { layer, rows: blocks.iter().rev().map(|block| row(block, layer, None)).collect(), is_first: true }
    }

    #[test]
    fn blocks_with_money() {
        let blocks = samples::blocks("for lunch");
        snapshot("blocks", &render(&listed(LayerName::Transaction, &blocks)));
    }

    #[test]
    fn a_finder_from_outside_is_named_with_the_way() {
        let [_, block] = samples::blocks("for lunch");
        let mut listed = listed(LayerName::Transaction, &[block]);
        for (is_browser, words) in [(true, "’s browser, by way of <a"), (false, "</a>, by way of <a")] {
            let node = "127.0.0.1:8100".to_owned();
            listed.rows[0].outside = Some(Outside { index: Height(1), node, is_browser });
            let shown = render(&listed).into_string();
            assert!(shown.contains(words) && shown.contains("href=\"/node/127.0.0.1:8100\""), "{shown}");
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let shown = render(&listed(LayerName::Data, &samples::blocks_of_text(samples::HOSTILE))).into_string();
        samples::assert_harmless(&shown);
        assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{shown}");
    }

    #[test]
    fn the_next_page_continues_where_this_one_ends() {
        let blocks = samples::blocks("for lunch");
        let mut listed = listed(LayerName::Transaction, &blocks[1..]);
        listed.is_first = false;
        let shown = render(&listed).into_string();
        assert!(shown.contains("href=\"/blocks?before=1\"") && !shown.contains("data-live"), "{shown}");
    }
}
