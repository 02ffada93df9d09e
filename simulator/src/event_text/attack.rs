//! Attacks as lines for people.

use super::LineFormatter;
use crate::event::AttackStep;
use crate::numbers::{lab, plural, rate};
use shared::ledger::Amount;

impl LineFormatter {
    /// The line of a step of an attack.
    pub(super) fn attack(&self, step: &AttackStep) -> String {
        let money = |amount: &Amount| lab(u128::from(amount.grains()));
        match step {
            AttackStep::Begins { attacker, strategy, share, hashrate, confirmations, chance } => {
                let strategy = strategy.split(':').next().unwrap_or_default();
                let name = self.strong(attacker);
                let power = format!("{:.0} % of the hash rate, {}", share * 100.0, rate(*hashrate));
                let chance = match (confirmations, chance) {
                    (Some(confirmations), Some(chance)) => {
                        let confirmations = plural(u64::from(*confirmations), "confirmation");
                        format!(
                            "; a theft from somebody who waits for {confirmations} succeeds in {}",
                            percent(*chance)
                        )
                    }
                    _ => String::new(),
                };
                format!("{name} attacks: {strategy} with {power}{chance}")
            }
            AttackStep::Paid { attacker, victim, amount, confirmations, .. } => {
                let confirmations = plural(u64::from(*confirmations), "confirmation");
                let (attacker, amount) = (self.strong(attacker), money(amount));
                format!("{victim} waits for {confirmations} before {attacker} gets the bicycle for {amount}")
            }
            AttackStep::Kept { attacker, height, secret, public } => {
                let attacker = self.strong(attacker);
                format!("{attacker} found block {height} and keeps it secret: {secret} secret, {public} public")
            }
            AttackStep::HandedOver { victim, confirmations } => {
                let confirmations = plural(*confirmations, "confirmation");
                format!("{victim} sees {confirmations} and hands the bicycle over")
            }
            AttackStep::Published { attacker, blocks } => {
                format!("{} publishes {}", self.strong(attacker), plural(*blocks, "block"))
            }
            AttackStep::Stole { attacker, victim, amount, enough } => {
                let advice = match enough {
                    Some(enough) => format!("with {enough} confirmations the chance would have been below 1 %"),
                    None => "no number of confirmations helps against more than half of the hash rate".to_owned(),
                };
                let gone = self.bad(&format!("the payment of {} is gone:", money(amount)));
                format!("{gone} {attacker} has the bicycle, and {victim} has nothing; {advice}")
            }
            AttackStep::GaveUp { attacker, secret, public } => {
                let branches = format!("{secret} secret against {public} public blocks");
                format!("{} gives up: {branches}; {}", self.strong(attacker), self.good("the payment stands"))
            }
        }
    }
}

fn percent(chance: f64) -> String {
    match chance * 100.0 {
        percent if percent >= 99.95 => "practically every case".to_owned(),
        percent if percent < 0.1 => "less than 1 of 1000 cases".to_owned(),
        percent => format!("{percent:.1} of 100 cases"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theft_is_told_as_a_story() {
        let lines = LineFormatter::new(&[], &[], false);
        let (attacker, victim) = ("Mallory".to_owned(), "Ben".to_owned());
        let amount = Amount::new(30 * Amount::GRAINS_PER_LAB).unwrap();
        let told = |step: AttackStep| lines.attack(&step);
        let begins = AttackStep::Begins {
            attacker: attacker.clone(),
            strategy: "double-spend:0.3,confirmations=2".to_owned(),
            share: 0.3,
            hashrate: 50_000,
            confirmations: Some(2),
            chance: Some(0.274),
        };
        assert!(told(begins).contains("double-spend with 30 % of the hash rate"));
        let paid = AttackStep::Paid {
            attacker: attacker.clone(),
            victim: victim.clone(),
            amount,
            confirmations: 2,
            payment: Box::new(crate::event::transaction("mallory", "ben", "30", "for a bicycle")),
        };
        assert_eq!(told(paid), "Ben waits for 2 confirmations before Mallory gets the bicycle for 30 LAB");
        let stole = |enough| AttackStep::Stole { attacker: attacker.clone(), victim: victim.clone(), amount, enough };
        assert!(told(stole(Some(9))).contains("with 9 confirmations the chance would have been below 1 %"));
        assert!(told(stole(None)).contains("more than half"));
        let gave_up = AttackStep::GaveUp { attacker, secret: 1, public: 7 };
        assert_eq!(told(gave_up), "Mallory gives up: 1 secret against 7 public blocks; the payment stands");
        assert_eq!([percent(1.0), percent(0.274), percent(0.0001)].map(|text| text.len()), [22, 17, 25]);
    }
}
