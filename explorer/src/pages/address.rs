//! The page of an address: its balance, its coins, its history, and a chart of its balance.

mod coins;

use super::{calls, errors};
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::chart::{Axis, Chart, Mark, short_number, whole_number};
use crate::view::{self, Page, explained, redirect, sanitized, transaction_link};
use coins::Coins;
use maud::{Markup, html};
use runtime::client::ListPage;
use runtime::server::{self, Request, Response};
use serde::Deserialize;
use shared::ledger::{Address, Amount, Transfer};
use shared::wire::{HistoryEntry, Problem};
use std::sync::Arc;

/// Entries per page.
const PER_PAGE: usize = 50;
/// The number of confirmations from which a payment counts as final.
const SAFE_CONFIRMATIONS: u64 = 6;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressQuery {
    /// Lists the history before this entry; a link on the page has the value.
    #[param(nullable = false, pattern = r"^[0-9]{1,16}(\.[0-9]{1,9})?$")]
    before: Option<String>,
    /// Lists the coins from this one on; a link on the page has the value.
    #[param(nullable = false, pattern = r"^[0-9]{1,16}\.[0-9a-f]{64}\.(0|[1-9][0-9]{0,2})$")]
    coins: Option<String>,
}

struct AddressPage {
    address: Address,
    /// In grains: what it holds on the best chain, and what it will hold once its pending payments are in blocks.
    confirmed: u64,
    with_pending: u64,
    /// What the balance is made of, if that is coins.
    coins: Option<Coins>,
    history: ListPage<HistoryEntry>,
    /// What it received lately.
    undoable: Undoable,
    /// Whether this is the page with the newest entries.
    is_first: bool,
}

/// What an address received in blocks that a reorganisation may still undo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Undoable {
    grains: u64,
    /// There may be more, in entries that were not read.
    is_least: bool,
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
    let AddressQuery { before, coins } = request.query()?;
    if !before.as_deref().is_none_or(is_cursor) {
        return Err(server::bad_request(
            "query: before: expected a height, or a height and a position in that block, as in 7.2",
        ));
    }
    if !coins.as_deref().is_none_or(coins::is_cursor) {
        return Err(server::bad_request("query: coins: expected an amount in grains, a point, and a coin's name"));
    }
    match fetch(&explorer, address, before, coins).await {
        Ok(shown) => Ok(Page {
            title: &view::cast().person(&address),
            place: "/transactions",
            scripts: &[],
            main: render(&shown),
        }
        .response()),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

fn is_cursor(text: &str) -> bool {
    let (index, place) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    matches!((index.len(), place.len()), (1..=16, 1..=9)) && is_number(index) && is_number(place)
}

async fn fetch(
    explorer: &ExplorerState,
    address: Address,
    before: Option<String>,
    first_coin: Option<String>,
) -> Result<AddressPage, UpstreamError> {
    let (upstream, is_first) = (&explorer.upstream, before.is_none());
    let balance =
        |depth: u64| upstream.mempool(async move |client, mempool| client.balance(mempool, &address, depth).await);
    let history = |before: Option<String>| {
        upstream
            .mempool(async move |client, mempool| client.history(mempool, &address, before.as_deref(), PER_PAGE).await)
    };
    let newest = async { if before.is_some() { history(None).await.map(Some) } else { Ok(None) } };
    let coins = Coins::fetch(explorer, address, first_coin);
    let (with_pending, confirmed, coins, history, newest) =
        tokio::try_join!(balance(0), balance(1), coins, history(before.clone()), newest)?;
    let undoable = Undoable::of(newest.as_ref().unwrap_or(&history));
    Ok(AddressPage { address, confirmed, with_pending, coins, history, undoable, is_first })
}

impl Undoable {
    /// Adds up the newest entries of a history.
    fn of(newest: &ListPage<HistoryEntry>) -> Self {
        let is_recent = |entry: &&HistoryEntry| (1..SAFE_CONFIRMATIONS).contains(&entry.confirmations);
        let received = |entry: &HistoryEntry| entry.balance.grains().saturating_sub(entry.before.grains());
        let grains =
            newest.entries.iter().filter(is_recent).fold(0_u64, |sum, each| sum.saturating_add(received(each)));
        let is_least = newest.next.is_some() && newest.entries.last().is_some_and(|last| is_recent(&last));
        Self { grains, is_least }
    }
}

fn render(shown: &AddressPage) -> Markup {
    let AddressPage { address, history, is_first, .. } = shown;
    html! {
        @match view::cast().name(address) {
            Some(name) => h1 { (name) " " small.digits { (view::digits(address)) } },
            None if !address.is_key() => h1 { "Account of a program" },
            None => h1 { "Address" },
        }
        div.owner {
            div {
                p { code.hash { (address) } }
                @if !address.is_key() {
                    p { "Its code, storage and calls: " (view::program(address)) "." }
                } @else if view::cast().name(address).is_some() {
                    p.muted { "The name is this explorer's. The network knows the address only: the public half of a \
                        key. Anyone who has the secret half can spend this money." }
                } @else {
                    p.muted { "An address is the public half of a key. Anyone who has the secret half can spend this \
                        money. The network does not know who that is." }
                }
                (balance(shown))
            }
            img.qr src={ "/qr/" (address) ".svg" } alt="QR code of the address" width="160" height="160";
        }
        @if let Some(coins) = &shown.coins { (coins.render(address)) }
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
                    @if !history.entries.is_empty() {
                        a.button href={ "/address/" (address) "/history.csv" } { "As CSV" }
                    }
                }
            }
        }
    }
}

