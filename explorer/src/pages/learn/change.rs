//! The exercise "which output is the change?": four payments as everybody sees them, and what each one gives away.

use super::owned_by;
use crate::state::ExplorerState;
use crate::view::{Flow, Page};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::ledger::Amount;
use shared::wire::Problem;
use std::sync::Arc;

/// Thousandths of a LAB in grains: the amounts below are in them.
const UNIT: u64 = Amount::GRAINS_PER_LAB / 1000;

/// A payment as everybody sees it.
struct Sight {
    title: &'static str,
    /// Owners and thousandths of a LAB.
    takes: &'static [(&'static str, u64)],
    gives: [(&'static str, u64); 2],
    /// What is true of the guess that the first output is the change, and the second.
    verdicts: [&'static str; 2],
    lesson: &'static str,
}

const SIGHTS: [Sight; 4] = [
    Sight {
        title: "1. Back to where it came from",
        takes: &[("lab1qw3a…", 50_000), ("lab1qw3a…", 50_000)],
        gives: [("lab1qdku…", 90_000), ("lab1qw3a…", 9_999)],
        verdicts: [
            "No. The address lab1qdku… has not paid, so it is probably the one that was paid.",
            "Yes, probably: lab1qw3a… pays, and lab1qw3a… gets the rest back. Nobody pays himself on purpose.",
        ],
        lesson: "A wallet that uses one address for everything shows its change to everyone. This is the only case in \
            which the pages of this explorer write “probably change”.",
    },
    Sight {
        title: "2. A new address, but a round amount",
        takes: &[("lab1qw3a…", 50_000), ("lab1qw3a…", 50_000)],
        gives: [("lab1q8xk…", 9_999), ("lab1qpz4…", 90_000)],
        verdicts: [
            "Yes, probably. People pay round amounts, and 90 is round. And to pay 9.999, one coin of 50 would have \
                been enough: why would a wallet spend two?",
            "Hardly. To pay 9.999, one coin of 50 would have been enough, and two were spent.",
        ],
        lesson: "A new address for the change is not enough. Amounts speak, and so does the number of coins.",
    },
    Sight {
        title: "3. Nobody can tell",
        takes: &[("lab1qw3a…", 50_000)],
        gives: [("lab1q5ty…", 27_314), ("lab1qc0r…", 22_685)],
        verdicts: [
            "Perhaps. Neither address has been seen before, neither amount is round, and one coin was enough for both.",
            "Perhaps. Neither address has been seen before, neither amount is round, and one coin was enough for both.",
        ],
        lesson: "To be sure one must wait: when one of the two coins is spent together with another coin of the payer, \
            it was the change.",
    },
    Sight {
        title: "4. Signed together",
        takes: &[("lab1qw3a…", 20_000), ("lab1q7mm…", 30_000)],
        gives: [("lab1qdku…", 45_000), ("lab1q2vn…", 4_999)],
        verdicts: [
            "Hardly. 45 is round, and it needs both coins; 4.999 needs only one of them.",
            "Yes, probably: 4.999 is what is left of both coins after 45 and the fee.",
        ],
        lesson: "There is more to see: two different addresses pay in one transaction, so one person has the keys of \
            both. Coins that are spent together belong together, and what one address tells, the other one tells, too.",
    },
];

pub(crate) async fn page(_: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    Ok(Page { title: "Which output is the change?", place: "/learn", scripts: &[], main: render() }.response())
}

fn render() -> Markup {
    html! {
        h1 { "Which output is the change?" }
        p { "A payment from coins makes a coin for the receiver and, mostly, a coin for the payer: the change. The \
            ledger does not say which is which. A reader who finds out knows what was paid, and where the payer's \
            money is now. Look at each picture, decide, and then open your answer." }
        @for sight in &SIGHTS { (self::sight(sight)) }
        section {
            h2 { "And on this network?" }
            p { "Open a payment among the " a href="/transactions" { "transactions" } " and look. With the program "
                code { "user" } " the change can go to another of your addresses: "
                code { "user send 90 bob -s alice --change alice/1" } ". On a network that keeps balances, there is no \
                change, and nothing to guess: each payment names both sides." }
            p { "Before: " a href="/learn/coins" { "a coin is spent whole" } "." }
        }
    }
}

fn sight(Sight { title, takes, gives, verdicts, lesson }: &Sight) -> Markup {
    let amount = |thousandths: u64| Amount::new(thousandths * UNIT).unwrap_or(Amount::MAX);
    let sum = |ends: &[(&str, u64)]| ends.iter().map(|(_, thousandths)| thousandths).sum::<u64>();
    let ends = |ends: &[(&str, u64)]| {
        ends.iter().map(|(owner, thousandths)| owned_by(owner, amount(*thousandths), None)).collect()
    };
    let flow = Flow { takes: ends(takes), gives: ends(gives), fee: amount(sum(takes).saturating_sub(sum(gives))) };
    html! {
        section {
            h2 { (title) }
            (flow.render())
            @for ((owner, thousandths), verdict) in gives.iter().zip(verdicts) {
                details.guess {
                    summary { "The change is " (amount(*thousandths)) " LAB for " (owner) }
                    p { (verdict) }
                }
            }
            details.guess { summary { "What there is to learn" } p { (lesson) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::snapshot;

    #[test]
    fn the_page_is_as_reviewed() {
        snapshot("learn_change", &render());
    }

    #[test]
    fn every_payment_leaves_a_small_fee() {
        for Sight { title, takes, gives, .. } in &SIGHTS {
            let sum = |ends: &[(&str, u64)]| ends.iter().map(|(_, thousandths)| thousandths).sum::<u64>();
            assert_eq!(sum(takes) - sum(gives), 1, "{title}");
        }
    }
}
