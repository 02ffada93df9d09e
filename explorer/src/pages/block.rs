//! One block: what its header means, what its data says, where it stands, and how to check it oneself.

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

/// Most bytes of data that are spelt out in commands and raw JSON.
const MAX_SHOWN_BYTES: usize = 20_000;

/// Where a block stands.
enum Position {
    /// On the best chain, under so many blocks, itself counted.
    Best { confirmations: u64 },
    /// On a branch that the network left.
    Stale,
}

/// A block and what is said of it.
struct BlockPage<'a> {
    block: &'a Block,
    content: Content,
    place: Position,
    params: &'a Params,
    /// A node that has it.
    node: Option<&'a str>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    let block = match find(&explorer, name).await {
        None => {
            return Ok(errors::not_found(html! {
                (view::sanitized(&view::short(name))) " is neither a block's height, as in 5, nor its hash, 64 digits from 0 to f."
            }));
        }
        Some(Err(error)) if error.is_not_found() => {
            return Ok(errors::not_found(html! { "Nobody here has a block " code { (name) } "." }));
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
            h2 #data { "What it says" }
            @match content {
                Content::Bundle(bundle) => (bundle_of(bundle, block, shown.params)),
                Content::Text(text) => {
                    @if block.index() == Height::GENESIS {
                        p { "The first block, genesis, carries the rules of this network. Whoever changed one would have another genesis, so another network." }
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

/// What changes while one looks: confirmations, and what came after.
fn position_part(BlockPage { block, place, .. }: &BlockPage<'_>) -> Markup {
    let (index, parent) = (block.index(), block.header().prev_hash);
    html! {
        // By its hash, whatever the page was asked for: at a height another block may stand soon.
        div #standing data-live="blocks" data-live-from={ "/block/" (block.hash()) } {
            @match place {
                // A paragraph cannot hold what opens.
                Position::Best { confirmations } => div {
                    span.good { "On the best chain" } ", " (view::number(*confirmations)) " "
                    (explained(
                        if *confirmations == 1 { "confirmation" } else { "confirmations" },
                        "A confirmation is a block on top: itself counted, so many blocks would have to be mined anew to change this one.",
                    ))
                },
                Position::Stale => p {
                    span.bad { "On a stale branch." } " Somebody mined it, but the network went another way: "
                    a href={ "/block/" (index) } { "the block that stands at height " (index) } "."
                },
            }
            nav.paging aria-label="Blocks beside it" {
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
            dt { (explained("index", "Its height: how many blocks came before it.")) }
            dd { (header.index) }
            dt { (explained("prev_hash", "The hash of the block before. This is what makes it a chain.")) }
            dd { @if header.index == Height::GENESIS { code.hash { (header.prev_hash) } " (there is none)" } @else {
                a.hash href={ "/block/" (header.prev_hash) } { (header.prev_hash) } } }
            dt { (explained("timestamp", "When its miner says that it was mined. It is later than that of the block before, and not far in the future.")) }
            dd { (view::time(header.timestamp)) }
            dt { (explained("difficulty", "How many hashes it takes on average to find such a block. The network adjusts it so that blocks keep their pace.")) }
            dd { (view::number(header.difficulty.value())) }
            dt { (explained("data_hash", "The SHA-256 of its data: one changed letter gives another hash.")) }
            dd { code.hash { (header.data_hash) } }
            dt { (explained("nonce", "The number that the miner searched for: with it, the hash is small enough. Finding it is the work.")) }
            dd { code.hash { (header.nonce()) } }
            dt { (explained("hash", "The SHA-256 of all of the above: the block's name and its proof of work. It must be at most the target.")) }
            dd { code.hash { (block.hash()) } }
            dt { (explained("target", "The largest hash that will do: the largest number of 256 bits, divided by the difficulty.")) }
            dd { code.hash { (header.difficulty.target()) } }
        }
    }
}

fn bundle_of(bundle: &Bundle, block: &Block, params: &Params) -> Markup {
    let reward = RewardSchedule::of(params).at(block.index());
    let fees = bundle.transactions.iter().try_fold(Amount::ZERO, |sum, each| sum.checked_add(each.fee));
    html! {
        dl.fields {
            dt { (explained("miner", "Who found this block, and so is paid for the work.")) }
            dd { a.hash href={ "/address/" (bundle.miner_address) } { (bundle.miner_address) } }
            dt { (explained("reward", "New money, which the miner gets. It is the only way in which money is made here.")) }
            dd { (view::amount(reward)) }
            dt { (explained("fees", "What the payers of the block's transactions pay to its miner.")) }
            dd { (view::amount(fees.unwrap_or(Amount::MAX))) }
            dt { (explained("message", "What the miner says.")) }
            dd { @if bundle.msg.is_empty() { span.muted { "none" } } @else { (view::sanitized(&bundle.msg)) } }
            dt { "size" }
            dd { (view::bytes(block.data().len())) }
        }
        @if bundle.transactions.is_empty() {
            p { "It has no transactions: nobody was waiting to pay." }
        } @else {
            (transaction_table::table(&format!("Its transactions: {}", bundle.transactions.len()), bundle.transactions.iter()))
        }
    }
}

fn check(BlockPage { block, .. }: &BlockPage<'_>) -> Markup {
    html! {
        section aria-labelledby="check" {
            h2 #check { "Check it yourself" }
            p { "Trust nobody, not even this page: these commands compute the hashes anew, with a tool that every Linux has." }
            @if block.data().len() <= MAX_SHOWN_BYTES {
                (view::recheck(&explain::block(block)))
            } @else {
                p { "The data is too long to be spelt out here. This prints the commands:" }
                (view::copyable(&format!("user explain block {}", block.hash())))
            }
        }
    }
}

fn raw(BlockPage { block, node, .. }: &BlockPage<'_>) -> Markup {
    html! {
        @if block.data().len() <= MAX_SHOWN_BYTES { (view::raw_json(block)) }
        @if let Some(node) = node {
            p { "Every node tells it as JSON:" }
            (view::copyable(&format!("curl http://{node}/block/{}", block.hash())))
        }
        p { "Its hash in short is " (block_link(block.hash())) "; this link stays right even if the network goes another way." }
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
    fn a_stale_block_names_the_one_that_stands() {
        let [_, block] = samples::blocks("for lunch");
        let shown = shown(&block, &Params::default(), Position::Stale).into_string();
        assert!(shown.contains("stale branch") && shown.contains("href=\"/block/1\""), "{shown}");
        assert!(!shown.contains("The block after"), "{shown}");
    }

    #[test]
    fn what_strangers_say_stays_text() {
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
