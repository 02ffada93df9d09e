//! The page of an address: its balance, its history, and a chart of its balance.

use super::errors;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::chart::{Axis, Chart, Mark, short_number, whole_number};
use crate::view::{self, Page, explained, redirect, sanitized, transaction_link};
use maud::{Markup, html};
use runtime::client::ListPage;
use runtime::server::{self, Request, Response};
use serde::Deserialize;
use shared::ledger::{Address, Amount, Transaction};
use shared::wire::{HistoryEntry, Problem};
use std::sync::Arc;

/// Entries per page.
const PER_PAGE: usize = 50;
/// The confirmations for which the balance is shown.
const DEPTHS: [(u64, &str); 3] = [(0, "with pending payments"), (1, "confirmed"), (6, "final, 6 confirmations")];

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressQuery {
    /// Lists the history before this entry; a link on the page has the value.
    before: Option<String>,
}

struct AddressPage {
    address: Address,
    /// In grains, in the order of [`DEPTHS`].
    balances: [u64; 3],
    history: ListPage<HistoryEntry>,
    /// Whether this is the page with the newest entries.
    is_first: bool,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    if !explorer.params.layer.has_money() {
        return Ok(errors::no_money("Address", "/transactions"));
    }
    let address = match name.to_ascii_lowercase().parse::<Address>() {
        Ok(address) if address.as_str() != name => return redirect(&format!("/address/{address}")),
        Ok(address) => address,
        Err(error) => {
            return Ok(errors::not_found(
                html! { (sanitized(&view::short(name))) " is not an address: " (sanitized(&error.to_string())) "." },
            ));
        }
    };
    let AddressQuery { before } = request.query()?;
    if !before.as_deref().is_none_or(is_cursor) {
        return Err(server::bad_request(
            "query: before: expected a height, or a height and a position in that block, as in 7.2",
        ));
    }
    match fetch(&explorer, address, before).await {
        Ok(shown) => Ok(Page {
            title: &format!("Address {}", address.short()),
            place: "/transactions",
            scripts: &[],
            main: render(&shown),
        }
        .response()),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

fn is_cursor(text: &str) -> bool {
    let is_number = |text: &str| matches!(text.len(), 1..=16) && text.bytes().all(|c| c.is_ascii_digit());
    text.split_once('.').map_or_else(|| is_number(text), |(index, place)| is_number(index) && is_number(place))
}

async fn fetch(
    explorer: &ExplorerState,
    address: Address,
    before: Option<String>,
) -> Result<AddressPage, UpstreamError> {
    let (upstream, is_first) = (&explorer.upstream, before.is_none());
    let balance =
        |depth: u64| upstream.mempool(async move |client, mempool| client.balance(mempool, &address, depth).await);
    let [(pending, _), (confirmed, _), (settled, _)] = DEPTHS;
    let history = upstream
        .mempool(async move |client, mempool| client.history(mempool, &address, before.as_deref(), PER_PAGE).await);
    let (pending, confirmed, settled, history) =
        tokio::try_join!(balance(pending), balance(confirmed), balance(settled), history)?;
    Ok(AddressPage { address, balances: [pending, confirmed, settled], history, is_first })
}

fn render(shown: &AddressPage) -> Markup {
    let AddressPage { address, balances, history, is_first } = shown;
    html! {
        h1 { "Address" }
        div.owner {
            div {
                p { code.hash { (address) } }
                p.muted { "An address is the public half of a key. Anyone who has the secret half can spend this \
                    money. The network does not know who that is." }
                div #balances data-live="blocks pool" aria-live="polite" {
                    dl.fields {
                        @for ((_, name), grains) in DEPTHS.iter().zip(balances) {
                            dt { (name) }
                            dd { (view::amount(Amount::new(*grains).unwrap_or(Amount::MAX))) }
                        }
                    }
                }
            }
            img.qr src={ "/qr/" (address) ".svg" } alt="QR code of the address" width="160" height="160";
        }
        section aria-labelledby="history" {
            h2 #history { "History" }
            // Older entries do not change.
            div #entries data-live=[is_first.then_some("blocks pool")] {
                @if history.entries.is_empty() {
                    p { "Nothing has happened yet: on this network the address has not paid, received or mined \
                        anything." }
                } @else {
                    (chart(&history.entries))
                    (table(address, &history.entries))
                }
                nav.paging aria-label="More history" {
                    @if !is_first { a.button href={ "/address/" (address) } { "Newest" } }
                    @if let Some(next) = history.next.as_deref().filter(|next| is_cursor(next)) {
                        a.button href={ "/address/" (address) "?before=" (next) } rel="next" { "Older" }
                    }
                }
            }
        }
    }
}

