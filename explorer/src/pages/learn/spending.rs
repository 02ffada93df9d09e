//! The exercise "a coin is spent whole": a purse of coins, an amount to pay, and the rule that chooses the coins. The
//! server answers each try, so it works without scripts; the address of the page is the whole purse.

use super::owned_by;
use crate::state::ExplorerState;
use crate::view::{self, Flow, Note, Page};
use maud::{Markup, html};
use runtime::sanitize;
use runtime::server::{Request, Response};
use serde::Deserialize;
use shared::block::Height;
use shared::ledger::{Address, Amount, CoinName, Input, TransactionId};
use shared::wallet::{CoinStrategy, DUST, Selection, SpareCoin, select};
use shared::wire::Problem;
use std::sync::Arc;

/// The coins to begin with, the oldest first.
const PURSE: &str = "1, 50, 5, 50, 20, 5";
const AMOUNT: &str = "90";
/// 0.001 LAB, which can be seen, if only just.
const FEE: u64 = 100_000;
/// Most coins of a purse.
const MAX_COINS: usize = 20;

/// The rule that chooses the coins.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Strategy {
    #[default]
    Largest,
    Oldest,
    Exact,
}

const STRATEGIES: [(Strategy, &str, &str); 3] = [
    (Strategy::Largest, "largest", "the largest first"),
    (Strategy::Oldest, "oldest", "the oldest first"),
    (Strategy::Exact, "exact", "those that need no change, if there are such"),
];

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpendingQuery {
    /// The coins in LAB, the oldest first, with commas between them.
    #[param(nullable = false)]
    purse: Option<String>,
    /// What to pay, in LAB.
    #[param(nullable = false)]
    amount: Option<String>,
    /// Which coins come first.
    #[param(inline, nullable = false)]
    strategy: Option<Strategy>,
}

/// What a reader chose.
struct Try {
    purse: String,
    amount: String,
    strategy: Strategy,
}

struct Paid {
    amount: Amount,
    selection: Selection,
    /// The coins afterwards, the oldest first.
    left: Vec<Amount>,
}

pub(crate) async fn page(_: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let SpendingQuery { purse, amount, strategy } = request.query()?;
    let chosen = Try {
        purse: purse.unwrap_or_else(|| PURSE.to_owned()),
        amount: amount.unwrap_or_else(|| AMOUNT.to_owned()),
        strategy: strategy.unwrap_or_default(),
    };
    Ok(Page { title: "A coin is spent whole", place: "/learn", scripts: &[], main: render(&chosen) }.response())
}

fn pay(chosen: &Try) -> Result<Paid, String> {
    let read = |text: &str| Amount::from_lab(text.trim()).map_err(|error| format!("{error}."));
    let texts: Vec<_> = chosen.purse.split(',').filter(|text| !text.trim().is_empty()).take(MAX_COINS + 1).collect();
    if texts.len() > MAX_COINS {
        return Err(format!("At most {MAX_COINS} coins fit into this purse."));
    }
    let purse = texts.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let amount = read(&chosen.amount)?;
    let needed = amount.grains().checked_add(FEE).and_then(Amount::new).ok_or("This is too much.")?;
    let coins: Vec<_> = (0..).zip(&purse).map(|(age, amount)| coin(age, *amount)).collect();
    let by = match chosen.strategy {
        Strategy::Largest => CoinStrategy::Largest,
        Strategy::Oldest => CoinStrategy::Oldest,
        Strategy::Exact => CoinStrategy::Exact,
    };
    let selection = select(&coins, needed, by).map_err(|error| format!("It cannot be paid: {error}."))?;
    let is_left = |coin: &&SpareCoin| !selection.inputs.contains(&coin.input);
    let kept = coins.iter().filter(is_left).map(|coin| coin.input.amount);
    let left = kept.chain(Some(selection.change).filter(|change| *change > Amount::ZERO)).collect();
    Ok(Paid { amount, selection, left })
}

fn coin(age: u16, amount: Amount) -> SpareCoin {
    let coin = CoinName { id: TransactionId::of("an exercise"), place: age };
    SpareCoin { input: Input { coin, address: Address::nobody(), amount }, made_in: Height(age.into()) }
}

