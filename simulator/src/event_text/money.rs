//! Events about payments as lines for people.

use super::{LineFormatter, block_text};
use crate::event::{RunEvent, SpentCoins};
use crate::numbers::{lab, lab_in_short, plural};
use shared::ledger::Amount;

impl LineFormatter {
    /// The line of an event about payments; empty for other events.
    pub(super) fn money(&self, event: &RunEvent) -> String {
        let grains = |amount: &Amount| lab(u128::from(amount.grains()));
        match event {
            RunEvent::Payment { from, to, amount, msg, fee, coins, .. } => {
                let line = format!("{} pays {} {} {msg}", self.name(from), self.name(to), grains(amount));
                let coins = coins.as_ref().map(|coins| self.dim(&spent_coins(coins, *fee))).unwrap_or_default();
                format!("{}{coins}", line.trim_end())
            }
            RunEvent::Coins { from, spent: 1, made, amount, .. } => {
                format!("{} splits a coin of {} into {made}", self.name(from), lab(*amount))
            }
            RunEvent::Coins { from, spent, made, amount, .. } => {
                let (spent, made) = (plural(*spent, "coin"), plural(*made, "coin"));
                format!("{} makes {made} of {spent}, {} in all", self.name(from), lab(*amount))
            }
            RunEvent::Call { from, does, program, .. } => {
                format!("{} {does} program {}", self.name(from), self.strong(program))
            }
            RunEvent::Payments { count, amount, refused } => {
                let refused = if *refused > 0 { format!("; {refused} refused") } else { String::new() };
                let more = plural(*count, "more payment");
                self.dim(&format!("and {more}, {} in all{refused}", lab(*amount)))
            }
            RunEvent::Refused { from, to, amount, reason } => {
                format!("{} cannot pay {} {}: {reason}", self.name(from), self.name(to), grains(amount))
            }
            RunEvent::GivenUp { count, reason } => {
                format!("the mempool dropped {}: {}", plural(*count, "payment"), drop_reason(reason))
            }
            RunEvent::Returned { count: 1 } => "1 payment waits again: its block was undone".to_owned(),
            RunEvent::Returned { count } => format!("{count} payments wait again: their blocks were undone"),
            RunEvent::Confirmed { block, payments, amount, miner, earned } => {
                let earns = format!("{} earns {}", self.name(miner), lab_in_short(u128::from(*earned)));
                match payments {
                    0 => format!("{} has no payments; {earns}", block_text(block)),
                    _ => {
                        let payments = plural(*payments, "payment");
                        format!("{} confirms {payments}, {} in all; {earns}", block_text(block), lab(*amount))
                    }
                }
            }
            _ => String::new(),
        }
    }
}

/// The coins of a payment, after the words about the payment.
fn spent_coins(SpentCoins { spent, change, replaces }: &SpentCoins, fee: Amount) -> String {
    let again = match replaces {
        true => format!(", again, now for a fee of {}", lab(u128::from(fee.grains()))),
        false => String::new(),
    };
    let back = match *change {
        Amount::ZERO => "no change".to_owned(),
        change => format!("{} back", lab(u128::from(change.grains()))),
    };
    format!(" ({}, {back}{again})", plural(*spent, "coin"))
}

/// A mempool's reasons in words (docs/protocol.md §11).
fn drop_reason(reason: &str) -> &str {
    match reason {
        "outbid" => "the mempool is full, and others pay a higher fee",
        "replaced" => "the same coins pay for another one with a higher fee",
        "expired" => "no block took it in time",
        "not-covered" => "the payer no longer has enough money",
        other => other,
    }
}
