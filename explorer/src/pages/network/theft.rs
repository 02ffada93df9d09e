//! The drawer "Try to steal": before a theft the exact table of its chances, whose cells start one; then how it stands;
//! and afterwards how it ended, and what would have prevented it.

use super::words::{counted, duration};
use crate::stage::scene::Scene;
use crate::stage::standing::Standing;
use crate::thefts::{CONFIRMATIONS, GIVE_UP, PERCENTS, Theft, TheftChoice, TheftNews, TheftStep};
use crate::view::money;
use maud::{Markup, html};
use shared::ledger::Amount;

/// The button beside "Split the network"; nothing where thefts cannot be started.
pub(super) fn button(scene: &Scene) -> Markup {
    html! {
        @if scene.thefts.is_some() {
            @if can_steal(scene) {
                // Enabled by the script, which it needs.
                button.steal type="button" data-steal="open" aria-controls="theft-drawer" disabled { "Try to steal" }
            } @else {
                button.steal type="button" title="Possible once a node answers" disabled { "Try to steal" }
            }
        }
    }
}

/// Without nodes there is nobody to pay, and no chain to replace.
fn can_steal(scene: &Scene) -> bool {
    !matches!(scene.standing, Standing::Nobody)
}

/// What the drawer shows. `data-shown` opens it while a theft goes on.
pub(super) fn draw(scene: &Scene) -> Markup {
    let interval_ms = scene.params.block_interval_ms;
    scene.thefts.as_ref().map(|thefts| drawer(thefts, interval_ms, can_steal(scene))).unwrap_or_default()
}

fn drawer(thefts: &TheftNews, interval_ms: u64, is_possible: bool) -> Markup {
    let last = thefts.last.as_ref();
    let is_going_on = last.is_some_and(|theft| !theft.step.is_over());
    html! {
        section.theft aria-label="A theft" data-shown[is_going_on] {
            @match last {
                Some(theft) if is_going_on => (progress(thefts, theft)),
                Some(theft) => { (outcome(thefts, theft)) (table(thefts, interval_ms, is_possible)) }
                None => (table(thefts, interval_ms, is_possible)),
            }
        }
    }
}

fn table(thefts: &TheftNews, interval_ms: u64, is_possible: bool) -> Markup {
    let (attacker, victim) = (&*thefts.attacker, &*thefts.victim);
    let takes = |confirmations: u32| duration(interval_ms.saturating_mul(u64::from(confirmations)));
    html! {
        div.theft-head {
            p { b { "Can " (attacker) " pay for a bicycle and keep the money?" } " " (attacker) " pays " (victim)
                " in public, and in secret mines a branch in which the money goes elsewhere. " (victim)
                " waits for confirmations before handing the bicycle over. Then, if the secret branch is longer, \
                it is published, and the payment is gone; " (attacker) " gives up when " (GIVE_UP)
                " blocks behind. Each cell is the exact chance of success. Press one to try it." }
            button.quiet type="button" data-steal="close" { "Close" }
        }
        div.scroll { table.chances {
            thead { tr {
                th scope="col" { (attacker) " has" }
                @for confirmations in CONFIRMATIONS {
                    th scope="col" { (counted(confirmations as usize, "confirmation"))
                        small { " about " (takes(confirmations)) } }
                }
            } }
            tbody { @for percent in PERCENTS { tr {
                th scope="row" { (percent) " % of the hash rate" }
                @for confirmations in CONFIRMATIONS {
                    @let choice = TheftChoice { percent, confirmations };
                    td { button type="button" data-steal=[is_possible.then_some("start")] data-percent=(percent)
                        data-confirmations=(confirmations) disabled { (percentage(choice.chance())) } }
                }
            } } }
        } }
        p #theft-result role="status" { @if !is_possible { "No node answers: a theft is possible once one does." } }
    }
}

fn progress(thefts: &TheftNews, Theft { choice, step }: &Theft) -> Markup {
    let (attacker, victim) = (&*thefts.attacker, &*thefts.victim);
    let waits = format!("{victim} waits for {}", counted(choice.confirmations as usize, "confirmation"));
    html! {
        h2 { (attacker) " tries to steal, with " (choice.percent) " % of the hash rate" }
        p.theft-step role="status" {
            @match step {
                TheftStep::Earning => { (attacker) " mines honestly until there is money for a bicycle." }
                TheftStep::Paid { amount } => {
                    (attacker) " has paid " (lab(*amount)) ", and mines a secret branch without this payment. "
                    (waits) "."
                }
                TheftStep::Race { secret, public, handed_over } => {
                    (counted(*secret as usize, "secret block")) " against " (counted(*public as usize, "public block"))
                    ". "
                    @if *handed_over { (victim) " has handed the bicycle over." } @else { (waits) "." }
                }
                TheftStep::Stole { .. } | TheftStep::GaveUp { .. } | TheftStep::Failed { .. } => {}
            }
        }
        p.muted { "The chance of success is " (percentage(choice.chance())) "." }
    }
}

