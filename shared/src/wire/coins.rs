//! The JSON of a mempool's responses about coins, on layer `utxo` (docs/protocol.md §16).

use crate::block::Height;
use crate::ledger::{Address, Amount, CoinName, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One entry of `GET /unspent` and `GET /unspent/<address>`: a coin of the best chain that no block has spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnspentCoin {
    /// Its name.
    pub coin: CoinName,
    /// Its owner.
    pub address: Address,
    /// What it is worth.
    pub amount: Amount,
    /// The height of the block that made it.
    pub block: Height,
    /// The number of blocks from that one to the tip, both included.
    pub confirmations: u64,
    /// Whether it is reward and fees of that block.
    pub coinbase: bool,
    /// The first block that may spend it, if the next one may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spendable_from: Option<Height>,
    /// A pending transaction of this mempool that spends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_by: Option<TransactionId>,
}

/// Response of `GET /coin/<coin>`: a coin that the best chain has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoinInfo {
    /// Its name.
    pub coin: CoinName,
    /// Its owner.
    pub address: Address,
    /// What it is worth.
    pub amount: Amount,
    /// The transaction that made it; missing for a miner's coin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<TransactionId>,
    /// The height of the block that made it.
    pub block: Height,
    /// What spends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<CoinSpent>,
}

/// What spends a coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoinSpent {
    /// The transaction.
    pub by: TransactionId,
    /// The height of its block; missing while it is pending in this mempool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Height>,
}
