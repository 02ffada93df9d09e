//! The page of a transaction: what it pays, its life from signature to confirmations, and how to check it.

use super::receipt::{self, Receipt};
use super::{calls, errors, flow};
use crate::network::PaymentStep;
use crate::state::ExplorerState;
use crate::view::{self, Page, block_link, explained};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::{BlockHash, Timestamp};
use shared::explain;
use shared::keys::PlainVerifier;
use shared::ledger::{Address, Transaction, TransactionId, Transfer};
use shared::pool::Pending;
use shared::wire::{Problem, TransactionState, TransactionStatus};
use std::sync::Arc;

/// The number of confirmations that is enough for most payments.
const SAFE_CONFIRMATIONS: u64 = 6;

struct TransactionPage<'a> {
    status: &'a TransactionStatus,
    network: BlockHash,
    /// What happened to it, oldest first, as far as the explorer saw it.
    steps: Vec<(Timestamp, PaymentStep)>,
    /// Its place among the payments that wait, by fee, and their number.
    queue: Option<(usize, usize)>,
    /// What it asked of a program.
    receipt: Option<Receipt>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [id] = request.params()?;
    if !explorer.params.layer.has_money() {
        return Ok(errors::no_money("Transaction", "/transactions"));
    }
    let Ok(id) = id.to_ascii_lowercase().parse::<TransactionId>() else {
        return Ok(errors::not_found(html! {
            (view::sanitized(&view::short(id))) " is not the id of a transaction, which has 64 digits from 0 to f."
        }));
    };
    let status = match explorer.upstream.transaction(id).await {
        Ok(status) => status,
        Err(error) if error.is_not_found() => {
            return Ok(errors::not_found(html! {
                "No transaction " code { (id) } " is waiting or in the chain. Perhaps it was never sent. Or it was \
                    dropped from the mempool, because it waited too long, others paid a higher fee, or its sender can \
                    no longer pay it."
            }));
        }
        Err(error) => return Ok(errors::no_answer(&error)),
    };
    let queue = if status.status == TransactionState::Pending { queue(&explorer, id).await } else { None };
    let steps = explorer.monitor.steps_of(&id);
    let receipt = receipt::fetch(&explorer, &status.transaction).await;
    let main = render(&TransactionPage { status: &status, network: explorer.network_id, steps, queue, receipt });
    Ok(Page { title: "Transaction", place: "/transactions", scripts: &[], main }.response())
}

/// The place of a payment among those that wait, the highest fee per byte first, and their number.
async fn queue(explorer: &ExplorerState, id: TransactionId) -> Option<(usize, usize)> {
    let lists = explorer.pending_cache.now(&explorer.upstream).await.ok()?;
    let place = lists.by_fee.iter().position(|pending| pending.id() == id)?;
    Some((place + 1, lists.by_fee.len()))
}

