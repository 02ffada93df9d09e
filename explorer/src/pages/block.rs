//! The page of a block: its data, its header, whether it is on the best chain, and how to check it.

use super::content::{self, Content};
use super::{errors, transaction_table};
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, block_link, explained};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::{Block, BlockHash, Height};
use shared::explain;
use shared::layer::transaction::RewardSchedule;
use shared::ledger::{Amount, Bundle};
use shared::params::Params;
use shared::wire::Problem;
use std::sync::Arc;

/// Largest data that is shown in commands and raw JSON.
const MAX_SHOWN_BYTES: usize = 20_000;

/// Whether a block is on the best chain.
enum Position {
    /// Confirmations are the blocks from this one to the tip, both counted.
    Best { confirmations: u64 },
    /// On a branch that the network has abandoned.
    Stale,
}

struct BlockPage<'a> {
    block: &'a Block,
    content: Content,
    place: Position,
    params: &'a Params,
    /// A node that has the block, if one is known.
    node: Option<&'a str>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
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
    let nodes = explorer.network().best_nodes();
    let node = nodes.first().map(String::as_str);
    let main = render(&BlockPage { block: &block, content, place, params: &explorer.params, node });
    let title = format!("Block {}", block.index());
    Ok(Page { title: &title, place: "/blocks", scripts: &[], main }.response())
}

/// The block of a height or hash; `None` if it is neither.
async fn find(explorer: &ExplorerState, name: &str) -> Option<Result<Block, UpstreamError>> {
    if let Ok(hash) = name.to_ascii_lowercase().parse::<BlockHash>() {
        return Some(explorer.upstream.block(hash).await);
    }
    let is_number = name.bytes().all(|c| c.is_ascii_digit());
    let height = is_number.then(|| name.parse().ok()).flatten()?;
    Some(explorer.upstream.block_at(height).await)
}

async fn position(explorer: &ExplorerState, block: &Block) -> Result<Position, UpstreamError> {
    let tip = explorer.network().tip().map_or(block.index(), |tip| tip.index);
    let confirmations = tip.0.saturating_sub(block.index().0) + 1;
    match explorer.upstream.block_at(block.index().0).await {
        Ok(best) if best.hash() == block.hash() => Ok(Position::Best { confirmations }),
        Ok(_) => Ok(Position::Stale),
        Err(error) if error.is_not_found() => Ok(Position::Stale),
        Err(error) => Err(error),
    }
}

fn render(shown: &BlockPage<'_>) -> Markup {
    let BlockPage { block, content, .. } = shown;
    html! {
        h1 { "Block " (block.index()) }
        (position_part(shown))
        section aria-labelledby="data" {
            h2 #data { "Its data" }
            @match content {
                Content::Bundle(bundle) => (bundle_of(bundle, block, shown.params)),
                Content::Text(text) => {
                    @if block.index() == Height::GENESIS {
                        p { "The first block, genesis, contains the rules of this network. Another rule would mean \
                            another genesis, and so another network." }
                    }
                    (content::text(text))
                }
            }
        }
        section aria-labelledby="header" { h2 #header { "Its header" } (header(block)) }
        (check(shown))
        section aria-labelledby="raw" { h2 #raw { "For programs" } (raw(shown)) }
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
                        "The block itself and each block on top of it count as one confirmation. To change this block, \
                            someone would have to mine all of them again.",
                    ))
                },
                Position::Stale => p {
                    span.bad { "On a stale branch." } " A node mined it, but the network continued on another branch: "
                    a href={ "/block/" (index) } { "the block of the best chain at height " (index) } "."
                },
            }
            nav.paging aria-label="Neighbouring blocks" {
                @if index != Height::GENESIS { a.button href={ "/block/" (parent) } rel="prev" { "The block before" } }
                @if matches!(place, Position::Best { confirmations: 2.. }) {
                    a.button href={ "/block/" (index.next()) } rel="next" { "The block after" }
                }
            }
        }
    }
}

