//! A transaction as a flow, on every layer with money: what it takes from balances or coins, and what it gives.

use super::calls;
use crate::view::{self, End, Flow, Note};
use maud::{Markup, html};
use shared::ledger::{Address, Holding, Part, Transaction};

/// What is said about an output that may be change.
const CHANGE: Note = Note { short: "probably change", reason: "it goes back to an address that pays" };

pub(super) fn render(transaction: &Transaction) -> Markup {
    let (takes, gives) = (transaction.takes(), transaction.gives());
    let notes = notes(&takes, &gives);
    Flow {
        takes: takes.iter().map(|part| end(part, None)).collect(),
        gives: gives.iter().zip(notes).map(|(part, note)| end(part, note)).collect(),
        fee: transaction.fee(),
    }
    .render()
}

/// Which outputs are probably change: those that go back to a payer, if others do not. Nothing is said about outputs to
/// other addresses, of which any may be change.
fn notes(takes: &[Part], gives: &[Part]) -> Vec<Option<Note>> {
    let goes_back = |part: &Part| takes.iter().any(|taken| taken.address == part.address);
    let is_paid = gives.iter().any(|part| !goes_back(part));
    gives.iter().map(|part| (is_paid && goes_back(part)).then_some(CHANGE)).collect()
}

fn end(part: &Part, note: Option<Note>) -> End {
    let holding = match part.holding {
        Holding::Coin(coin) => html! { "coin " (view::coin_link(coin)) },
        Holding::Account(_) => html! { "balance" },
    };
    let name = view::cast().name(&part.address).map(ToString::to_string);
    let short = short(&part.address);
    let (name, address) = match name {
        Some(name) => (name, Some(short)),
        None => (short, None),
    };
    End { name, address, holding, owner: calls::receiver(&part.address), amount: part.amount, note }
}

fn short(address: &Address) -> String {
    if address.is_key() {
        view::short(address.as_str())
    } else if *address == Address::nobody() {
        "a new program".to_owned()
    } else {
        "a program".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::names::{Cast, NameBook};
    use crate::network::NetworkState;
    use crate::view::snapshot;
    use std::sync::Arc;

    #[test]
    fn change_is_marked_with_its_reason_and_everybody_by_name() {
        let mut book = NameBook::default();
        book.add_person(samples::address("alice"), "Ada".to_owned()).expect("a name");
        let cast = Cast::new(Arc::new(book), &NetworkState::default());
        let shown = view::with_cast(cast, || render(&samples::spend(&[("bob", 90), ("alice", 9)])));
        snapshot("flow", &shown);
    }

    #[test]
    fn nothing_is_said_where_nothing_is_known() {
        for outputs in [&[("bob", 90), ("carol", 9)][..], &[("alice", 60), ("alice", 39)], &[("bob", 99)]] {
            let shown = render(&samples::spend(outputs)).into_string();
            assert!(!shown.contains("change"), "{shown}");
        }
    }

    #[test]
    fn a_payment_between_accounts_is_one_in_and_one_out() {
        let shown = render(&samples::payment(1, "")).into_string();
        assert_eq!((shown.matches(">takes<").count(), shown.matches(">gives<").count()), (1, 1), "{shown}");
        assert!(shown.contains("balance") && !shown.contains("/coin/") && shown.contains("fee 0.00001"), "{shown}");
    }
}
