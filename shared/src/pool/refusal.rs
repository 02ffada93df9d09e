//! Why the pool refuses or evicts a transaction.

use super::Pending;
use crate::ledger::{Address, Amount, CoinName, TransactionId};

/// The policy of the pool, in the order in which it is checked: the cheapest first (docs/protocol.md §11).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// It is pending already.
    #[error("{0} is pending already")]
    Known(TransactionId),
    /// Its fee is below the minimum.
    #[error("fee {fee} LAB is below the least that this mempool passes on, {least} LAB")]
    BelowMinFee {
        /// Its fee.
        fee: Amount,
        /// The minimum.
        least: Amount,
    },
    /// It fits into no block.
    #[error("the transaction has {bytes} bytes of JSON, and a block has room for {limit}: shorten msg")]
    TooLarge {
        /// The length of its JSON.
        bytes: usize,
        /// The most bytes.
        limit: usize,
    },
    /// The confirmed balance does not cover the sender's pending transactions and this one.
    #[error(
        "{sender} has {balance} LAB confirmed, of which {pending} LAB are spent by pending transactions: too little \
         for {cost} LAB (amount and fee)"
    )]
    Overspend {
        /// The sender.
        sender: Address,
        /// The sender's confirmed balance.
        balance: Amount,
        /// The sum of amounts and fees of the sender's pending transactions.
        pending: Amount,
        /// Amount and fee of this transaction.
        cost: Amount,
    },
    /// Another pending transaction takes the same coin.
    #[error(
        "coin {coin} is spent by transaction {pending}, which is pending and came first: take other coins, or wait"
    )]
    Conflict {
        /// The coin.
        coin: CoinName,
        /// The transaction that takes it.
        pending: TransactionId,
        /// The other pending transactions that take its coins, each with the first such coin.
        others: Vec<(CoinName, TransactionId)>,
    },
    /// It takes a coin that pending transactions take, and does not pay enough to replace them.
    #[error(
        "coin {coin} is spent by transaction {pending}, which is pending; to replace {}, the fee must be at least \
         {least} LAB, and it is {fee} LAB", transactions(.others.len() + 1)
    )]
    Replacement {
        /// The coin that the first of them takes.
        coin: CoinName,
        /// The first of them.
        pending: TransactionId,
        /// The others, each with the first coin that it takes.
        others: Vec<(CoinName, TransactionId)>,
        /// Its fee.
        fee: Amount,
        /// The smallest fee with which it would replace them.
        least: Amount,
    },
    /// It would replace too many pending transactions.
    #[error(
        "its coins are spent by {} pending transactions, and one may replace at most {limit}: take fewer coins",
        .others.len() + 1
    )]
    TooManyRivals {
        /// The coin that the first of them takes.
        coin: CoinName,
        /// The first of them.
        pending: TransactionId,
        /// The others, each with the first coin that it takes.
        others: Vec<(CoinName, TransactionId)>,
        /// The most.
        limit: usize,
    },
    /// It makes a coin that is too small to be worth spending.
    #[error("output {output} makes a coin of {amount} LAB, and this mempool passes on coins of at least {least} LAB")]
    Dust {
        /// The output, from 0.
        output: usize,
        /// Its amount.
        amount: Amount,
        /// The smallest that would pass.
        least: Amount,
    },
    /// A coin that it takes is not there.
    #[error("coin {coin} is not unspent on this chain")]
    NoCoin {
        /// The coin.
        coin: CoinName,
    },
    /// The sender has as many pending transactions as one sender may.
    #[error("{sender} has {limit} pending transactions, as many as one sender may: wait until some are confirmed")]
    TooManyOfSender {
        /// The sender.
        sender: Address,
        /// Most pending transactions of one sender.
        limit: usize,
    },
    /// The pool is full, and this pays no more per byte than what would be evicted for it.
    #[error("the pool is full, and for {bytes} bytes {fee} LAB is too low a fee now: {least} LAB would do, or wait")]
    Full {
        /// The length of its JSON.
        bytes: usize,
        /// Its fee.
        fee: Amount,
        /// The smallest fee with which it would be admitted.
        least: Amount,
    },
}

impl AdmissionError {
    /// The rule that is broken, stable, for programs: `rule` in problem+json, with status 422.
    ///
    /// `None` if the transaction itself is fine: it is known (200), or the pool has no room for it now (503).
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::BelowMinFee { .. } => Some("min-fee"),
            Self::TooLarge { .. } => Some("size"),
            Self::Overspend { .. } => Some("balance"),
            Self::Conflict { .. } => Some("conflict"),
            Self::Replacement { .. } | Self::TooManyRivals { .. } => Some("replacement"),
            Self::Dust { .. } => Some("dust"),
            Self::NoCoin { .. } => Some("coin"),
            Self::Known(_) | Self::TooManyOfSender { .. } | Self::Full { .. } => None,
        }
    }

    /// The pending transactions that take coins which this one takes, too, the oldest first, each with the first such
    /// coin: all of them, so that none of their receivers misses that a coin is spent twice.
    pub fn rivals(&self) -> impl Iterator<Item = (CoinName, TransactionId)> {
        let (first, others) = match self {
            Self::Conflict { coin, pending, others }
            | Self::Replacement { coin, pending, others, .. }
            | Self::TooManyRivals { coin, pending, others, .. } => (Some((*coin, *pending)), &others[..]),
            _ => (None, &[][..]),
        };
        first.into_iter().chain(others.iter().copied())
    }

    /// Whether what it takes is not there, or is taken by others: then a transaction that was accepted before waits.
    pub(super) const fn is_cover(&self) -> bool {
        matches!(self, Self::Overspend { .. } | Self::Conflict { .. } | Self::NoCoin { .. })
    }
}

fn transactions(count: usize) -> String {
    if count == 1 { "it".to_owned() } else { format!("the {count} that take its coins") }
}

/// Why a pending transaction left the pool without being in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvictionReason {
    /// The pool was full, and another paid more per byte.
    Outbid,
    /// It waited too long.
    Expired,
    /// What it takes is not there any more, and the pool keeps no more uncovered transactions.
    NotCovered,
    /// Another took one of its coins and pays more.
    Replaced {
        /// The other transaction.
        by: TransactionId,
        /// The coin; the first, if it took more of them.
        coin: CoinName,
    },
}

impl EvictionReason {
    /// The reason in one word, stable, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbid => "outbid",
            Self::Expired => "expired",
            Self::NotCovered => "not-covered",
            Self::Replaced { .. } => "replaced",
        }
    }
}

/// A transaction that left the pool without being in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evicted {
    /// The transaction.
    pub pending: Pending,
    /// Why it left.
    pub reason: EvictionReason,
}

/// The changes in the pool that follow from a change of the chain. A transaction can be in several of the lists; they
/// are in the order of the changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolChanges {
    /// Transactions that became uncovered.
    pub uncovered: Vec<Pending>,
    /// Transactions that are pending again.
    pub returned: Vec<Pending>,
    /// Transactions that left.
    pub evicted: Vec<Evicted>,
}