fn header(block: &Block) -> Markup {
    let header = block.header();
    html! {
        dl.fields {
            dt { (explained("index", "The height of the block: the number of blocks before it.")) }
            dd { (header.index) }
            dt { (explained("prev_hash", "The hash of the block before. These hashes link the blocks into a chain.")) }
            dd { @if header.index == Height::GENESIS { code.hash { (header.prev_hash) } " (there is no block before)" }
                @else {
                a.hash href={ "/block/" (header.prev_hash) } { (header.prev_hash) } } }
            dt { (explained("timestamp", "The time of mining, as the miner states it. It must be later than that of \
                the block before and not far in the future.")) }
            dd { (view::time(header.timestamp)) }
            dt { (explained("difficulty", "How many hashes it takes on average to find such a block. The network \
                adjusts it to keep the time between blocks steady.")) }
            dd { (view::number(header.difficulty.value())) }
            dt { (explained("data_hash", "The SHA-256 hash of the data. If one letter changes, the hash is different."))
                }
            dd { code.hash { (header.data_hash) } }
            dt { (explained("nonce", "The number that the miner searched for. It makes the hash small enough; finding \
                it is the work.")) }
            dd { code.hash { (header.nonce()) } }
            dt { (explained("hash", "The SHA-256 hash of all fields above: the name of the block and its proof of \
                work. It must not be larger than the target.")) }
            dd { code.hash { (block.hash()) } }
            dt { (explained("target", "The largest hash that is valid: the largest 256-bit number, divided by the \
                difficulty.")) }
            dd { code.hash { (header.difficulty.target()) } }
        }
    }
}

fn bundle_of(bundle: &Bundle, block: &Block, params: &Params) -> Markup {
    let reward = RewardSchedule::of(params).at(block.index());
    let fees = bundle.transactions.iter().try_fold(Amount::ZERO, |sum, each| sum.checked_add(each.fee));
    html! {
        dl.fields {
            dt { (explained("miner", "The address that is paid for finding this block.")) }
            dd { a.hash href={ "/address/" (bundle.miner_address) } { (bundle.miner_address) } }
            dt { (explained("reward", "New money for the miner. All money of this network was created this way.")) }
            dd { (view::amount(reward)) }
            dt { (explained("fees", "What the senders of the transactions pay to the miner.")) }
            dd { (view::amount(fees.unwrap_or(Amount::MAX))) }
            dt { (explained("message", "A text that the miner chose.")) }
            dd { @if bundle.msg.is_empty() { span.muted { "none" } } @else { (view::sanitized(&bundle.msg)) } }
            dt { "size" }
            dd { (view::bytes(block.data().len())) }
        }
        @if bundle.transactions.is_empty() {
            p { "It has no transactions: no payment was waiting." }
        } @else {
            (transaction_table::table(&format!("Transactions: {}", bundle.transactions.len()),
                bundle.transactions.iter()))
        }
    }
}

fn check(BlockPage { block, .. }: &BlockPage<'_>) -> Markup {
    html! {
        section aria-labelledby="check" {
            h2 #check { "Check it yourself" }
            p { "You need not trust this page. These commands compute the hashes again, with a tool that every Linux \
                system has." }
            @if block.data().len() <= MAX_SHOWN_BYTES {
                (view::recheck(&explain::block(block)))
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
            p { "Every node returns the block as JSON:" }
            (view::copyable(&format!("curl http://{node}/block/{}", block.hash())))
        }
        p { "The link " (block_link(block.hash())) " contains the hash, so it always leads to this block, even after a \
            reorganisation." }
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
        render(&BlockPage { block, content, place, params, node: Some("127.0.0.1:8100") })
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
    fn a_stale_block_links_to_the_best_one() {
        let [_, block] = samples::blocks("for lunch");
        let shown = shown(&block, &Params::default(), Position::Stale).into_string();
        assert!(shown.contains("stale branch") && shown.contains("href=\"/block/1\""), "{shown}");
        assert!(!shown.contains("The block after"), "{shown}");
    }

    #[test]
    fn hostile_data_stays_text() {
        let data = Params { layer: LayerName::Data, ..Params::default() };
        let [_, with_text] = samples::blocks_of_text(samples::HOSTILE);
        samples::assert_harmless(&shown(&with_text, &data, Position::Stale).into_string());
        let [_, with_money] = samples::blocks(&samples::HOSTILE.replace('\u{202e}', "\u{2066}"));
        samples::assert_harmless(&shown(&with_money, &Params::default(), Position::Stale).into_string());
    }

    #[test]
    fn long_data_is_folded_and_huge_data_is_cut() {
        let data = Params { layer: LayerName::Data, ..Params::default() };
        for (length, is_folded, is_cut) in [(100, false, false), (5_000, true, false), (300_000, true, true)] {
            let [_, block] = samples::blocks_of_text(&"ä".repeat(length));
            let shown = shown(&block, &data, Position::Stale).into_string();
            assert_eq!(shown.contains("Show the text"), is_folded, "{length}");
            assert_eq!(shown.contains("Only the beginning"), is_cut, "{length}");
            assert!(shown.len() < 700_000, "{}", shown.len());
        }
    }
}
