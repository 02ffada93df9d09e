//! Why the pool does not take a transaction, and why it lets one go.

use super::Pending;
use crate::ledger::{Address, Amount, TransactionId};

/// The policy of the pool, in the order in which it is checked: the cheapest first (docs/protocol.md §11).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// It waits already.
    #[error("{0} is pending already")]
    Known(TransactionId),
    /// It pays too little to be passed on.
    #[error("fee {fee} LAB is below the least that this mempool passes on, {least} LAB")]
    BelowMinFee {
        /// What it pays.
        fee: Amount,
        /// What it should pay at least.
        least: Amount,
    },
    /// It fits into no block.
    #[error("the transaction has {bytes} bytes of JSON, and a block has room for {limit}: shorten msg")]
    TooLarge {
        /// The length of its JSON.
        bytes: usize,
        /// What there is room for.
        limit: usize,
    },
    /// The confirmed balance does not cover the sender's pending transactions and this.
    #[error(
        "{sender} has {balance} LAB confirmed, of which {pending} LAB are spent by pending transactions: too little for {cost} LAB (amount and fee)"
    )]
    Overspend {
        /// Who pays.
        sender: Address,
        /// The sender's confirmed balance.
        balance: Amount,
        /// What the sender's pending transactions cost together.
        pending: Amount,
        /// What this costs.
        cost: Amount,
    },
    /// The sender has its share of the pool.
    #[error("{sender} has {limit} pending transactions, as many as one sender may: wait until some are confirmed")]
    TooManyOfSender {
        /// Who pays.
        sender: Address,
        /// Most pending transactions of one sender.
        limit: usize,
    },
    /// There is no room, and this pays no more per byte than what would have to leave for it.
    #[error("the pool is full, and for {bytes} bytes {fee} LAB is too low a fee now: {least} LAB would do, or wait")]
    Full {
        /// The length of its JSON.
        bytes: usize,
        /// What it pays.
        fee: Amount,
        /// The smallest fee that would make room.
        least: Amount,
    },
}

impl AdmissionError {
    /// The rule that is broken, stable, for programs: `rule` in problem+json, with status 422.
    ///
    /// `None` where the transaction itself is fine: it is known (200), or there is no room for it now (503).
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::BelowMinFee { .. } => Some("min-fee"),
            Self::TooLarge { .. } => Some("size"),
            Self::Overspend { .. } => Some("balance"),
            Self::Known(_) | Self::TooManyOfSender { .. } | Self::Full { .. } => None,
        }
    }
}

/// Why a pending transaction left the pool without being in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvictionReason {
    /// The pool was full, and another paid more per byte.
    Outbid,
    /// It waited for too long.
    Expired,
    /// The sender's balance does not cover it any more, and too many such wait already for what they spend to come back.
    NotCovered,
}

impl EvictionReason {
    /// The reason in one word, stable, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbid => "outbid",
            Self::Expired => "expired",
            Self::NotCovered => "not-covered",
        }
    }
}

/// A transaction that left the pool without being in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evicted {
    /// What left.
    pub pending: Pending,
    /// Why.
    pub reason: EvictionReason,
}

/// What a change of the chain moved in the pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolChanges {
    /// What is pending again.
    pub returned: Vec<Pending>,
    /// What left.
    pub evicted: Vec<Evicted>,
}
