//! Tales of money as lines for people.

use super::{LineFormatter, SHOWN};
use crate::event::{Income, NamedAddress, RunEvent, Started};
use crate::money_proof::{MoneyProof, PaymentCounts};
use crate::numbers::{lab, plural, rate};
use runtime::printable::line;

impl LineFormatter {
    /// A tale of payments; nothing for others.
    pub(super) fn money(&self, event: &RunEvent) -> String {
        let grains = |amount: &shared::ledger::Amount| lab(u128::from(amount.grains()));
        match event {
            RunEvent::Payment { from, to, amount, msg, .. } => {
                let line = format!("{} pays {} {} {msg}", self.name(from), self.name(to), grains(amount));
                line.trim_end().to_owned()
            }
            RunEvent::Payments { count, amount, refused } => {
                let refused = if *refused > 0 { format!("; {refused} refused") } else { String::new() };
                let more = plural(*count, "more payment");
                self.dim(&format!("and {more}, {} together{refused}", lab(*amount)))
            }
            RunEvent::Refused { from, to, amount, reason } => {
                format!("{} cannot pay {} {}: {reason}", self.name(from), self.name(to), grains(amount))
            }
            RunEvent::GivenUp { count, reason } => {
                format!("the mempool gave up {}: {}", plural(*count, "payment"), given_up(reason))
            }
            RunEvent::Returned { count: 1 } => "1 payment waits again, after blocks were left".to_owned(),
            RunEvent::Returned { count } => format!("{count} payments wait again, after blocks were left"),
            RunEvent::Confirmed { block, payments, amount, miner, earned } => {
                let earns = format!("{} earns {}", self.name(miner), lab(u128::from(*earned)));
                match payments {
                    0 => format!("block {} has no payments; {earns}", self.block(block)),
                    _ => {
                        let payments = format!("{} of {}", plural(*payments, "payment"), lab(*amount));
                        format!("block {} confirms {payments}; {earns}", self.block(block))
                    }
                }
            }
            _ => String::new(),
        }
    }

    /// Who has wallets.
    pub(super) fn members(&self, started: &Started) -> Vec<String> {
        let names = |members: &[NamedAddress]| {
            let mut shown: Vec<String> = members.iter().take(SHOWN).map(|member| member.name.clone()).collect();
            let more = members.len() - shown.len();
            shown.extend((more > 0).then(|| format!("{more} more")));
            self.list(&shown)
        };
        let Some((first, _)) = started.members.split_first() else { return Vec::new() };
        if let Some(income) = started.income {
            return found(first, names(&started.members), payments(started.rate), income);
        }
        let (miners, others) = started.members.split_at(started.nodes.len().min(started.members.len()));
        let rate = payments(started.rate);
        let mine = if miners.len() == 1 { "mines" } else { "mine" };
        let others = match others.len() {
            0 => String::new(),
            1 => format!(", {} does not", names(others)),
            _ => format!(", {} do not", names(others)),
        };
        vec![format!("  members  {} {mine}{others}; {rate}", names(miners)), keys(first)]
    }

    /// Where all money is.
    pub(super) fn proof(&self, money: &MoneyProof) -> Vec<String> {
        let PaymentCounts { accepted, confirmed, pending, given_up, refused, forgotten } = &money.members;
        if let Some(fault) = &money.fault {
            return vec![self.bad(&format!("  money       NOT proven: {}", line(fault)))];
        }
        let height = money.block.map_or(0, |block| block.index.0);
        let given = match money.given {
            0 => String::new(),
            given => format!(" and {} given to new addresses", lab(given)),
        };
        let mut lines = vec![
            format!(
                "  money       {} and {} replayed from each node's chain: {} {},",
                plural(height, "block"),
                plural(money.payments, "payment"),
                holding(money.addresses),
                lab(money.held)
            ),
            format!(
                "              {} the {} of rewards{given}; the mempool says the same of each",
                self.good("exactly"),
                lab(money.created)
            ),
        ];
        let mut settled = vec![format!("{confirmed} confirmed"), format!("{pending} pending")];
        settled.extend(
            given_up.iter().map(|(reason, count)| format!("{count} given up ({})", line(given_up_short(reason)))),
        );
        if *forgotten > 0 {
            settled.push(format!("{forgotten} too long ago to be looked for"));
        }
        let refused = if *refused > 0 { format!("; {refused} refused") } else { String::new() };
        lines.push(format!("  payments    {accepted} accepted: {}{refused}", settled.join(", ")));
        lines
    }
}

/// How often the members pay.
fn payments(rate: u32) -> String {
    match rate {
        0 => "nobody pays".to_owned(),
        rate => format!("{} a second", plural(u64::from(rate), "payment")),
    }
}

/// How anybody can pay as one of them.
fn keys(first: &NamedAddress) -> String {
    let key = first.name.to_lowercase();
    format!("           their keys are made of their names (user send 1 ben -s {key}): for exercises only")
}

/// The members of a network that was found: nobody mines for them there.
fn found(first: &NamedAddress, names: String, payments: String, income: Income) -> Vec<String> {
    let income = match income {
        Income::Given(grains) => vec![format!("whoever is new has {} on this network", lab(u128::from(grains)))],
        Income::Mined(hashrate) => {
            vec![format!("the simulator mines for them, {}; nobody pays before it finds a block", rate(hashrate))]
        }
        Income::None => vec![
            "they have nothing until somebody gives them some, or mines for one of them:".to_owned(),
            format!("node --miner {}", first.address),
        ],
    };
    let income = income.into_iter().map(|line| format!("           {line}"));
    [format!("  members  {names}; {payments}")].into_iter().chain(income).chain([keys(first)]).collect()
}

fn holding(count: u64) -> String {
    if count == 1 { "1 address holds".to_owned() } else { format!("{count} addresses hold") }
}

/// A mempool's reasons in words (docs/protocol.md §11).
fn given_up(reason: &str) -> &str {
    match reason {
        "outbid" => "it is full, and others pay more",
        "expired" => "no block had room for too long",
        "not-covered" => "the payer has not enough any more",
        other => other,
    }
}

fn given_up_short(reason: &str) -> &str {
    match reason {
        "not-covered" => "not covered any more",
        other => other,
    }
}
