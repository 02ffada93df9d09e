//! The last lines of a run: why it ends, and the report.

use super::{LineFormatter, block_text};
use crate::attacker_options::NAME;
use crate::money_proof::{MoneyProof, PaymentCounts};
use crate::numbers::{grouped, lab, plural};
use crate::report::{RunReport, TheftCounts};
use runtime::sanitize::line;

impl LineFormatter {
    pub(super) fn ending(&self, reason: &str) -> String {
        match self.has_money {
            true => format!("{reason}; no more payments; do all nodes agree, and is all money accounted for?"),
            false => format!("{reason}; do all nodes agree?"),
        }
    }

    pub(super) fn report(&self, report: &RunReport) -> String {
        let mut lines = vec![String::new()];
        let verdict = match report.tip {
            Some(tip) if report.agreed => {
                let all = match self.present {
                    1 => "the only node is".to_owned(),
                    nodes => format!("all {nodes} nodes agree"),
                };
                format!("{} on {}", self.good(&all), block_text(&tip))
            }
            _ if report.branches.is_empty() => self.bad("no node answers"),
            _ => self.bad(&format!("the nodes do NOT agree: {}", self.branches(&report.branches))),
        };
        lines.push(format!("after {:.1} s and {}: {verdict}", report.seconds, plural(report.blocks, "block")));
        let found = report.found.iter().map(|found| format!("{} {}", self.name(&found.node), found.blocks));
        lines.push(format!("  found by    {}", found.collect::<Vec<_>>().join(", ")));
        let interval = report.interval_ms.map_or("-".to_owned(), |ms| format!("{:.2} s", ms as f64 / 1000.0));
        let aim = report.interval_aimed_at_ms as f64 / 1000.0;
        lines.push(format!("  interval    {interval} between blocks on average; the aim was {aim:.2} s"));
        if let (Some(first), Some(last)) = (report.difficulty_first, report.difficulty_last) {
            lines.push(format!("  difficulty  {} at the first block, {} at the last", grouped(first), grouped(last)));
        }
        let deepest = match report.deepest_reorganisation {
            0 => String::new(),
            depth => format!(" (the deepest undid {})", plural(depth, "block")),
        };
        lines.push(format!(
            "  forks       {}, {}{deepest}, {}",
            plural(report.forks, "fork"),
            plural(report.reorganisations, "reorganisation"),
            plural(report.stale, "stale block")
        ));
        lines.extend(report.thefts.iter().map(thefts));
        lines.push(format!("  checked     {}", self.checked(report)));
        lines.extend(report.money.iter().flat_map(|money| self.money_proof(money, report.reorganisations > 0)));
        if report.failed_services > 0 {
            lines.push(self.bad(&format!("  {} failed", plural(report.failed_services, "service"))));
        }
        lines.join("\n")
    }

    fn checked(&self, report: &RunReport) -> String {
        let checked = plural(report.checked, "block");
        let mut text = match report.bad {
            0 => format!("{checked}: every hash recomputed, every proof of work and every link to the parent is valid"),
            bad => self.bad(&format!("{checked} recomputed, {bad} of them BAD")),
        };
        if report.unchecked > 0 {
            text.push_str(&format!("; {} could not be fetched", report.unchecked));
        }
        text
    }

    /// `was_reorganised` if blocks were undone during the run.
    fn money_proof(&self, money: &MoneyProof, was_reorganised: bool) -> Vec<String> {
        if let Some(fault) = &money.fault {
            return vec![self.bad(&format!("  money       NOT proven: {}", line(fault)))];
        }
        let height = money.block.map_or(0, |block| block.index.0);
        let hold = match money.addresses {
            1 => "1 address holds".to_owned(),
            count => format!("{count} addresses hold"),
        };
        let given = match money.given {
            0 => String::new(),
            given => format!(" and {} given to new addresses", lab(given)),
        };
        let mut lines = vec![
            format!(
                "  money       {} and {}{} replayed from each node's chain: {hold} {},",
                plural(height, "block"),
                plural(money.payments, "payment"),
                by_others(money),
                lab(money.held)
            ),
            format!(
                "              {} the {} of rewards{given}; the mempool reports the same balances",
                self.good("exactly"),
                lab(money.created)
            ),
            payment_counts(&money.members, was_reorganised),
        ];
        if money.coins > 0 {
            let coins = plural(money.coins, "unspent coin");
            lines.push(format!("  coins       {coins}; the mempool reports the same, each by name, owner and amount"));
        }
        if money.programs > 0 {
            let (programs, slots) = (plural(money.programs, "program"), plural(money.slots, "slot"));
            let run = "every call run again by another machine";
            lines.push(format!(
                "  programs    {run}: {programs} with {slots}, tokens among them, as the mempool reports"
            ));
        }
        lines
    }
}