fn outcome(thefts: &TheftNews, Theft { choice, step }: &Theft) -> Markup {
    let (attacker, victim) = (&*thefts.attacker, &*thefts.victim);
    let waited = counted(choice.confirmations as usize, "confirmation");
    html! {
        @match step {
            TheftStep::Stole { amount } => {
                h2.stolen { "Stolen: the payment of " (lab(*amount)) " is gone." }
                p { (victim) " waited for " (waited) " and handed the bicycle over; " (attacker)
                    " has both. The chance of that was " (percentage(choice.chance())) ". "
                    @match choice.enough() {
                        Some(enough) => { "With " (counted(enough as usize, "confirmation"))
                            " it would have been below 1 %." }
                        None => "No number of confirmations helps against more than half of the hash rate."
                    } }
            }
            TheftStep::GaveUp { secret, public } => {
                h2.stands { "The payment stands: " (attacker) " gave up." }
                p { (counted(*secret as usize, "secret block")) " against " (counted(*public as usize, "public block"))
                    " were too few. " (victim) " waited for " (waited) "; the chance of a theft was "
                    (percentage(choice.chance())) "." }
            }
            TheftStep::Failed { reason } => {
                h2 { "The theft could not go on." }
                p { (reason) }
            }
            TheftStep::Earning | TheftStep::Paid { .. } | TheftStep::Race { .. } => {}
        }
    }
}

fn lab(amount: Amount) -> String {
    let (whole, decimals, _) = money(amount.grains());
    if decimals == "00" { format!("{whole} LAB") } else { format!("{whole}.{decimals} LAB") }
}

/// A chance in per cent, without digits that promise too much.
fn percentage(chance: f64) -> String {
    match chance * 100.0 {
        percent if percent >= 99.95 => "nearly 100 %".to_owned(),
        percent if percent < 0.01 => "below 0.01 %".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2} %"),
        percent => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(step: Option<TheftStep>, percent: u32) -> String {
        drawn_if(step, percent, true)
    }

    fn drawn_if(step: Option<TheftStep>, percent: u32, is_possible: bool) -> String {
        let choice = TheftChoice { percent, confirmations: 2 };
        let last = step.map(|step| Theft { choice, step });
        let thefts = TheftNews { attacker: "Mallory".into(), victim: "Ben".into(), last };
        drawer(&thefts, 5000, is_possible).into_string()
    }

    #[test]
    fn without_a_node_the_table_is_shown_but_starts_nothing() {
        let page = drawn_if(None, 0, false);
        assert!(page.contains("No node answers") && page.contains("23.3 %"), "{page}");
        assert!(!page.contains("data-steal=\"start\""), "the script enables what has this attribute: {page}");
    }

    #[test]
    fn the_exact_table_is_shown_before_and_each_cell_starts_a_theft() {
        let page = drawn(None, 0);
        assert_eq!(page.matches("data-steal=\"start\"").count(), 20);
        let cell = "data-percent=\"30\" data-confirmations=\"2\" disabled>";
        let (_, after) = page.split_once(cell).unwrap();
        let chance = TheftChoice { percent: 30, confirmations: 2 }.chance();
        assert!(after.starts_with(&percentage(chance)), "{after}");
        assert!(page.contains("about 10 s") && !page.contains("data-shown"), "{page}");
    }

    #[test]
    fn a_theft_that_goes_on_is_told_and_no_other_one_can_be_started() {
        let amount = Amount::new(30 * Amount::GRAINS_PER_LAB).unwrap();
        assert!(drawn(Some(TheftStep::Earning), 30).contains("mines honestly until there is money"));
        assert!(drawn(Some(TheftStep::Paid { amount }), 30).contains("Mallory has paid 30 LAB"));
        let race = drawn(Some(TheftStep::Race { secret: 1, public: 2, handed_over: true }), 30);
        assert!(race.contains("1 secret block against 2 public blocks. Ben has handed the bicycle over."), "{race}");
        assert!(race.contains("data-shown") && !race.contains("data-steal=\"start\""), "{race}");
    }

    #[test]
    fn the_outcome_names_what_would_have_prevented_it() {
        let amount = Amount::new(30 * Amount::GRAINS_PER_LAB).unwrap();
        let enough = TheftChoice { percent: 30, confirmations: 2 }.enough().unwrap();
        let stolen = drawn(Some(TheftStep::Stole { amount }), 30);
        assert!(stolen.contains("the payment of 30 LAB is gone"), "{stolen}");
        assert!(stolen.contains(&format!("With {enough} confirmations it would have been below 1 %.")), "{stolen}");
        assert!(drawn(Some(TheftStep::Stole { amount }), 60).contains("No number of confirmations helps"));
        let stands = drawn(Some(TheftStep::GaveUp { secret: 0, public: 10 }), 30);
        assert!(stands.contains("no secret blocks against 10 public blocks were too few."), "{stands}");
        assert_eq!(stands.matches("data-steal=\"start\"").count(), 20, "and one can try again");
    }

    #[test]
    fn chances_are_rounded_and_never_certain() {
        let texts = [1.0, 0.9993, 0.2741, 0.0099, 0.000_01].map(percentage);
        assert_eq!(texts, ["nearly 100 %", "99.9 %", "27.4 %", "0.99 %", "below 0.01 %"]);
    }
}
