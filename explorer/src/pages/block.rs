//! The page of a block: whether it is on the best chain, its header and hash, its contents, and how to check it.

mod proof;
mod rules;

use super::content::{self, Content};
use super::stale::{self, Undone};
use super::{coin, errors, ladder, transaction_table};
use crate::network::Outside;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, block_link, explained};
use maud::{Markup, html};
use runtime::server::{Number, Request, Response};
use serde::Deserialize;
use shared::block::{Block, BlockHash, Height, Timestamp};
use shared::explain;
use shared::layer::transaction::RewardSchedule;
use shared::ledger::{Amount, Bundle};
use shared::params::Params;
use shared::wire::{CallSummary, Problem};
use std::sync::Arc;

/// Largest data that is shown in commands and raw JSON.
const MAX_SHOWN_BYTES: usize = 20_000;
/// Transactions of one page.
const PER_PAGE: usize = 25;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockQuery {
    /// Lists this page of its transactions, of 25 each.
    #[param(inline, nullable = false)]
    page: Option<Number>,
}

/// Whether a block is on the best chain.
enum Position {
    /// Confirmations are the blocks from this one to the tip, both counted.
    Best { confirmations: u64 },
    /// On a branch that the network has abandoned; with what became of its payments, where there is money.
    Stale(Option<Undone>),
}

struct BlockPage<'a> {
    block: &'a Block,
    content: Content,
    place: Position,
    params: &'a Params,
    /// The time of the block before, if it is known.
    before: Option<Timestamp>,
    /// The page of its transactions, from 0.
    page: usize,
    /// How it came into the network, if a node did not find it.
    outside: Option<&'a Outside>,
    /// A node that has the block, if one is known.
    node: Option<&'a str>,
    /// What its calls did, if that is known.
    calls: Option<&'a [CallSummary]>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    let BlockQuery { page } = request.query()?;
    let block = match find(&explorer, name).await {
        None => {
            return Ok(errors::not_found(html! {
                (view::sanitized(&view::short(name))) " is neither the height of a block, such as 5, nor a hash, which \
                    has 64 digits from 0 to f."
            }));
        }
        Some(Err(error)) if error.is_not_found() => {
            return Ok(errors::not_found(html! { "No node of this network has a block " code { (name) } "." }));
        }
        Some(Err(error)) => return Ok(errors::no_answer(&error)),
        Some(Ok(block)) => block,
    };
    let place = match position(&explorer, &block).await {
        Ok(place) => place,
        Err(error) => return Ok(errors::no_answer(&error)),
    };
    let content = Content::of(&block, explorer.params.layer);
    let state = explorer.network();
    let (nodes, outside) = (state.best_nodes(), state.outside.get(&block.hash()));
    let node = nodes.first().map(String::as_str);
    let before = time_before(&explorer, &block).await;
    let page = page.map_or(0, |Number(page)| usize::try_from(page).unwrap_or(usize::MAX).saturating_sub(1));
    let (calls, params) = (calls_of(&explorer, &block).await, &explorer.params);
    let calls = calls.as_deref();
    let main = render(&BlockPage { block: &block, content, place, params, before, page, outside, node, calls });
    let title = format!("Block {}", block.index());
    Ok(Page { title: &title, place: "/blocks", scripts: &[], main }.response())
}

/// What the calls of a block did. A page about the block needs no mempool, so it is left out if none says it.
async fn calls_of(explorer: &ExplorerState, block: &Block) -> Option<Vec<CallSummary>> {
    if !explorer.params.layer.has_programs() {
        return None;
    }
    let hash = block.hash();
    explorer.upstream.mempool(async move |client, mempool| client.block_calls(mempool, &hash).await).await.ok()
}

/// The block of a height or hash; `None` if it is neither.
pub(super) async fn find(explorer: &ExplorerState, name: &str) -> Option<Result<Block, UpstreamError>> {
    if let Ok(hash) = name.to_ascii_lowercase().parse::<BlockHash>() {
        return Some(explorer.upstream.block(hash).await);
    }
    let is_number = name.bytes().all(|c| c.is_ascii_digit());
    let height = is_number.then(|| name.parse().ok()).flatten()?;
    Some(explorer.upstream.block_at(height).await)
}

