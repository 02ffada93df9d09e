//! A table of transactions.

use super::calls;
use crate::view::{address, amount, transaction_link};
use maud::{Markup, html};
use shared::ledger::{Transaction, Transfer};

/// Most rows of one table.
pub(super) const MAX_ROWS: usize = 500;

/// Shows the first [`MAX_ROWS`] transactions.
pub(super) fn table<'a>(caption: &str, transactions: impl ExactSizeIterator<Item = &'a Transaction>) -> Markup {
    let left_out = transactions.len().saturating_sub(MAX_ROWS);
    html! {
        div.table tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { "Transaction" } th scope="col" { "From" } th scope="col" { "To" }
                    th.number scope="col" { "Amount" } th.number scope="col" { "Fee" } th scope="col" { "Message" } } }
                tbody {
                    @for transaction in transactions.take(MAX_ROWS) {
                        @let Transfer { from, to, amount: moved, .. } = transaction.transfer();
                        tr {
                            th scope="row" { (transaction_link(transaction.id())) }
                            td data-label="From" { (address(&from)) }
                            td data-label="To" { (calls::receiver(&to)) }
                            td.number data-label="Amount" { (amount(moved)) }
                            td.number data-label="Fee" { (amount(transaction.fee())) }
                            td.msg data-label="Message" { (calls::message(transaction)) }
                        }
                    }
                }
            }
        }
        @if left_out > 0 { p.muted { "And " (left_out) " more, which are not shown." } }
    }
}
