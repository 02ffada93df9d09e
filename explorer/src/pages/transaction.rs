//! The page of a transaction: what it pays, its life from signature to confirmations, and how to check it.

use super::errors;
use crate::network::NewsItem;
use crate::state::ExplorerState;
use crate::view::{self, Page, block_link, explained};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::BlockHash;
use shared::explain;
use shared::keys::PlainVerifier;
use shared::ledger::{Transaction, TransactionId};
use shared::wire::{Problem, TransactionState, TransactionStatus};
use std::sync::Arc;

/// The number of confirmations that is enough for most payments.
const SAFE_CONFIRMATIONS: u64 = 6;

struct TransactionPage<'a> {
    status: &'a TransactionStatus,
    network: BlockHash,
    /// The news about it, newest first.
    news: Vec<&'a NewsItem>,
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
    let state = explorer.network();
    let news = state.news.iter().filter(|item| item.payment == Some(id)).collect();
    let main = render(&TransactionPage { status: &status, network: explorer.network_id, news });
    Ok(Page { title: "Transaction", place: "/transactions", scripts: &[], main }.response())
}

fn render(shown: &TransactionPage<'_>) -> Markup {
    let transaction = &shown.status.transaction;
    html! {
        h1 { "Transaction" }
        p { code.hash { (transaction.id) } }
        (payment(transaction))
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
    html! {
        dl.fields {
            dt { "from" }
            dd { a.hash href={ "/address/" (transaction.from) } { (transaction.from) } }
            dt { "to" }
            dd { a.hash href={ "/address/" (transaction.to) } { (transaction.to) } }
            dt { "amount" }
            dd { (view::amount(transaction.amount)) }
            dt { (explained("fee", "What the sender pays to the miner. A higher fee per byte gets the payment into a \
                block sooner.")) }
            dd { (view::amount(transaction.fee)) }
            dt { "message" }
            dd { @if transaction.msg.is_empty() { span.muted { "none" } } @else { (view::sanitized(&transaction.msg)) }
                }
        }
    }
}

fn life(TransactionPage { status, news, .. }: &TransactionPage<'_>) -> Markup {
    let is_confirmed = status.status == TransactionState::Confirmed;
    let confirmations = status.confirmations;
    html! {
        section aria-labelledby="life" {
            h2 #life { "Its life" }
            div #standing data-live="blocks pool ticker" aria-live="polite" {
                ol.life {
                    li.done { strong { "Signed" } " by " (view::address(&status.transaction.from)) }
                    li.done aria-current=[(!is_confirmed).then_some("step")] {
                        strong { "Pending" }
                        @if is_confirmed { ": it was sent to the network and waited for a block" } @else { ": it waits \
                            in the mempool until a miner puts it into a block" }
                    }
                    li.done[is_confirmed] {
                        strong { "In a block" }
                        @if let Some(block) = status.block { ": " a href={ "/block/" (block.hash) } { "block "
                            (block.index) } ", " (block_link(block.hash)) }
                        @else { ": not yet" }
                    }
                    li.done[confirmations >= SAFE_CONFIRMATIONS] aria-current=[is_confirmed.then_some("step")] {
                        strong { (view::number(confirmations)) @if confirmations == 1 { " confirmation" } @else { " \
                            confirmations" } }
                        ": " (safety(confirmations))
                    }
                }
                @if !news.is_empty() {
                    h3 { "Recent news about it" }
                    ul { @for item in news { li { (view::time(item.at)) " " (view::sanitized(&item.text)) } } }
                }
            }
        }
    }
}

const fn safety(confirmations: u64) -> &'static str {
    match confirmations {
        0 => "its own block and each block on top count as one",
        1..SAFE_CONFIRMATIONS => {
            "the more blocks follow, the less likely it is that the network changes to another branch and the payment \
                has to wait again"
        }
        _ => "it is as good as final",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::network::Topic;
    use crate::view::snapshot;
    use shared::block::BlockId;
    use shared::params::Params;

    fn status(msg: &str, confirmations: u64) -> TransactionStatus {
        let [_, block] = samples::blocks(msg);
        let is_confirmed = confirmations > 0;
        TransactionStatus {
            transaction: samples::payment(1, msg),
            status: if is_confirmed { TransactionState::Confirmed } else { TransactionState::Pending },
            block: is_confirmed.then(|| BlockId { index: block.index(), hash: block.hash() }),
            confirmations,
        }
    }

    fn shown(status: &TransactionStatus) -> Markup {
        render(&TransactionPage { status, network: Params::default().network_id(), news: Vec::new() })
    }

    #[test]
    fn a_confirmed_one() {
        snapshot("transaction", &shown(&status("for lunch", 2)));
    }

    #[test]
    fn a_pending_one_waits() {
        let shown = shown(&status("for lunch", 0)).into_string();
        assert!(
            shown.contains("it waits in the mempool") && shown.contains("not yet") && shown.contains("0 confirmations")
        );
    }

    #[test]
    fn a_forged_signature_is_not_verified() {
        let mut status = status("for lunch", 1);
        status.transaction.signature = serde_json::from_str(&format!("\"{}\"", "1".repeat(128))).expect("a signature");
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
    fn news_about_it_are_part_of_its_life() {
        let status = status("for lunch", 0);
        let text = format!("{} is pending again <b>", status.transaction.id.short());
        let item = NewsItem {
            at: Params::default().genesis_time,
            topic: Topic::Payment,
            text,
            block: None,
            payment: Some(status.transaction.id),
        };
        let shown =
            render(&TransactionPage { status: &status, network: Params::default().network_id(), news: vec![&item] });
        assert!(shown.into_string().contains("is pending again &lt;b&gt;"));
    }
}