/// The timestamp of the block before, if it was mined.
async fn time_before(explorer: &ExplorerState, block: &Block) -> Option<Timestamp> {
    if block.index().0 < 2 {
        return None;
    }
    let parent = block.header().prev_hash;
    if let Some(known) = explorer.network().blocks.get(&parent) {
        return Some(known.timestamp);
    }
    explorer.upstream.block(parent).await.ok().map(|parent| parent.header().timestamp)
}

async fn position(explorer: &ExplorerState, block: &Block) -> Result<Position, UpstreamError> {
    let tip = explorer.network().tip().map_or(block.index(), |tip| tip.index);
    let confirmations = tip.0.saturating_sub(block.index().0) + 1;
    match explorer.upstream.block_at(block.index().0).await {
        Ok(best) if best.hash() == block.hash() => Ok(Position::Best { confirmations }),
        Ok(_) => Ok(Position::Stale(stale::undone(explorer, block).await)),
        Err(error) if error.is_not_found() => Ok(Position::Stale(stale::undone(explorer, block).await)),
        Err(error) => Err(error),
    }
}

fn render(shown: &BlockPage<'_>) -> Markup {
    let BlockPage { block, content, .. } = shown;
    html! {
        h1 { "Block " (block.index()) (found_by(shown)) }
        (position_part(shown))
        (proof::draw(block))
        section aria-labelledby="data" {
            h2 #data { "Contents" }
            @match content {
                Content::Bundle(bundle) => (bundle_of(bundle, shown)),
                Content::Text(text) if block.index() == Height::GENESIS => (rules::draw(text)),
                Content::Text(text) => (content::text(text)),
            }
        }
        (ladder::render(block, content, shown.calls, shown.params))
        (check(shown))
        section aria-labelledby="raw" { h2 #raw { "For programs" } (raw(shown)) }
    }
}

/// Who found it, if it says so, and how long after the block before.
fn found_by(BlockPage { block, content, before, outside, .. }: &BlockPage<'_>) -> Markup {
    html! {
        @if let Content::Bundle(bundle) = content {
            small { " found by " (view::finder(&bundle.miner_address, *outside)) }
        }
        @if let Some(before) = before {
            @let ms = block.header().timestamp.ms_since(*before).max(0);
            small.muted { " " (ms / 1000) "." (ms % 1000 / 100) " s after block " (block.index().minus(1)) }
        }
    }
}

/// The part that changes while the page is open: confirmations, and the next block.
fn position_part(BlockPage { block, place, .. }: &BlockPage<'_>) -> Markup {
    let (index, parent) = (block.index(), block.header().prev_hash);
    html! {
        // Fetched by its hash, since another block may soon have its height.
        div #standing data-live="blocks" data-live-from={ "/block/" (block.hash()) } {
            @match place {
                // A paragraph may not contain `details`.
                Position::Best { confirmations } => div {
                    span.good { "On the best chain" } ", " (view::number(*confirmations)) " "
                    (explained(
                        if *confirmations == 1 { "confirmation" } else { "confirmations" },
                        "This block plus every block on top of it. All of them would have to be mined again to change \
                            it.",
                    ))
                },
                Position::Stale(undone) => {
                    p {
                        span.bad { "On a stale branch." } " The network chose "
                        a href={ "/block/" (index) } { "another block at height " (index) } "."
                    }
                    @if let Some(undone) = undone { (stale::render(undone)) }
                },
            }
            nav.paging aria-label="Neighbouring blocks" {
                @if index != Height::GENESIS { a.button href={ "/block/" (parent) } rel="prev" { "Previous block" } }
                @if matches!(place, Position::Best { confirmations: 2.. }) {
                    a.button href={ "/block/" (index.next()) } rel="next" { "Next block" }
                }
            }
        }
    }
}

