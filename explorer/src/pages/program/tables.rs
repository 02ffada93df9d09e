//! The tables of a program's page: storage, logs and calls.

use super::calls as words;
use crate::pages::programs::is_moment;
use crate::view::{self, transaction_link};
use maud::{Markup, html};
use runtime::client::ListPage;
use shared::layer::program::LogEntry;
use shared::ledger::Address;
use shared::program::Word;
use shared::wire::{CallSummary, PlacedLogEntry, StorageSlot};

/// Most bytes of a log's data that are shown.
const MAX_LOG_DATA: usize = 512;

pub(super) fn storage(slots: &ListPage<StorageSlot>, of: &Address) -> Markup {
    html! {
        @if slots.entries.is_empty() { p.muted { "All slots are 0." } }
        @else {
            div.table.slots tabindex="0" role="region" aria-label="Storage" {
                table {
                    thead { tr { th scope="col" { "Slot" } th scope="col" { "Value" } } }
                    tbody { @for StorageSlot { slot, value } in &slots.entries {
                        tr { th scope="row" { (words::word(slot)) } td { (words::word(value)) } }
                    } }
                }
            }
        }
        @if let Some(next) = slots.next.as_deref().filter(|next| next.parse::<Word>().is_ok()) {
            nav.paging aria-label="More storage" {
                a.button href={ "/program/" (of) "?slot=" (next) "#storage" } rel="next" { "More" }
            }
        }
    }
}

pub(super) fn logs(logs: &ListPage<PlacedLogEntry>, of: &Address) -> Markup {
    html! {
        @if logs.entries.is_empty() { p.muted { "It has logged nothing." } }
        @else {
            div.table tabindex="0" role="region" aria-label="Logs, newest first" {
                table {
                    caption { "Newest first" }
                    thead { tr { th scope="col" { "Where" } th scope="col" { "Topics" } th scope="col" { "Data" } } }
                    tbody { @for entry in &logs.entries {
                        tr {
                            th scope="row" { a href={ "/block/" (entry.index) } { "block " (entry.index) } ", "
                                (transaction_link(entry.transaction)) }
                            td { (topics(&entry.log.topics)) }
                            td { (data(&entry.log.data.0)) }
                        }
                    } }
                }
            }
        }
        (older(logs.next.as_deref(), of, "logs"))
    }
}

/// A log of a call: the program that wrote it, its topics and its data.
pub(in crate::pages) fn log(log: &LogEntry) -> Markup {
    html! {
        div.log {
            (view::program(&log.address))
            dl.fields {
                dt { "topics" }
                dd { (topics(&log.topics)) }
                dt { "data" }
                dd { (data(&log.data.0)) }
            }
        }
    }
}

/// The topics of a log; a well-known event by its signature.
pub(in crate::pages) fn topics(topics: &[Word]) -> Markup {
    html! {
        @if topics.is_empty() { span.muted { "none" } }
        ul.words {
            @for (place, topic) in topics.iter().enumerate() {
                li { @match words::event(topic).filter(|_| place == 0) {
                    Some(signature) => code title=(topic) { (signature) },
                    None => (words::word(topic)),
                } }
            }
        }
    }
}

/// Bytes as words; as hex if they are no whole words.
pub(in crate::pages) fn data(bytes: &[u8]) -> Markup {
    let (all, rest) = bytes.as_chunks::<32>();
    let is_whole = rest.is_empty() && !all.is_empty();
    html! {
        @if bytes.is_empty() { span.muted { "none" } }
        @else if is_whole {
            ul.words { @for word in all.iter().take(MAX_LOG_DATA / 32) { li { (words::word(&Word(*word))) } } }
        } @else {
            code.hash { (shared::program::HexBytes(bytes[..bytes.len().min(MAX_LOG_DATA)].to_vec())) }
        }
        @if bytes.len() > MAX_LOG_DATA { p.muted { "The first " (MAX_LOG_DATA) " of " (bytes.len()) " bytes." } }
        @if let Some(text) = crate::functions::text(bytes) { p { "as text: " (view::sanitized(&text)) } }
    }
}

pub(super) fn calls(calls: &ListPage<CallSummary>, of: &Address) -> Markup {
    html! {
        (summaries(&calls.entries))
        (older(calls.next.as_deref(), of, "calls"))
    }
}

/// Calls in short.
fn summaries(calls: &[CallSummary]) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Calls, newest first" {
            table {
                caption { "Newest first. Calls by other programs are not listed." }
                thead { tr { th scope="col" { "Where" } th scope="col" { "By" } th scope="col" { "Result" }
                    th.number scope="col" { "Amount" } th.number scope="col" { "Gas used of declared" } } }
                tbody { @for call in calls {
                    tr {
                        th scope="row" { a href={ "/block/" (call.index) } { "block " (call.index) } ", "
                            (transaction_link(call.id)) }
                        td { (view::address(&call.from)) @if call.is_deployment { " made it" } }
                        td { (words::status(&call.status, call.reason.as_deref())) }
                        td.number { (view::amount(call.amount)) }
                        td.number { (words::gas(call.gas_used, call.gas)) }
                    }
                } }
            }
        }
    }
}

fn older(next: Option<&str>, of: &Address, table: &str) -> Markup {
    html! {
        @if let Some(next) = next.filter(|next| is_moment(next)) {
            nav.paging aria-label={ "Older " (table) } {
                a.button href={ "/program/" (of) "?" (table) "_before=" (next) "#" (table) } rel="next" { "Older" }
            }
        }
    }
}
