//! What an attacker does, and what becomes of it.

use serde::Serialize;
use shared::ledger::{Amount, Transaction};

/// A step of an attack. People are given by their names, amounts in grains.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum AttackStep {
    /// The attacker mines, so far as everybody does.
    Begins {
        attacker: String,
        /// As it was given: `selfish:0.35`.
        strategy: String,
        /// Of all hash rate.
        share: f64,
        /// Hashes per second.
        hashrate: u64,
        /// The confirmations that the victim waits for; only of a thief.
        #[serde(skip_serializing_if = "Option::is_none")]
        confirmations: Option<u32>,
        /// The exact chance that a theft succeeds; only of a thief.
        #[serde(skip_serializing_if = "Option::is_none")]
        chance: Option<f64>,
    },
    /// The attacker has paid for something. `payment` is told before this step.
    Paid {
        attacker: String,
        victim: String,
        amount: Amount,
        confirmations: u32,
        #[serde(skip)]
        payment: Box<Transaction>,
    },
    /// The attacker has found a block and keeps it. `secret` and `public` are the lengths of the two branches.
    Kept { attacker: String, height: u64, secret: u64, public: u64 },
    /// The payment has enough confirmations.
    HandedOver { victim: String, confirmations: u64 },
    /// The attacker publishes blocks that it has kept.
    Published { attacker: String, blocks: u64 },
    /// The payment is gone. `enough` confirmations would have made the chance of that less than 1 %; `None` where no
    /// number does.
    Stole { attacker: String, victim: String, amount: Amount, enough: Option<u32> },
    /// The attacker's branch is too far behind.
    GaveUp { attacker: String, secret: u64, public: u64 },
}