fn bundle_of(bundle: &Bundle, shown: &BlockPage<'_>) -> Markup {
    let BlockPage { block, params, page, .. } = shown;
    let reward = RewardSchedule::of(params).at(block.index());
    let fees = bundle.transactions.iter().try_fold(Amount::ZERO, |sum, each| sum.checked_add(each.fee()));
    html! {
        dl.fields {
            dt { (explained("miner", "The address that is paid for finding this block.")) }
            dd { a.hash href={ "/address/" (bundle.miner_address) } { (bundle.miner_address) } }
            dt { (explained("reward", "New money for the miner. All money of this network was created this way.")) }
            dd { (view::amount(reward)) }
            dt { (explained("fees", "What the senders of the transactions pay to the miner.")) }
            dd { (view::amount(fees.unwrap_or(Amount::MAX))) }
            @if let Some(coin) = coin::of_miner(bundle, block.index(), params) {
                dt { (explained("miner's coin", "Reward and fees are one new coin, which belongs to the miner.")) }
                dd { (view::coin_link(coin)) }
            }
            dt { (explained("message", "A text that the miner chose.")) }
            dd { @if bundle.msg.is_empty() { span.muted { "none" } } @else { (view::sanitized(&bundle.msg)) } }
            dt { "size" }
            dd { (view::bytes(block.data().len())) }
            @if let Some(calls) = shown.calls {
                dt { (explained("gas", "What the machine's work is counted in. Calls declare how much they may use, \
                    and a block has a bound on what its calls declare together.")) }
                dd { (ladder::gas(calls, params)) }
            }
        }
        @if bundle.transactions.is_empty() {
            p { "It has no transactions: no payment was waiting." }
        } @else {
            (transactions(bundle, block.hash(), *page))
            p { a href={ "/block/" (block.hash()) "/transactions.csv" } { "All of them as CSV" } }
        }
    }
}

/// One page of the transactions: the last one, if there is no such page.
fn transactions(bundle: &Bundle, hash: BlockHash, page: usize) -> Markup {
    let all = &bundle.transactions;
    let pages = all.len().div_ceil(PER_PAGE).max(1);
    let page = page.min(pages - 1);
    let first = page * PER_PAGE;
    let shown = &all[first..all.len().min(first + PER_PAGE)];
    let caption = match (all.len(), pages) {
        (1, _) => "1 transaction".to_owned(),
        (count, 1) => format!("{count} transactions"),
        (count, _) => format!("Transactions {} to {} of {count}", first + 1, first + shown.len()),
    };
    // Pages count from 1 in links.
    let link = |page: usize| format!("/block/{hash}?page={}#data", page + 1);
    html! {
        (transaction_table::table(&caption, shown.iter()))
        @if pages > 1 {
            nav.paging aria-label="More transactions" {
                @if page > 0 { a.button href=(link(page - 1)) rel="prev" { "Transactions before" } }
                @if page + 1 < pages {
                    @let more = (all.len() - first - PER_PAGE).min(PER_PAGE);
                    a.button href=(link(page + 1)) rel="next" { "Show the next " (more) }
                }
            }
        }
    }
}

fn check(BlockPage { block, node, .. }: &BlockPage<'_>) -> Markup {
    html! {
        section aria-labelledby="check" {
            h2 #check { "Check it yourself" }
            p { "You need not trust this page. These commands compute the hashes again, with a tool that every Linux \
                system has." }
            @if block.data().len() <= MAX_SHOWN_BYTES {
                (view::recheck(&explain::block(block)))
            } @else if let Some(node) = node {
                p { "The data is too long to show here, so the first command downloads it; it needs " code { "curl" }
                    " and " code { "jq" } "." }
                (view::recheck(&explain::block_of(block, node)))
            } @else {
                p { "The data is too long to show here. This command prints the commands:" }
                (view::copyable(&format!("user explain block {}", block.hash())))
            }
        }
    }
}