fn render(shown: &TransactionPage<'_>) -> Markup {
    let transaction = &shown.status.transaction;
    html! {
        h1 { "Transaction" }
        p { code.hash { (transaction.id()) } }
        (payment(transaction))
        section aria-labelledby="flow" { h2 #flow { "Where the money flows" } (flow::render(transaction)) }
        @if let Some(receipt) = &shown.receipt { (receipt::render(receipt, transaction)) }
        (life(shown))
        section aria-labelledby="check" {
            h2 #check { "Check it yourself" }
            p { "The id is the hash of the payment, so no part of it can be changed. Only the owner of the sender's \
                key can make the signature, and anyone can check it with the public key, which is the address. Run \
                these in one shell, in order:" }
            @match explain::transaction(transaction, shown.network, &PlainVerifier) {
                Ok(explanation) => (view::recheck(&explanation)),
                Err(error) => p.bad { "It cannot be checked: " (error.to_string()) "." },
            }
        }
        section aria-labelledby="raw" { h2 #raw { "For programs" } (view::raw_json(transaction)) }
    }
}

fn payment(transaction: &Transaction) -> Markup {
    let (Transfer { from, to, amount, .. }, fee) = (transaction.transfer(), transaction.fee());
    html! {
        dl.fields {
            dt { "from" }
            dd { (whole_address(&from)) }
            dt { "to" }
            dd { @if to.is_key() { (whole_address(&to)) } @else { (calls::receiver(&to)) } }
            dt { "amount" }
            dd { (view::amount(amount)) }
            dt { (explained("fee", "What the sender pays to the miner. A higher fee per byte gets the payment into a \
                block sooner.")) }
            dd { (view::number(fee.grains())) @if fee.grains() == 1 { " grain" } @else
                { " grains" }
                ", " (fee_rate(transaction)) " a byte" }
            dt { "message" }
            dd { @if transaction.msg().is_empty() { span.muted { "none" } } @else { (calls::message(transaction)) } }
        }
    }
}

/// The name, and the whole address, to be copied.
fn whole_address(address: &Address) -> Markup {
    let cast = view::cast();
    html! {
        @if let Some(name) = cast.name(address) { b { (name) } " " }
        a.hash href={ "/address/" (address) } { (address) }
    }
}

/// Grains a byte.
fn fee_rate(transaction: &Transaction) -> String {
    let bytes = Pending::new(Arc::new(transaction.clone()), 0).bytes.max(1);
    format!("{:.1} grains", transaction.fee().grains() as f64 / bytes as f64)
}

/// A line of time: each step with the time since the step before.
fn life(shown: &TransactionPage<'_>) -> Markup {
    let TransactionPage { status, steps, queue, .. } = shown;
    let is_confirmed = status.status == TransactionState::Confirmed;
    let confirmations = status.confirmations;
    html! {
        section aria-labelledby="life" {
            h2 #life { "Timeline" }
            div #standing data-live="blocks pool ticker" {
                ol.life {
                    li.done { strong { "Signed" } " by " (view::address(&status.transaction.transfer().from)) }
                    @if steps.is_empty() {
                        li.done aria-current=[(!is_confirmed).then_some("step")] {
                            @if is_confirmed { strong { "Waited" } " in the mempool for a block" }
                            @else { strong { "Waiting" } (waiting(*queue)) }
                        }
                        @if let Some(block) = status.block {
                            li.done { strong { "In block " (block.index) } ", " (block_link(block.hash)) }
                        }
                    }
                    @for (place, (at, step)) in steps.iter().enumerate() {
                        @let before = place.checked_sub(1).and_then(|before| steps.get(before)).map(|(at, _)| *at);
                        @let is_last = place + 1 == steps.len();
                        li.done aria-current=[(is_last && !is_confirmed).then_some("step")] {
                            (self::step(step, status, is_last, *queue)) " "
                            (clock(*at)) @if let Some(before) = before { " " span.after { "+" (seconds(before, *at)) } }
                        }
                    }
                    @if let Some(rival) = &status.rival {
                        li.done { strong { "Its coin is spent" } ": " code { (rival.id.short()) } " spends it, too, and"
                            " is in block " (rival.block.index) ", " (block_link(rival.block.hash)) ". This one can be \
                            confirmed only if the network abandons that block." }
                    }
                    li.done[confirmations >= SAFE_CONFIRMATIONS] aria-current=[is_confirmed.then_some("step")] {
                        (dots(confirmations)) " "
                        strong { (view::number(confirmations)) @if confirmations == 1 { " confirmation" } @else { " \
                            confirmations" } }
                        ": " (safety(confirmations))
                    }
                }
            }
        }
    }
}

fn step(step: &PaymentStep, status: &TransactionStatus, is_last: bool, queue: Option<(usize, usize)>) -> Markup {
    match step {
        PaymentStep::Pending if is_last => html! { strong { "Waiting" } (waiting(queue)) },
        PaymentStep::Pending => html! { strong { "In the mempool" } },
        PaymentStep::Confirmed(block) if Some(block.hash) == status.block.map(|block| block.hash) => html! {
            strong { "In block " (block.index) } ", " (block_link(block.hash))
        },
        PaymentStep::Confirmed(block) => html! {
            strong { "Was in block " (block.index) } ", " (block_link(block.hash)) ", which the network has abandoned"
        },
        PaymentStep::Returned => html! {
            strong { "Went back to waiting" } ": its block is no longer on the best chain"
        },
        PaymentStep::Dropped(reason) => html! { strong { "Dropped" } " " (reason) },
        PaymentStep::Contested { by, is_taken } => html! {
            strong { "Spent a second time" } " by " code { (by.short()) }
            @if *is_taken { ", which takes its place" } @else { ", which the mempool refused" }
        },
    }
}

fn waiting(queue: Option<(usize, usize)>) -> Markup {
    html! {
        " in the mempool until a miner puts it into a block"
        @if let Some((place, all)) = queue { ": number " (place) " of " (all) " by fee, unless somebody pays more" }
    }
}

/// Six dots that fill.
fn dots(confirmations: u64) -> Markup {
    html! {
        svg.dots width="102" height="14" viewBox="0 0 102 14" aria-hidden="true" {
            @for dot in 0..SAFE_CONFIRMATIONS {
                circle.full[dot < confirmations] cx=(8 + 17 * dot) cy="7" r="6" {}
            }
        }
    }
}

/// The time of day, exact to the millisecond.
fn clock(at: Timestamp) -> Markup {
    let text = at.to_string();
    let of_day = text.split_once('T').map_or(&*text, |(_, time)| time).trim_end_matches('Z').to_owned();
    html! { time.exact.muted datetime=(text) { (of_day) " UTC" } }
}

fn seconds(from: Timestamp, to: Timestamp) -> String {
    let ms = to.ms_since(from).max(0);
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

const fn safety(confirmations: u64) -> &'static str {
    match confirmations {
        0 => "its own block and each block on top count as one",
        1..SAFE_CONFIRMATIONS => {
            "the more blocks follow, the less likely it is that the network changes to another branch and this payment \
             goes back to waiting"
        }
        _ => "it is as good as final",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use shared::block::{BlockId, Height};
    use shared::ledger::{CoinName, Payment};
    use shared::params::Params;
    use shared::wire::ConfirmedRival;

    fn status(msg: &str, confirmations: u64) -> TransactionStatus {
        let [_, block] = samples::blocks(msg);
        let is_confirmed = confirmations > 0;
        TransactionStatus {
            transaction: samples::payment(1, msg),
            status: if is_confirmed { TransactionState::Confirmed } else { TransactionState::Pending },
            block: is_confirmed.then(|| BlockId { index: block.index(), hash: block.hash() }),
            confirmations,
            rival: None,
        }
    }

    fn shown(status: &TransactionStatus) -> Markup {
        with_steps(status, Vec::new())
    }

    fn with_steps(status: &TransactionStatus, steps: Vec<(Timestamp, PaymentStep)>) -> Markup {
        let queue = (status.confirmations == 0).then_some((12, 33));
        render(&TransactionPage { status, network: Params::default().network_id(), steps, queue, receipt: None })
    }

    #[test]
    fn a_confirmed_one() {
        snapshot("transaction", &shown(&status("for lunch", 2)));
    }

    #[test]
    fn a_pending_one_waits() {
        let shown = shown(&status("for lunch", 0)).into_string();
        assert!(shown.contains("number 12 of 33 by fee") && shown.contains("0 confirmations"), "{shown}");
    }

    #[test]
    fn one_that_lost_its_coin_to_a_block_says_so() {
        let coin = CoinName { id: TransactionId::from_bytes([1; 32]), place: 0 };
        let block = BlockId { index: Height(7), hash: BlockHash::of("7") };
        let rival = ConfirmedRival { coin, id: TransactionId::from_bytes([2; 32]), block };
        let shown = shown(&TransactionStatus { rival: Some(rival), ..status("for lunch", 0) }).into_string();
        assert!(shown.contains("Its coin is spent") && shown.contains("block 7"), "{shown}");
    }

    #[test]
    fn a_forged_signature_is_not_verified() {
        let mut status = status("for lunch", 1);
        let signature = serde_json::from_str(&format!("\"{}\"", "1".repeat(128))).expect("a signature");
        status.transaction = Payment { signature, ..status.transaction.as_payment().unwrap().clone() }.into();
        let shown = shown(&status).into_string();
        assert!(shown.contains("Verification failure") && !shown.contains("Verified OK"), "{shown}");
    }

    #[test]
    fn a_hostile_message_stays_text() {
        let shown = shown(&status(samples::HOSTILE, 1)).into_string();
        samples::assert_harmless(&shown);
        assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{shown}");
    }

    #[test]
    fn the_passage_through_a_block_that_lost_is_a_part_of_its_life() {
        let status = status("for lunch", 1);
        let now = status.block.expect("a block");
        let lost = BlockId { index: now.index, hash: BlockHash::of("lost") };
        let at = |ms: u64| Timestamp::from_ms(1_000_000 + ms);
        let steps = vec![
            (at(0), PaymentStep::Pending),
            (at(4300), PaymentStep::Confirmed(lost)),
            (at(9000), PaymentStep::Returned),
            (at(12_050), PaymentStep::Confirmed(now)),
        ];
        let shown = with_steps(&status, steps).into_string();
        for words in ["Was in block 1", "which the network has abandoned", "+4.3 s", "+4.7 s", "Went back", "+3.0 s"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert_eq!(shown.matches("class=\"full\"").count(), 1);
    }
}
