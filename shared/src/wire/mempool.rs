//! The JSON of a mempool's responses (docs/protocol.md §11). Transactions have their own JSON.

use crate::block::BlockId;
use crate::ledger::{Address, Amount, CoinName, Transaction, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most transactions in one response of `GET /unprocessed`.
pub const MAX_UNPROCESSED: usize = 10_000;
/// Most bytes of transactions in one response of `GET /unprocessed`; the first transaction is always sent.
pub const UNPROCESSED_BYTES: usize = 8 << 20;
/// Longest body of `/pushtx`, in bytes (docs/protocol.md §8).
pub const PUSH_BYTES: usize = 64 << 10;

/// Response of `/pushtx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pushed {
    /// The transaction's id.
    pub id: TransactionId,
    /// What happened to it.
    pub status: PushStatus,
}

/// What happened to a pushed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushStatus {
    /// It is pending, and on disk.
    Accepted,
    /// It was known already, pending or confirmed.
    Known,
}

/// The order of `GET /unprocessed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PoolOrder {
    /// Best fee per byte first.
    #[default]
    Fee,
    /// Oldest first.
    Age,
}

impl PoolOrder {
    /// Its name in a query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fee => "fee",
            Self::Age => "age",
        }
    }
}

/// Whether a transaction is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Standing)]
pub enum TransactionState {
    /// In the pool.
    Pending,
    /// In a block of the best chain.
    Confirmed,
}

/// Response of `GET /transaction/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionStatus {
    /// The transaction.
    pub transaction: Transaction,
    /// Whether it is confirmed.
    pub status: TransactionState,
    /// The block that contains it, if it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
    /// The number of blocks from that one to the tip, both included; 0 while pending.
    pub confirmations: u64,
    /// The confirmed transaction that has spent a coin of this one, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<ConfirmedRival>,
}

/// A confirmed transaction that has spent a coin of a pending one. The pending one can be confirmed only if a
/// reorganisation undoes the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedRival {
    /// The coin.
    pub coin: CoinName,
    /// The confirmed transaction.
    pub id: TransactionId,
    /// The block that contains it.
    pub block: BlockId,
}

/// One entry of `GET /history/<address>`: a payment from or to the address, or the reward for a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// Reward and fees of a block that the address mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Amount>,
    /// Whether it is confirmed.
    pub status: TransactionState,
    /// The block that contains it, if it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
    /// The number of blocks from that one to the tip, both included; 0 while pending.
    pub confirmations: u64,
    /// The balance of the address before it. What programs moved shows in the difference only.
    pub before: Amount,
    /// The balance of the address after it.
    pub balance: Amount,
}

/// One entry of `GET /balances`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddressBalance {
    /// The address.
    pub address: Address,
    /// Its balance.
    pub balance: Amount,
}

/// An event in a pool. The variant is the name of the server-sent event, the content its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
pub enum PoolEvent {
    /// A transaction was accepted.
    Transaction(Box<Transaction>),
    /// A transaction is confirmed: it is in a block of the best chain.
    Confirmed(ConfirmedEvent),
    /// A transaction's block is no longer on the best chain: it is pending again.
    Returned(ReturnedEvent),
    /// A transaction left the pool without being confirmed.
    Evicted(EvictedEvent),
    /// A transaction with valid signatures takes a coin that a pending one takes, or a block has such a transaction.
    Conflict(ConflictEvent),
}

/// A transaction is confirmed: it is in a block of the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedEvent {
    /// The transaction's id.
    pub id: TransactionId,
    /// The block.
    pub block: BlockId,
}

/// A transaction is pending again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedEvent {
    /// The transaction's id.
    pub id: TransactionId,
}

/// A transaction left the pool without being confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvictedEvent {
    /// The transaction's id.
    pub id: TransactionId,
    /// Why it left: `outbid`, `expired`, `not-covered` or `replaced`.
    pub reason: String,
    /// The transaction that replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<TransactionId>,
}

/// Somebody tries to spend a coin twice: a transaction with valid signatures takes a coin that a pending one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConflictEvent {
    /// The coin.
    pub coin: CoinName,
    /// The transaction that was pending.
    pub pending: TransactionId,
    /// The one that came later.
    pub newcomer: TransactionId,
    /// Whether the newcomer was taken and replaced the pending one, or is in a block.
    pub taken: bool,
}