fn raw(BlockPage { block, node, .. }: &BlockPage<'_>) -> Markup {
    html! {
        @if block.data().len() <= MAX_SHOWN_BYTES { (view::raw_json(block)) }
        @if let Some(node) = node {
            p { "Any node will give you this block as JSON:" }
            (view::copyable(&format!("curl http://{node}/block/{}", block.hash())))
        }
        p { "Permanent link: " (block_link(block.hash())) " (it keeps working even if this block is replaced)" }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use shared::params::LayerName;

    fn shown(block: &Block, params: &Params, place: Position) -> Markup {
        let content = Content::of(block, params.layer);
        let before = Some(Timestamp::from_ms(params.genesis_time.as_ms() + 1200)).filter(|_| block.index().0 > 0);
        let node = Some("127.0.0.1:8100");
        render(&BlockPage { block, content, place, params, before, page: 0, outside: None, node, calls: None })
    }

    #[test]
    fn a_block_with_a_payment() {
        let [_, block] = samples::blocks("for lunch");
        snapshot("block", &shown(&block, &Params::default(), Position::Best { confirmations: 3 }));
    }

    #[test]
    fn genesis_carries_the_rules() {
        let [genesis, _] = samples::blocks("");
        snapshot("genesis", &shown(&genesis, &Params::default(), Position::Best { confirmations: 1 }));
    }

    #[test]
    fn transactions_come_in_pages_and_none_is_left_out() {
        let transactions: Vec<_> = (1..=60).map(|number| samples::payment(number, "")).collect();
        let bundle =
            Bundle { msg: String::new(), miner_address: samples::address("carol"), transactions, outcome: None };
        let on = |page| transactions_of(&bundle, page);
        let rows = |shown: &str| shown.matches("<tr>").count() - 1;
        assert_eq!([0, 1, 2, 9].map(|page| rows(&on(page))), [25, 25, 10, 10]);
        assert!(on(0).contains("Transactions 1 to 25 of 60") && on(0).contains("?page=2#data"), "{}", on(0));
        assert!(!on(0).contains("rel=\"prev\"") && on(1).contains("Show the next 10"), "{}", on(1));
        assert!(on(2).contains("Transactions 51 to 60 of 60") && !on(2).contains("rel=\"next\""), "{}", on(2));
    }

    fn transactions_of(bundle: &Bundle, page: usize) -> String {
        transactions(bundle, BlockHash::ZERO, page).into_string()
    }

    #[test]
    fn a_large_block_is_checked_by_downloading_it() {
        let data = Params { layer: LayerName::Data, ..Params::default() };
        let [_, block] = samples::blocks_of_text(&"long ".repeat(MAX_SHOWN_BYTES));
        let shown = shown(&block, &data, Position::Stale(None)).into_string();
        let command = format!("curl -s http://127.0.0.1:8100/block/{} | jq -j .data | sha256sum", block.hash());
        assert!(shown.contains(&command) && shown.contains("enough work"), "{shown}");
    }

    #[test]
    fn a_stale_block_links_to_the_best_one() {
        let [_, block] = samples::blocks("for lunch");
        let shown = shown(&block, &Params::default(), Position::Stale(None)).into_string();
        assert!(shown.contains("stale branch") && shown.contains("href=\"/block/1\""), "{shown}");
        assert!(!shown.contains("Next block"), "{shown}");
    }

    #[test]
    fn hostile_data_stays_text() {
        let data = Params { layer: LayerName::Data, ..Params::default() };
        let [_, with_text] = samples::blocks_of_text(samples::HOSTILE);
        samples::assert_harmless(&shown(&with_text, &data, Position::Stale(None)).into_string());
        let [_, with_money] = samples::blocks(&samples::HOSTILE.replace('\u{202e}', "\u{2066}"));
        samples::assert_harmless(&shown(&with_money, &Params::default(), Position::Stale(None)).into_string());
    }

    #[test]
    fn long_data_is_folded_and_huge_data_is_cut() {
        let data = Params { layer: LayerName::Data, ..Params::default() };
        for (length, is_folded, is_cut) in [(100, false, false), (5_000, true, false), (300_000, true, true)] {
            let [_, block] = samples::blocks_of_text(&"ä".repeat(length));
            let shown = shown(&block, &data, Position::Stale(None)).into_string();
            assert_eq!(shown.contains("Show the text"), is_folded, "{length}");
            assert_eq!(shown.contains("Only the beginning"), is_cut, "{length}");
            assert!(shown.len() < 700_000, "{}", shown.len());
        }
    }
}
