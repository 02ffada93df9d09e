//! What became of a stale block: its reward does not count, and its payments are elsewhere.

use crate::network::BlockContents;
use crate::state::ExplorerState;
use crate::view;
use futures_util::{StreamExt, stream};
use maud::{Markup, html};
use runtime::client::Client;
use shared::block::{Block, BlockId};
use shared::ledger::{Address, Amount, TransactionId};
use shared::wire::TransactionState;
use std::collections::BTreeMap;

/// Most payments whose place is looked up.
const MAX_LOOKED_UP: usize = 200;
/// Lookups at the same time.
const AT_ONCE: usize = 16;

pub(super) struct Undone {
    miner: Address,
    /// What the finder does not have, in grains.
    earned: u64,
    /// All payments of the block.
    payments: usize,
    /// Payments by the block of the best chain that has them now.
    elsewhere: BTreeMap<u64, (BlockId, usize)>,
    waiting: Vec<TransactionId>,
    /// Those of them that the finder cannot pay without the lost reward.
    unpaid: usize,
    /// Payments that are nowhere any more.
    gone: Vec<TransactionId>,
    /// Payments whose place is not known, because there are too many or no mempool answered.
    unknown: usize,
}

/// `None` without money.
pub(super) async fn undone(explorer: &ExplorerState, block: &Block) -> Option<Undone> {
    let contents = BlockContents::of(block, &explorer.params);
    let miner = contents.miner?;
    let balance = async move |client: &Client, mempool: &str| client.balance(mempool, &miner, 1).await;
    let balance = explorer.upstream.mempool(balance).await.ok();
    let looked_up = contents.payments.iter().take(MAX_LOOKED_UP).map(|payment| {
        let is_poor = balance.is_some_and(|balance| balance < payment.amount.saturating_add(payment.fee));
        (payment.id, payment.from == miner && is_poor)
    });
    let places = stream::iter(looked_up.collect::<Vec<_>>())
        .map(|(id, is_unpaid)| async move { (id, is_unpaid, explorer.upstream.transaction(id).await) })
        .buffered(AT_ONCE);
    let places: Vec<_> = places.collect().await;
    let mut undone = Undone {
        miner,
        earned: contents.earned,
        payments: contents.count,
        elsewhere: BTreeMap::new(),
        waiting: Vec::new(),
        unpaid: 0,
        gone: Vec::new(),
        unknown: contents.count.saturating_sub(MAX_LOOKED_UP),
    };
    for (id, is_unpaid, place) in places {
        match place {
            Ok(status) => match (status.status, status.block) {
                (TransactionState::Confirmed, Some(block)) => {
                    undone.elsewhere.entry(block.index.0).or_insert((block, 0)).1 += 1;
                }
                _ => {
                    undone.waiting.push(id);
                    undone.unpaid += usize::from(is_unpaid);
                }
            },
            Err(error) if error.is_not_found() => undone.gone.push(id),
            Err(_) => undone.unknown += 1,
        }
    }
    Some(undone)
}

pub(super) fn render(undone: &Undone) -> Markup {
    let Undone { miner, earned, payments, elsewhere, waiting, unpaid, gone, unknown } = undone;
    let earned = Amount::new(*earned).unwrap_or(Amount::MAX);
    let in_chain: usize = elsewhere.values().map(|(_, count)| count).sum();
    html! {
        div #undone .card.notice {
            p { strong { "Its reward does not count." } " " (view::address(miner)) " found this block, but the "
                (view::amount(earned)) " exist only on the abandoned branch." }
            @if *payments == 0 { p { "It had no payments, so nothing else was undone." } }
            @else {
                p { "Of its " (payments) @if *payments == 1 { " payment:" } @else { " payments:" } }
                ul {
                    @if in_chain > 0 { li {
                        (in_chain) @if in_chain == 1 { " is" } @else { " are" } " in the best chain: "
                        @for (place, (block, count)) in elsewhere.values().enumerate() {
                            @if place > 0 { ", " }
                            (count) " in " a href={ "/block/" (block.hash) } { "block " (block.index) }
                        }
                    } }
                    @if !waiting.is_empty() { li {
                        (waiting.len()) @if waiting.len() == 1 { " waits" } @else { " wait" } " again: "
                        (list(waiting.iter()))
                        @if *unpaid > 0 {
                            ". The reward for this block was undone, so " (view::address(miner)) " cannot pay "
                            (unpaid) " of them"
                        }
                    } }
                    @if !gone.is_empty() { li { (gone.len()) " will never be paid: " (list(gone.iter())) } }
                    @if *unknown > 0 { li.muted { (unknown) " could not be looked up" } }
                }
            }
        }
    }
}

fn list<'a>(ids: impl Iterator<Item = &'a TransactionId>) -> Markup {
    const SHOWN: usize = 10;
    let ids: Vec<_> = ids.collect();
    html! {
        @for (place, id) in ids.iter().take(SHOWN).enumerate() { @if place > 0 { ", " } (view::transaction_link(**id)) }
        @if ids.len() > SHOWN { " and " (ids.len() - SHOWN) " more" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;
    use shared::block::{BlockHash, Height};

    #[test]
    fn the_reward_and_every_payment_are_accounted_for() {
        let block = BlockId { index: Height(258), hash: BlockHash::of("258") };
        let undone = Undone {
            miner: samples::address("carol"),
            earned: 5_003_000_000,
            payments: 5,
            elsewhere: BTreeMap::from([(258, (block, 2))]),
            waiting: vec![samples::payment(1, "").id(), samples::payment(2, "").id()],
            unpaid: 1,
            gone: vec![samples::payment(3, "").id()],
            unknown: 0,
        };
        let shown = render(&undone).into_string();
        for words in [
            "does not count",
            "50.03 LAB",
            "2 are in the best chain",
            "2 wait again",
            "The reward for this block was undone, so ",
            " cannot pay 1 of them",
            "1 will never",
        ] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        let empty = Undone { payments: 0, elsewhere: BTreeMap::new(), waiting: vec![], gone: vec![], ..undone };
        assert!(render(&empty).into_string().contains("It had no payments"));
    }
}
