//! The JSON that a mempool answers (docs/protocol.md §11). Transactions themselves are their own JSON.

use crate::block::BlockId;
use crate::ledger::{Address, Amount, Transaction, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most transactions that one `GET /unprocessed` answers.
pub const MAX_UNPROCESSED: usize = 10_000;
/// Most bytes of transactions that one `GET /unprocessed` answers, apart from one that is always sent.
pub const UNPROCESSED_BYTES: usize = 8 << 20;
/// Longest body of `/pushtx`, in bytes (docs/protocol.md §8).
pub const PUSH_BYTES: usize = 64 << 10;

/// Answer of `/pushtx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pushed {
    /// Which transaction.
    pub id: TransactionId,
    /// What was done with it.
    pub status: PushStatus,
}

/// What was done with a pushed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushStatus {
    /// Taken: it is pending, on disk.
    Accepted,
    /// It was here already, pending or confirmed.
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

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Standing)]
pub enum TransactionState {
    /// In the pool.
    Pending,
    /// In a block of the best chain.
    Confirmed,
}

/// Answer of `GET /transaction/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionStatus {
    /// The transaction.
    pub transaction: Transaction,
    /// Where it is.
    pub status: TransactionState,
    /// The block that it is in, once confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
    /// Blocks from that one to the tip, both counted; 0 while pending.
    pub confirmations: u64,
}

/// One entry of `GET /history/<address>`: a payment from or to the address, or what it earned by mining a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// Reward and fees of a block that the address mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Amount>,
    /// Where it is.
    pub status: TransactionState,
    /// The block that it is in, once confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockId>,
    /// Blocks from that one to the tip, both counted; 0 while pending.
    pub confirmations: u64,
    /// What the address holds after it.
    pub balance: Amount,
}

/// One entry of `GET /balances`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddressBalance {
    /// Whose.
    pub address: Address,
    /// How much.
    pub balance: Amount,
}

/// Something that happened in a pool. The variant is the name of the server-sent event, the content its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
pub enum PoolEvent {
    /// A transaction was taken.
    Transaction(Box<Transaction>),
    /// A transaction is in a block of the best chain now.
    Confirmed(ConfirmedEvent),
    /// A transaction's block is no longer on the best chain: it is pending again.
    Returned(ReturnedEvent),
    /// A transaction left the pool without being confirmed.
    Evicted(EvictedEvent),
}

/// A transaction is in a block of the best chain now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedEvent {
    /// Which transaction.
    pub id: TransactionId,
    /// Which block.
    pub block: BlockId,
}

/// A transaction is pending again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedEvent {
    /// Which transaction.
    pub id: TransactionId,
}

/// A transaction left the pool without being confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvictedEvent {
    /// Which transaction.
    pub id: TransactionId,
    /// Why.
    pub reason: String,
}
