//! The JSON that services exchange (docs/protocol.md §8-11), apart from the domain types.
//!
//! What a service is sent is read strictly; what it is answered is read leniently, so a newer peer may say more.

mod events;
mod mempool;
mod problem;

pub use crate::sync::{BlockEvent, BlockSource, PeerChange, PeerEvent, PeerInfo, PeersUpdate, ReorgEvent};
pub use events::{MiningEvent, NodeEvent};
pub use mempool::{
    AddressBalance, ConfirmedEvent, EvictedEvent, HistoryEntry, MAX_UNPROCESSED, PUSH_BYTES, PoolEvent, PoolOrder,
    PushStatus, Pushed, ReturnedEvent, TransactionState, TransactionStatus, UNPROCESSED_BYTES,
};
pub use problem::Problem;

use crate::block::{BlockHash, BlockId, Height, Nonce, Seal, Timestamp};
use crate::chain::Tip;
use crate::json;
use crate::work::{Difficulty, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Request header: the network id of the service that asks.
pub const NETWORK_HEADER: &str = "chainlab-network";
/// Request header: the `host:port` of the service that asks.
pub const NODE_HEADER: &str = "chainlab-node";

/// Answer of `GET /info` on every service.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Info {
    /// `tracker`, `node`, `mempool` or `explorer`.
    pub service: String,
    /// Version of the program.
    pub version: String,
    /// The genesis hash.
    pub network_id: BlockHash,
    /// The consensus parameters; JSON, since another service may know parameters that we do not.
    #[schema(value_type = Object)]
    pub network: serde_json::Value,
    /// `host:port` that others reach this service at.
    pub address: String,
    /// When the process started.
    pub started: Timestamp,
    /// The best block; nodes and mempools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Tip>,
    /// How many peers it is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<u64>,
    /// Nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mining: Option<MiningInfo>,
    /// Mempools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolInfo>,
    /// How many members a tracker lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
}

/// What a node says of its mining.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Mining)]
pub struct MiningInfo {
    /// Whether it mines.
    pub enabled: bool,
    /// Whom it mines for, where the layer knows addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How many threads search.
    pub threads: u64,
    /// Hashes per second, lately.
    pub hashrate: u64,
}

/// What a mempool says of its pool.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Pool)]
pub struct PoolInfo {
    /// Pending transactions.
    pub count: u64,
    /// Their size.
    pub bytes: u64,
}

/// What a service is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Mines and serves blocks.
    Node,
    /// Takes transactions.
    Mempool,
}

/// Answer of `/register` on a tracker.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The address that the tracker checked and lists.
    pub registered: String,
    /// How long the entry lives unless renewed.
    pub lease_seconds: u64,
    /// Live nodes of the same network.
    pub nodes: Vec<String>,
    /// Live mempools of the same network.
    pub mempools: Vec<String>,
}

/// One entry of `GET /members` on a tracker.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// `host:port`.
    pub address: String,
    /// What it is.
    pub role: Role,
    /// Which network it is of.
    pub network_id: BlockHash,
    /// Its best block when it last registered.
    pub tip: Option<Tip>,
    /// When it last registered.
    pub last_seen: Timestamp,
}

/// Answer of `POST /sync` on a node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncReport {
    /// What came of it.
    pub result: SyncResult,
    /// The tip before.
    pub from: BlockId,
    /// The tip after.
    pub to: BlockId,
}

/// What came of asking every peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncResult {
    /// Nobody had a better chain.
    Authoritative,
    /// Blocks were added on top of the tip.
    Updated,
    /// The tip was on a worse branch and was left.
    Reorganised,
}

/// Answer of `POST /block` on a node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = BlockAnswer)]
pub struct BlockResponse {
    /// What was done with it.
    pub status: BlockStatus,
    /// Which block.
    pub hash: BlockHash,
    /// Why it is not taken yet, or not on the best chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was done with a pushed block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlockStatus {
    /// Stored: on the best chain or on a side branch.
    Taken,
    /// It was here already.
    Known,
    /// It cannot be judged yet.
    Later,
}

/// Body of `POST /sync/headers`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadersRequest {
    /// Hashes of the asker's chain, newest first, ending with genesis; at most 64.
    pub locator: Vec<BlockHash>,
    /// Most headers to send.
    #[serde(deserialize_with = "json::integer")]
    pub limit: u64,
}

/// Body of `POST /sync/blocks`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlocksRequest {
    /// Which blocks, in the order wanted.
    pub hashes: Vec<BlockHash>,
}

/// Body of `POST /mine`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MineRequest {
    /// How many blocks, 1 to 1000.
    #[serde(deserialize_with = "json::integer")]
    pub blocks: u64,
    /// What they carry; layer `data` only.
    #[serde(default, deserialize_with = "json::not_null", skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// Answer of `POST /mine`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = MineAnswer)]
pub struct MineResponse {
    /// The mined blocks, oldest first.
    pub hashes: Vec<BlockHash>,
}

/// Answer of `GET /work`: what an outside miner needs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WorkOffer {
    /// Hash this and a nonce, 80 characters.
    pub seal: Seal,
    /// The largest hash that will do.
    pub target: Target,
    /// The same as a number.
    pub difficulty: Difficulty,
    /// The height of the block.
    pub index: Height,
}

/// Body of `POST /work`: a solution.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkSolution {
    /// From the offer.
    pub seal: Seal,
    /// What makes it meet the target.
    pub nonce: Nonce,
}
