//! The page of transactions: the pending ones, grouped into the blocks that they would form, and the last confirmed
//! ones.

use super::{errors, transaction_table};
use crate::pending_cache::{MAX_PENDING, PendingLists};
use crate::stage::making::room;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::ledger::{Bundle, Transaction};
use shared::pool::{Pending, Room, select_transactions};
use shared::wire::Problem;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most future blocks whose transactions are shown.
const MAX_BLOCKS: usize = 3;
/// How many of the last blocks the confirmed transactions are from.
const LAST_BLOCKS: u64 = 10;

struct PendingSummary {
    /// The transactions of each future block, those with the highest fee per byte first.
    blocks: Vec<Vec<Pending>>,
    /// Pending transactions besides those in `blocks`.
    others: u64,
    /// All pending transactions, and their bytes.
    count: u64,
    bytes: u64,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    if !explorer.params.layer.has_money() {
        return Ok(errors::no_money("Transactions", "/transactions"));
    }
    let (waiting, last) = tokio::join!(waiting(&explorer), last(&explorer));
    let main = render(waiting.as_ref(), last.as_deref());
    Ok(Page { title: "Transactions", place: "/transactions", scripts: &[], main }.response())
}

async fn waiting(explorer: &ExplorerState) -> Result<PendingSummary, UpstreamError> {
    let PendingLists { by_fee, by_age } = explorer.pending_cache.now(&explorer.upstream).await?;
    let reported = explorer
        .network()
        .mempools
        .values()
        .filter_map(|mempool| mempool.info.as_ref()?.pool.clone())
        .max_by_key(|pool| pool.count);
    // The fetched list is newer than the count in `/info`.
    let (seen, seen_bytes) = (by_fee.len(), by_fee.iter().map(|pending| pending.bytes as u64).sum());
    let (count, bytes) = match reported {
        Some(pool) if seen >= MAX_PENDING => (pool.count.max(seen as u64), pool.bytes.max(seen_bytes)),
        _ => (seen as u64, seen_bytes),
    };
    let blocks = next_blocks(by_fee.to_vec(), by_age.to_vec(), room(&explorer.params));
    let others = count.saturating_sub(blocks.iter().map(Vec::len).sum::<usize>() as u64);
    Ok(PendingSummary { blocks, others, count, bytes })
}

/// The blocks that nodes would build from these transactions, one after another.
fn next_blocks(mut by_fee: Vec<Pending>, mut by_age: Vec<Pending>, room: Room) -> Vec<Vec<Pending>> {
    let mut blocks = Vec::new();
    while blocks.len() < MAX_BLOCKS {
        let mut block: Vec<Pending> = select_transactions(&by_fee, &by_age, room).into_iter().cloned().collect();
        if block.is_empty() {
            break;
        }
        let taken: BTreeSet<_> = block.iter().map(Pending::id).collect();
        by_fee.retain(|pending| !taken.contains(&pending.id()));
        by_age.retain(|pending| !taken.contains(&pending.id()));
        block.sort_by_key(|pending| std::cmp::Reverse(pending.fee_rate()));
        blocks.push(block);
    }
    blocks
}

/// The transactions of the last blocks, newest first.
async fn last(explorer: &ExplorerState) -> Result<Vec<Transaction>, UpstreamError> {
    let tip = explorer.network().tip().ok_or(UpstreamError::NoneKnown("node"))?;
    let from = tip.index.0.saturating_add(1).saturating_sub(LAST_BLOCKS);
    let blocks = explorer.upstream.chain(from, LAST_BLOCKS).await?;
    let bundles = blocks.iter().rev().filter_map(|block| Bundle::from_data(block.data()).ok());
    let newest_first = bundles.flat_map(|(bundle, _)| bundle.transactions.into_iter().rev());
    Ok(newest_first.take(transaction_table::MAX_ROWS).collect())
}

