//! What a call led to, on the page of its transaction.

use super::calls;
use super::program::tables;
use crate::state::ExplorerState;
use crate::view;
use maud::{Markup, html};
use shared::ledger::{CallKind, Transaction};
use shared::program::Call;
use shared::wire::ReceiptStatus;

/// A call or deployment, and its receipt if it is in a block.
pub(super) struct Receipt {
    call: Call,
    is_deployment: bool,
    receipt: Option<ReceiptStatus>,
}

/// `None` for a payment to a key. A receipt that cannot be read now is left out: the page is about the transaction.
pub(super) async fn fetch(explorer: &ExplorerState, transaction: &Transaction) -> Option<Receipt> {
    let call = transaction.as_payment()?.call().ok().flatten()?;
    let id = transaction.id();
    let receipt = explorer.upstream.mempool(async move |client, mempool| client.receipt(mempool, &id).await).await;
    Some(Receipt { call, is_deployment: transaction.call_kind() == Some(CallKind::Deploy), receipt: receipt.ok() })
}

pub(super) fn render(of: &Receipt, transaction: &Transaction) -> Markup {
    let Receipt { call, is_deployment, receipt } = of;
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        section aria-labelledby="receipt" {
            h2 #receipt { "What it asked of the program, and the result" }
            dl.fields {
                @if *is_deployment {
                    dt { "makes" }
                    dd { "a program, with " (view::bytes(call.input.len())) " of init code" }
                } @else {
                    dt { "calls" }
                    dd { (view::program(&transaction.transfer().to))
                        @if let Some(function) = calls::function(&call.input) { ", function " code { (function) } } }
                    dt { "with" }
                    dd { (input(&call.input)) }
                }
                @if let Some(receipt) = receipt { (result(receipt, *is_deployment)) } @else {
                    dt { "gas, at most" }
                    dd { (view::number(call.gas)) }
                    dt { "result" }
                    dd { "Not known yet: it shows when the call is in a block." }
                }
            }
            @if receipt.is_some() {
                p { a.button href={ "/transaction/" (transaction.id()) "/trace" } { "See it step by step" } }
            }
        }
    }
}

/// The data of a call: the selector, and words.
fn input(bytes: &[u8]) -> Markup {
    html! {
        @match bytes.split_at_checked(4) {
            Some((selector, rest)) if rest.len() % 32 == 0 => {
                code { (shared::program::HexBytes(selector.to_vec())) }
                @if !rest.is_empty() { " " (tables::data(rest)) }
            },
            _ => (tables::data(bytes)),
        }
    }
}

fn result(ReceiptStatus { receipt, reason, .. }: &ReceiptStatus, is_deployment: bool) -> Markup {
    html! {
        @if is_deployment {
            dt { "program" }
            dd { (view::program(&receipt.program)) }
        }
        dt { "result" }
        dd { (calls::status(&receipt.status, reason.as_deref())) }
        dt { "gas used of declared" }
        dd { (calls::gas(receipt.gas_used, receipt.gas)) }
        dt { "output" }
        dd { (tables::data(&receipt.output.0))
            @if receipt.output_bytes > receipt.output.0.len() as u64 && !receipt.output.0.is_empty() {
                p.muted { "It has " (view::number(receipt.output_bytes)) " bytes." } } }
        @if !receipt.moved.is_empty() {
            dt { "money moved" }
            dd { ul.words { @for moved in &receipt.moved { li {
                (view::address(&moved.address)) " "
                @match (moved.after.checked_sub(moved.before), moved.before.checked_sub(moved.after)) {
                    (Some(more), None) => span.good { "+" (view::amount(more)) },
                    (None, Some(less)) => span.bad { "−" (view::amount(less)) },
                    _ => "unchanged",
                }
            } } } }
        }
        @if !receipt.logs.is_empty() {
            dt { "logs" }
            dd { @for log in &receipt.logs { (tables::log(log)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::samples;
    use super::*;
    use crate::pages::samples::{HOSTILE, assert_harmless};
    use crate::view::snapshot;
    use shared::block::{BlockHash, BlockId, Height};
    use shared::layer::program::{self, Move};
    use shared::ledger::Amount;
    use shared::program::HexBytes;

    fn receipt(status: &str, reason: Option<&str>) -> Receipt {
        let amount = |grains| Amount::new(grains).expect("an amount");
        let receipt = program::Receipt {
            id: samples::id(),
            status: status.to_owned(),
            gas: 50_000,
            gas_used: 43_126,
            program: samples::program().address,
            output: HexBytes(vec![1, 2]),
            output_bytes: 9000,
            logs: vec![samples::log()],
            moved: vec![Move { address: samples::program().address, before: amount(10), after: amount(3) }],
        };
        let block = BlockId { index: Height(8), hash: BlockHash::ZERO };
        let receipt = ReceiptStatus { receipt, reason: reason.map(str::to_owned), block, confirmations: 2 };
        let call = samples::call().as_payment().unwrap().call().ok().flatten().expect("a call");
        Receipt { call, is_deployment: false, receipt: Some(receipt) }
    }

    #[test]
    fn a_receipt_with_logs_and_money() {
        let shown = render(&receipt("succeeded", None), &samples::call());
        let program = samples::program().address.to_string();
        let said = shown.0.split("<dt>money moved</dt>").next().unwrap_or_default();
        assert_eq!(said.matches(&format!("href=\"/program/{program}\"")).count(), 1, "{said}");
        assert!(shown.0.contains("<dt>topics</dt>") && shown.0.contains("<dt>data</dt>"), "{}", shown.0);
        snapshot("receipt", &shown);
    }

    #[test]
    fn a_reason_for_reverting_is_text() {
        let shown = render(&receipt("reverted", Some(HOSTILE)), &samples::call()).into_string();
        assert_harmless(&shown);
        assert!(shown.contains("the program refused"), "{shown}");
    }

    #[test]
    fn a_call_that_waits_has_no_result_yet() {
        let waiting = Receipt { receipt: None, ..receipt("succeeded", None) };
        let shown = render(&waiting, &samples::call()).into_string();
        assert!(shown.contains("Not known yet") && !shown.contains("step by step"), "{shown}");
    }
}