/// The thefts of the run, and how they ended.
fn thefts(TheftCounts { tried, managed, given_up }: &TheftCounts) -> String {
    let open = match tried.saturating_sub(managed + given_up) {
        0 => String::new(),
        open => format!(", {open} not decided when the run ended"),
    };
    format!("  theft       {NAME} tried {}: {managed} managed, {given_up} given up{open}", plural(*tried, "theft"))
}

/// The payments in the chain that no member of this run made, so that the counts add up.
fn by_others(money: &MoneyProof) -> String {
    match money.payments.saturating_sub(money.members.confirmed) {
        0 => String::new(),
        others => format!(" ({others} by others, or too old to be counted below)"),
    }
}

fn payment_counts(counts: &PaymentCounts, was_reorganised: bool) -> String {
    let PaymentCounts { accepted, confirmed, pending, uncovered, lost_rewards, given_up, refused, forgotten } = counts;
    let cause = |payer: &String| match lost_rewards.get(payer).map(Vec::as_slice) {
        Some([height]) => format!("{}'s reward for block {height} was undone, so {payer} cannot pay", line(payer)),
        Some(heights) => {
            let heights: Vec<String> = heights.iter().map(u64::to_string).collect();
            format!("{}'s rewards for blocks {} were undone, so {payer} cannot pay", line(payer), heights.join(", "))
        }
        None if was_reorganised => format!("{} cannot pay: a payment that {payer} got was undone", line(payer)),
        None => format!("{} does not have the money", line(payer)),
    };
    let mut reasons: Vec<String> =
        uncovered.iter().map(|(payer, count)| format!("{count} by {}: {}", line(payer), cause(payer))).collect();
    match pending.saturating_sub(uncovered.values().sum()) {
        0 => {}
        rest if reasons.is_empty() && rest == *pending => reasons.push("no block has taken them yet".to_owned()),
        rest => reasons.push(format!("{rest} that no block has taken yet")),
    }
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
    let mut outcomes = vec![format!("{confirmed} confirmed"), format!("{pending} pending{reasons}")];
    let given_up = given_up.iter().map(|(reason, count)| {
        let reason = if reason == "not-covered" { "the payer lacks the money" } else { reason };
        format!("{count} dropped ({})", line(reason))
    });
    outcomes.extend(given_up);
    if *forgotten > 0 {
        outcomes.push(format!("{forgotten} too old to be looked up"));
    }
    let refused = if *refused > 0 { format!("; {refused} refused") } else { String::new() };
    format!("  payments    {accepted} accepted: {}{refused}", outcomes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_pending_is_explained() {
        let counts = PaymentCounts {
            accepted: 12,
            confirmed: 9,
            pending: 3,
            uncovered: BTreeMap::from([("Ben".to_owned(), 3)]),
            ..PaymentCounts::default()
        };
        let lost_rewards = BTreeMap::from([("Ben".to_owned(), vec![2])]);
        let said = payment_counts(&PaymentCounts { lost_rewards, ..counts.clone() }, true);
        let reason = "3 pending (3 by Ben: Ben's reward for block 2 was undone, so Ben cannot pay)";
        assert!(said.contains(reason), "{said}");
        let said = payment_counts(&counts, true);
        assert!(said.contains("Ben cannot pay: a payment that Ben got was undone"), "{said}");
        let said = payment_counts(&PaymentCounts { pending: 5, ..counts.clone() }, true);
        assert!(said.contains("was undone; 2 that no block has taken yet)"), "{said}");
        let said = payment_counts(&PaymentCounts { uncovered: BTreeMap::new(), ..counts }, true);
        assert!(said.contains("3 pending (no block has taken them yet)") && !said.contains("cannot"), "{said}");
    }

    #[test]
    fn thefts_and_their_ends_are_counted() {
        let said = thefts(&TheftCounts { tried: 3, managed: 1, given_up: 1 });
        assert!(said.ends_with("tried 3 thefts: 1 managed, 1 given up, 1 not decided when the run ended"), "{said}");
        let said = thefts(&TheftCounts { tried: 1, managed: 0, given_up: 1 });
        assert!(said.ends_with("tried 1 theft: 0 managed, 1 given up"), "{said}");
    }

    #[test]
    fn payments_of_others_are_named_so_that_the_counts_add_up() {
        let members = PaymentCounts { confirmed: 9, ..PaymentCounts::default() };
        let money = MoneyProof { payments: 11, members, ..MoneyProof::default() };
        assert!(by_others(&money).contains("2 by others"));
        assert_eq!(by_others(&MoneyProof { payments: 9, ..money }), "");
    }
}
