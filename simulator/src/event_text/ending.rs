//! The last lines of a run: why it ends, and the report.

use super::{LineFormatter, block_text};
use crate::money_proof::{MoneyProof, PaymentCounts};
use crate::numbers::{grouped, lab, plural};
use crate::report::RunReport;
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
        lines.push(format!("  checked     {}", self.checked(report)));
        lines.extend(report.money.iter().flat_map(|money| self.money_proof(money)));
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

    fn money_proof(&self, money: &MoneyProof) -> Vec<String> {
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
        vec![
            format!(
                "  money       {} and {} replayed from each node's chain: {hold} {},",
                plural(height, "block"),
                plural(money.payments, "payment"),
                lab(money.held)
            ),
            format!(
                "              {} the {} of rewards{given}; the mempool reports the same balances",
                self.good("exactly"),
                lab(money.created)
            ),
            payment_counts(&money.members),
        ]
    }
}

fn payment_counts(counts: &PaymentCounts) -> String {
    let PaymentCounts { accepted, confirmed, pending, given_up, refused, forgotten } = counts;
    let mut outcomes = vec![format!("{confirmed} confirmed"), format!("{pending} pending")];
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