fn table(of: &Address, entries: &[HistoryEntry]) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="History, newest first" {
            table {
                caption { "Newest first" }
                thead { tr { th scope="col" { "Where" } th scope="col" { "What" }
                    th.number scope="col" { "Change" } th.number scope="col" { "Balance" } th scope="col" { "Message" }
                        } }
                tbody {
                    @for entry in entries {
                        tr {
                            th scope="row" { @match entry.block {
                                Some(block) => { a href={ "/block/" (block.hash) } { "block " (block.index) } }
                                None => { span.warn { "pending" } }
                            } }
                            td { (what(of, entry)) }
                            td.number { (change(of, entry)) }
                            td.number { (view::amount(entry.balance)) }
                            td.msg { @if let Some(transaction) = &entry.transaction { (sanitized(&transaction.msg)) } }
                        }
                    }
                }
            }
        }
    }
}

fn what(of: &Address, entry: &HistoryEntry) -> Markup {
    let Some(Transaction { id, from, to, .. }) = &entry.transaction else {
        return html! { (explained("mined", "The address found this block and received the reward and the fees.")) };
    };
    html! {
        @if from == to { "paid to itself" }
        @else if from == of { "paid to " (view::address(to)) }
        @else { "paid by " (view::address(from)) }
        ", " (transaction_link(*id))
    }
}

fn change(of: &Address, entry: &HistoryEntry) -> Markup {
    let more = |amount| html! { span.good { "+" (view::amount(amount)) } };
    let less = |amount| html! { span.bad { "−" (view::amount(amount)) } };
    match &entry.transaction {
        None => more(entry.reward.unwrap_or(Amount::ZERO)),
        Some(transaction) if transaction.from == transaction.to => less(transaction.fee),
        Some(transaction) if transaction.from == *of => less(transaction.cost()),
        Some(transaction) => more(transaction.amount),
    }
}

/// The balance after each entry of this page, from the oldest to the newest.
fn chart(entries: &[HistoryEntry]) -> Markup {
    let lab = |amount: Amount| amount.grains() as f64 / Amount::GRAINS_PER_LAB as f64;
    let line: Vec<_> =
        entries.iter().rev().zip(1_u32..).map(|(entry, place)| (f64::from(place), lab(entry.balance))).collect();
    let highest = line.iter().map(|(_, balance)| *balance).fold(0.0, f64::max);
    let last = line.last().map_or(1.0, |(place, _)| *place);
    Chart {
        name: "balance",
        title: "Balance",
        description: "What the address held after each entry of this page, from the oldest to the newest.",
        x: Axis::between("entries of this page, oldest first", 1.0, last, whole_number).of_whole(),
        y: Axis::from_zero("LAB", highest, short_number),
        marks: vec![Mark::Line(line)],
    }
    .render()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use shared::block::BlockId;
    use shared::wire::TransactionState;

    fn entry(transaction: Option<Transaction>, balance: u64) -> HistoryEntry {
        let [_, block] = samples::blocks("");
        let reward = transaction.is_none().then_some(Amount::MAX);
        HistoryEntry {
            transaction,
            reward,
            status: TransactionState::Confirmed,
            block: Some(BlockId { index: block.index(), hash: block.hash() }),
            confirmations: 1,
            balance: Amount::new(balance).expect("a balance"),
        }
    }

    fn shown(entries: Vec<HistoryEntry>, next: Option<&str>) -> AddressPage {
        let history = ListPage { entries, next: next.map(str::to_owned) };
        AddressPage { address: samples::address("alice"), balances: [1, 200_000_000, 0], history, is_first: true }
    }

    #[test]
    fn an_address_with_a_history() {
        let pending = HistoryEntry {
            block: None,
            status: TransactionState::Pending,
            confirmations: 0,
            ..entry(Some(samples::payment(2, samples::HOSTILE)), 99)
        };
        let entries =
            vec![pending, entry(Some(samples::payment(1, "for lunch")), 100_000_000), entry(None, 300_000_000)];
        let shown = render(&shown(entries, Some("7.2")));
        samples::assert_harmless(&shown.0);
        snapshot("address", &shown);
    }

    #[test]
    fn an_address_without_history_is_no_error() {
        let shown = render(&shown(Vec::new(), None)).into_string();
        assert!(shown.contains("Nothing has happened yet") && !shown.contains("Older"), "{shown}");
    }

    #[test]
    fn only_cursors_of_a_mempool_are_accepted() {
        for (text, expected) in [
            ("7", true),
            ("7.2", true),
            ("", false),
            ("7.", false),
            ("7.2.1", false),
            ("-7", false),
            ("7&x=y", false),
            ("99999999999999999", false),
        ] {
            assert_eq!(is_cursor(text), expected, "{text}");
        }
        let shown = render(&shown(vec![entry(None, 1)], Some("\"><script>"))).into_string();
        assert!(!shown.contains("Older"), "{shown}");
    }

    #[test]
    fn a_change_includes_the_fee() {
        let payment = samples::payment(1, "");
        let entry = entry(Some(payment.clone()), 1);
        assert_eq!(
            change(&payment.from, &entry).into_string(),
            "<span class=\"bad\">−<span class=\"amount\">1.50001 LAB</span></span>"
        );
        assert_eq!(
            change(&payment.to, &entry).into_string(),
            "<span class=\"good\">+<span class=\"amount\">1.5 LAB</span></span>"
        );
    }
}