fn render(chosen: &Try) -> Markup {
    html! {
        h1 { "A coin is spent whole" }
        p { "There are two ways to keep money in a ledger. One writes a balance beside each name, and a payment \
            changes two numbers. The other, Bitcoin's, has coins: each coin has an owner and a fixed amount, and \
            nobody can take a part of it. To pay 90 from two coins of 50, both coins are destroyed, and two new ones \
            are made: 90 for the receiver, and the rest for you. The rest is called " strong { "change" } ". What the \
            new coins leave is the fee." }
        p { strong { "Try: " } "pay 90, then 20, then 5. Which coins are spent, and which ones do you have afterwards? \
            Try the same with the oldest coins first. Which rule leaves you with many small coins, and which one makes \
            change most often? Then pay 24.999: there is a way without change." }
        form #spending .card action="/learn/coins" {
            p { label for="purse" { "Your coins in LAB, the oldest first" } br;
                input #purse name="purse" value=(sanitize::line(&chosen.purse)) size="40" autocomplete="off"; }
            p { label for="amount" { "You pay, in LAB" } br;
                input #amount name="amount" value=(sanitize::line(&chosen.amount)) inputmode="decimal"
                    autocomplete="off"; }
            p { label for="strategy" { "Your wallet takes" } br;
                select #strategy name="strategy" {
                    @for (strategy, value, words) in STRATEGIES {
                        option value=(value) selected[strategy == chosen.strategy] { (words) }
                    }
                } }
            p { button.primary { "Pay" } " " a.button href="/learn/coins" { "Start again" } }
        }
        @match pay(chosen) {
            Ok(paid) => (outcome(&paid, chosen)),
            Err(words) => p #spent .bad role="alert" { (view::sanitized(&words)) },
        }
        p { "Next: everybody sees both outputs of your payment. " a href="/learn/change" { "Which output is the \
            change?" } }
    }
}

fn outcome(Paid { amount, selection, left }: &Paid, chosen: &Try) -> Markup {
    const CHANGE: Note = Note { short: "change", reason: "a new coin for you" };
    let Selection { inputs, change, left_over } = selection;
    let mut gives = vec![owned_by("the shop", *amount, None)];
    if *change > Amount::ZERO {
        gives.push(owned_by("you", *change, Some(CHANGE)));
    }
    let fee = Amount::new(FEE.saturating_add(left_over.grains())).unwrap_or(Amount::MAX);
    let takes = inputs.iter().map(|input| owned_by("you", input.amount, None)).collect();
    let list = left.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let strategy = STRATEGIES.iter().find(|(strategy, ..)| *strategy == chosen.strategy);
    html! {
        h2 { "What happens" }
        p #spent {
            "You spend " (inputs.len()) @if inputs.len() == 1 { " coin" } @else { " coins" } ", the shop gets "
            (view::amount(*amount)) ", "
            @if *change > Amount::ZERO { "and " (view::amount(*change)) " come back to you as one new coin." }
            @else { "and nothing comes back." }
            @if *left_over > Amount::ZERO { " " (left_over.grains()) " grains are left to the miner: a coin of less \
                than " (DUST.grains()) " grains would cost more to spend than it is worth." }
        }
        (Flow { takes, gives, fee }.render())
        @if left.is_empty() { p { "You have no coins left." } } @else {
            p { "Your coins afterwards: " (list) ". "
                a href={ "/learn/coins?purse=" (list.replace(' ', "")) "&strategy="
                    (strategy.map_or("largest", |(_, value, _)| value)) "&amount=20" } { "Pay 20 from them" } "." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples::{HOSTILE, assert_harmless};
    use crate::view::snapshot;

    fn with(purse: &str, amount: &str, strategy: Strategy) -> Try {
        Try { purse: purse.to_owned(), amount: amount.to_owned(), strategy }
    }

    fn left(purse: &str, amount: &str, strategy: Strategy) -> Result<String, String> {
        let paid = pay(&with(purse, amount, strategy))?;
        Ok(paid.left.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn ninety_from_two_coins_of_fifty() {
        snapshot("learn_coins", &render(&with(PURSE, AMOUNT, Strategy::Largest)));
    }

    #[test]
    fn each_rule_leaves_other_coins() {
        assert_eq!(left(PURSE, "24.999", Strategy::Largest).unwrap(), "1 5 50 20 5 25");
        assert_eq!(left(PURSE, "24.999", Strategy::Oldest).unwrap(), "5 50 20 5 26");
        assert_eq!(left(PURSE, "24.999", Strategy::Exact).unwrap(), "1 50 50 5");
    }

    #[test]
    fn what_cannot_be_paid_is_said_in_words() {
        for (purse, amount, words) in [
            ("1,2", "3", "cannot be paid"),
            ("", "3", "cannot be paid"),
            ("1", "x", "."),
            ("1,x", "1", "."),
            ("1", "90071992.54740991", "too much"),
            (&"1,".repeat(21), "1", "At most 20"),
        ] {
            let wrong = left(purse, amount, Strategy::Exact).unwrap_err();
            assert!(wrong.contains(words), "{purse} {amount}: {wrong}");
        }
        assert_harmless(&render(&with(HOSTILE, HOSTILE, Strategy::Oldest)).into_string());
    }
}