fn render(waiting: Result<&PendingSummary, &UpstreamError>, last: Result<&[Transaction], &UpstreamError>) -> Markup {
    html! {
        h1 { "Transactions" }
        p { "A transaction is a signed order to pay. It waits in the mempool until a miner puts it into a block. A \
            higher fee per byte gets it into a block sooner, and a fifth of every block is reserved for those that \
            have waited longest." }
        section aria-labelledby="waiting" {
            h2 #waiting { "Waiting" }
            div #pool data-live="pool blocks" {
                @match waiting { Ok(waiting) => (next(waiting)), Err(error) => (unavailable(error)) }
            }
        }
        section aria-labelledby="last" {
            h2 #last { "In the last " (LAST_BLOCKS) " blocks" }
            div #confirmed data-live="blocks" {
                @match last {
                    Ok([]) => p { "None: nobody has paid lately. " a href="/wallet" { "Make a wallet" } " and be the \
                        first." },
                    Ok(last) => {
                        (transaction_table::table("Newest first", last.iter()))
                        p { a href="/transactions/confirmed.csv" { "Those of the last 200 blocks as CSV" } }
                    }
                    Err(error) => (unavailable(error)),
                }
            }
        }
    }
}

fn next(PendingSummary { blocks, others, count, bytes }: &PendingSummary) -> Markup {
    html! {
        p aria-live="polite" {
            @if *count == 0 { "Nothing is waiting: all transactions are in blocks." } @else {
                strong { (view::number(*count)) } @if *count == 1 { " transaction is waiting, " } @else { " \
                    transactions are waiting, " }
                (view::bytes(usize::try_from(*bytes).unwrap_or(usize::MAX))) " together."
            }
        }
        @for (number, block) in blocks.iter().enumerate() {
            @let size = block.iter().map(|pending| pending.bytes).sum();
            @let name = if number == 0 { "The next block".to_owned() } else { format!("Block {} from now", number + 1)
                };
            h3 { (name) }
            p.muted { (block.len()) @if block.len() == 1 { " transaction, " } @else { " transactions, " }
                (view::bytes(size)) }
            (transaction_table::table(&format!("{name} would contain, by fee per byte"), block.iter().map(|pending|
                &*pending.transaction)))
        }
        @if *others > 0 { p { "And " (view::number(*others)) " more are waiting for later blocks." } }
        @if *count > 0 { p { a href="/transactions.csv" { "All that wait as CSV" } } }
    }
}

fn unavailable(error: &UpstreamError) -> Markup {
    html! { p.warn { "Unknown at the moment: " (view::sanitized(&error.to_string())) "." } }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use std::sync::Arc;

    fn pool(count: u8) -> Vec<Pending> {
        let all =
            (1..=count).map(|number| Pending::new(Arc::new(samples::payment(number, samples::HOSTILE)), number.into()));
        all.collect()
    }

    fn waiting(count: u8, room: Room) -> PendingSummary {
        let (by_age, mut by_fee) = (pool(count), pool(count));
        by_fee.reverse();
        let blocks = next_blocks(by_fee, by_age, room);
        let shown: usize = blocks.iter().map(Vec::len).sum();
        let count = u64::from(count);
        PendingSummary { blocks, others: count - shown as u64, count, bytes: count * 600 }
    }

    #[test]
    fn the_next_blocks_are_filled_one_after_another() {
        let PendingSummary { blocks, others, .. } = waiting(20, Room { count: 5, bytes: 1 << 20 });
        let fees: Vec<Vec<_>> = blocks
            .iter()
            .map(|block| block.iter().map(|each| each.transaction.fee().grains() / 1000).collect())
            .collect();
        // A fifth of each is for the oldest, which pay the lowest fees here.
        assert_eq!(fees, [[20, 19, 18, 17, 1], [16, 15, 14, 13, 2], [12, 11, 10, 9, 3]]);
        assert_eq!(others, 5);
    }

    #[test]
    fn pending_and_confirmed_transactions() {
        let waiting = waiting(3, Room { count: 2, bytes: 1 << 20 });
        let shown = render(Ok(&waiting), Ok(&[samples::payment(9, "for lunch")]));
        samples::assert_harmless(&shown.0);
        snapshot("transactions", &shown);
    }

    #[test]
    fn the_page_says_which_service_does_not_answer() {
        let (no_mempool, no_node) = (UpstreamError::NoneKnown("mempool"), UpstreamError::NoneKnown("node"));
        let shown = render(Err(&no_mempool), Err(&no_node)).into_string();
        assert!(shown.contains("no mempool of this network") && shown.contains("no node of this network"), "{shown}");
    }

    #[test]
    fn an_empty_pool_is_no_error() {
        let waiting = waiting(0, Room { count: 2, bytes: 1 << 20 });
        assert!(render(Ok(&waiting), Ok(&[])).into_string().contains("Nothing is waiting"));
    }
}