/// One number; beside it what may still change.
fn balance(AddressPage { confirmed, with_pending, undoable, .. }: &AddressPage) -> Markup {
    let lab = |grains: u64| view::amount(Amount::new(grains).unwrap_or(Amount::MAX));
    let may_go = undoable.grains.min(*confirmed);
    html! {
        div #balances data-live="blocks pool" aria-live="polite" {
            div.balance { strong { (lab(*confirmed)) }
                @if may_go > 0 { " of which " @if undoable.is_least { "at least " } (lab(may_go)) " "
                    (explained("may still be undone", "It came in a block with fewer than 6 confirmations. If the \
                        network changes to another branch, this money is gone, or waits again.")) }
            }
            @if with_pending != confirmed {
                p.muted { "Including payments that are waiting for a block: " (lab(*with_pending)) }
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
                    th.number scope="col" { "Change" } th.number scope="col" { "Balance after" }
                    th scope="col" { "Message" } } }
                tbody {
                    @for entry in entries {
                        tr {
                            th scope="row" { @match entry.block {
                                Some(block) => { a href={ "/block/" (block.hash) } { "block " (block.index) } }
                                None => { span.warn { "pending" } }
                            } }
                            td data-label="What" { (what(of, entry)) }
                            td.number data-label="Change" { (change(entry)) }
                            td.number data-label="Balance" { (view::amount(entry.balance)) }
                            td.msg data-label="Message" {
                                @if let Some(transaction) = &entry.transaction { (calls::message(transaction)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn what(of: &Address, entry: &HistoryEntry) -> Markup {
    let Some(transaction) = &entry.transaction else {
        return html! { (explained("mined", "The address found this block and received the reward and the fees.")) };
    };
    let Transfer { from, to, .. } = &transaction.transfer();
    let is_paid = transaction.gives().iter().any(|part| part.address == *of);
    html! {
        @if from == to { "paid to itself" }
        @else if from == of && !to.is_key() { (calls::sent(to)) }
        @else if from == of { "paid to " (view::address(to)) }
        @else if to == of && !of.is_key() { "called by " (view::address(from)) }
        @else if is_paid { "paid by " (view::address(from)) }
        @else { "moved by a program that " (view::address(from)) " called" }
        ", " (transaction_link(transaction.id()))
    }
}

/// The difference of the balances: with the fee for a sender, and with what programs moved.
fn change(entry: &HistoryEntry) -> Markup {
    let (before, after) = (entry.before, entry.balance);
    html! {
        @match (after.checked_sub(before), before.checked_sub(after)) {
            (Some(more), None) => span.good { "+" (view::amount(more)) },
            (None, Some(less)) => span.bad { "−" (view::amount(less)) },
            _ => (view::amount(Amount::ZERO)),
        }
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
    use shared::ledger::{Payment, Transaction};
    use shared::wire::TransactionState;

    fn entry(transaction: Option<Transaction>, before: u64, balance: u64) -> HistoryEntry {
        let [_, block] = samples::blocks("");
        let reward = transaction.is_none().then_some(Amount::MAX);
        HistoryEntry {
            transaction,
            reward,
            status: TransactionState::Confirmed,
            block: Some(BlockId { index: block.index(), hash: block.hash() }),
            confirmations: 1,
            before: Amount::new(before).expect("a balance"),
            balance: Amount::new(balance).expect("a balance"),
        }
    }

    fn shown(entries: Vec<HistoryEntry>, next: Option<&str>) -> AddressPage {
        let history = ListPage { entries, next: next.map(str::to_owned) };
        let address = samples::address("alice");
        let undoable = Undoable::of(&history);
        let (confirmed, with_pending) = (200_000_000, 1);
        AddressPage { address, confirmed, with_pending, coins: None, history, undoable, is_first: true }
    }

    #[test]
    fn an_address_with_a_history() {
        let pending = HistoryEntry {
            block: None,
            status: TransactionState::Pending,
            confirmations: 0,
            ..entry(Some(samples::payment(2, samples::HOSTILE)), 100_000_000, 99)
        };
        let entries = vec![
            pending,
            entry(Some(samples::payment(1, "for lunch")), 300_000_000, 100_000_000),
            entry(None, 0, 300_000_000),
        ];
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
    fn what_came_in_the_last_blocks_may_still_be_undone() {
        let with = |mut entry: HistoryEntry, confirmations| {
            entry.confirmations = confirmations;
            entry
        };
        let reward = || entry(None, 1, 5_000_000_001);
        let paid = || entry(Some(samples::payment(1, "")), 7, 1);
        let got = || entry(Some(samples::payment(1, "")), 1, 150_000_001);
        let of = |entries, next: Option<&str>| {
            let page = ListPage { entries, next: next.map(str::to_owned) };
            let Undoable { grains, is_least } = Undoable::of(&page);
            (grains, is_least)
        };
        assert_eq!(of(vec![with(reward(), 1), with(reward(), 5), with(reward(), 6)], None), (10_000_000_000, false));
        // What she paid and what waits is not hers to lose.
        assert_eq!(of(vec![with(paid(), 0), with(paid(), 2)], None), (0, false));
        assert_eq!(of(vec![with(got(), 2)], Some("3")), (150_000_000, true));
        assert_eq!(of(vec![with(got(), 2), with(got(), 7)], Some("3")), (150_000_000, false));
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
        let shown = render(&shown(vec![entry(None, 0, 1)], Some("\"><script>"))).into_string();
        assert!(!shown.contains("Older"), "{shown}");
    }

    #[test]
    fn a_change_is_the_difference_of_the_balances() {
        let payment = samples::payment(1, "");
        for (before, after, expected) in [
            (
                150_001_000,
                0,
                "<span class=\"bad\">−<span class=\"amount\">1.50<span class=\"rest\">001</span> LAB</span></span>",
            ),
            (0, 150_000_000, "<span class=\"good\">+<span class=\"amount\">1.50 LAB</span></span>"),
            (7, 7, "<span class=\"amount\">0.00 LAB</span>"),
        ] {
            assert_eq!(change(&entry(Some(payment.clone()), before, after)).into_string(), expected);
        }
    }

    /// A program that alice called took money from carol: the transaction itself does not name her.
    #[test]
    fn money_that_a_program_took_from_a_third_party_is_a_loss() {
        let program = Address::of_program(shared::program::AccountId([7; 20]));
        let payment = samples::payment(1, "").as_payment().unwrap().clone();
        let call = Payment { to: program, msg: "call 50000 0x".to_owned(), ..payment };
        let taken = entry(Some(call.into()), 100_000_000, 0);
        let shown = table(&samples::address("carol"), std::slice::from_ref(&taken)).into_string();
        assert!(shown.contains("moved by a program that") && shown.contains("−<span class=\"amount\">1.00"), "{shown}");
        let shown = table(&samples::address("alice"), std::slice::from_ref(&taken)).into_string();
        assert!(shown.contains("called the program") && !shown.contains("0x<"), "{shown}");
        assert!(table(&program, &[taken]).into_string().contains("called by"));
    }
}
