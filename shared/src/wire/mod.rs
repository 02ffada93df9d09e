//! The JSON that services exchange (docs/protocol.md §8-11), apart from the domain types.
//!
//! Requests are read strictly, responses leniently, so that a newer service may add fields.

mod coins;
mod events;
mod health;
mod mempool;
mod problem;
mod programs;

pub use crate::sync::{BlockEvent, BlockSource, Interest, PeerChange, PeerEvent, PeerInfo, PeersUpdate, ReorgEvent};
pub use coins::{CoinInfo, CoinSpent, UnspentCoin};
pub use events::{MiningEvent, NodeEvent};
pub use health::Health;
pub use mempool::{
    AddressBalance, ConfirmedEvent, ConfirmedRival, ConflictEvent, EvictedEvent, HistoryEntry, MAX_UNPROCESSED,
    PUSH_BYTES, PoolEvent, PoolOrder, PushStatus, Pushed, ReturnedEvent, TransactionState, TransactionStatus,
    UNPROCESSED_BYTES,
};
pub use problem::Problem;
pub use programs::{
    CallRequest, CallResult, CallSummary, Estimate, LogEvent, PlacedLogEntry, ProgramInfo, ReceiptEvent, ReceiptStatus,
    RpcRequest, RpcResponse, RunRequest, StorageSlot, TouchedSlot, Trace, TraceCall, TraceStep,
};

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

/// Response header of reading endpoints: the height of the block that the response stands on.
pub const HEIGHT_HEADER: &str = "chainlab-height";
/// Response header of reading endpoints: the age of that block in milliseconds, by the clock of the service.
pub const AGE_HEADER: &str = "chainlab-age-ms";

/// Response of `GET /info` on every service.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Info {
    /// `tracker`, `node`, `mempool` or `explorer`.
    pub service: String,
    /// Version of the program.
    pub version: String,
    /// The genesis hash.
    pub network_id: BlockHash,
    /// The consensus parameters; JSON, since another version may have other parameters.
    #[schema(value_type = Object)]
    pub network: serde_json::Value,
    /// `host:port` that others reach this service at.
    pub address: String,
    /// When the process started.
    pub started: Timestamp,
    /// The tip of the best chain; nodes and mempools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Tip>,
    /// The number of connected peers; nodes and mempools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<u64>,
    /// Only nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mining: Option<MiningInfo>,
    /// Only mempools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolInfo>,
    /// The number of listed members; only trackers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// What keeps it from its work, empty if nothing does; nodes and mempools. Words that this version does not know
    /// are left out.
    #[serde(default, deserialize_with = "health::known", skip_serializing_if = "Option::is_none")]
    pub health: Option<Vec<Health>>,
}

/// The state of a node's mining.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Mining)]
pub struct MiningInfo {
    /// Whether it mines.
    pub enabled: bool,
    /// The address that gets the rewards, on layers with addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The number of mining threads.
    pub threads: u64,
    /// Hashes per second, averaged over the last seconds.
    pub hashrate: u64,
}

/// The size of a mempool's pool.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Pool)]
pub struct PoolInfo {
    /// The number of pending transactions.
    pub count: u64,
    /// Bytes of their JSON.
    pub bytes: u64,
}

/// The role of a service in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Mines and serves blocks.
    Node,
    /// Accepts transactions.
    Mempool,
}

/// Response of `/register` on a tracker.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The address that the tracker checked and lists.
    pub registered: String,
    /// Seconds until the entry expires unless it is renewed.
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
    /// Its role.
    pub role: Role,
    /// The genesis hash of its network.
    pub network_id: BlockHash,
    /// Its tip when it last registered.
    pub tip: Option<Tip>,
    /// When it last registered.
    pub last_seen: Timestamp,
}

/// Response of `POST /sync` on a node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncReport {
    /// The result.
    pub result: SyncResult,
    /// The tip before the sync.
    pub from: BlockId,
    /// The tip after the sync.
    pub to: BlockId,
}

/// The result of syncing with all peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncResult {
    /// No peer had a better chain.
    Authoritative,
    /// Blocks were added on top of the tip.
    Updated,
    /// The chain moved to a better branch.
    Reorganised,
}

/// Body of `POST /announce` on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The hash of a block that the sender has.
    pub hash: BlockHash,
}

/// Response of `POST /announce` on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnounceResponse {
    /// Whether the node wants the block.
    pub interest: Interest,
}

/// Response of `POST /block` on a node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = BlockAnswer)]
pub struct BlockResponse {
    /// What happened to it.
    pub status: BlockStatus,
    /// The block's hash.
    pub hash: BlockHash,
    /// Why it is not accepted yet, or not on the best chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its parent, if the node lacks that and cannot fetch it from the sender: push the parent first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<BlockHash>,
}

/// What happened to a pushed block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlockStatus {
    /// Stored: on the best chain or on a side branch.
    Taken,
    /// It was stored already.
    Known,
    /// It cannot be validated yet.
    Later,
}

/// Body of `POST /sync/headers`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadersRequest {
    /// Hashes of the requester's chain, newest first, ending with genesis; at most 64.
    #[schema(max_items = 64)]
    pub locator: Vec<BlockHash>,
    /// Most headers to send.
    #[serde(deserialize_with = "json::integer")]
    #[schema(maximum = 9007199254740991u64)]
    pub limit: u64,
}

/// Body of `POST /sync/blocks`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlocksRequest {
    /// The hashes of the blocks, in the order of the response; at most 500.
    #[schema(max_items = 500)]
    pub hashes: Vec<BlockHash>,
}

/// Body of `POST /mine`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MineRequest {
    /// The number of blocks, 1 to 1000.
    #[serde(deserialize_with = "json::integer")]
    #[schema(minimum = 1, maximum = 1000)]
    pub blocks: u64,
    /// The data of the blocks; layer `data` only.
    #[serde(default, deserialize_with = "json::not_null", skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// Response of `POST /mine`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = MineAnswer)]
pub struct MineResponse {
    /// The mined blocks, oldest first.
    pub hashes: Vec<BlockHash>,
}

/// Response of `GET /work`: a task for an external miner.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WorkOffer {
    /// The text to hash together with a nonce, 80 characters in total.
    pub seal: Seal,
    /// The largest valid hash.
    pub target: Target,
    /// The difficulty of this target.
    pub difficulty: Difficulty,
    /// The height of the block.
    pub index: Height,
}

/// Body of `POST /work`: a solution.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkSolution {
    /// The seal of the task.
    pub seal: Seal,
    /// The nonce with which the hash meets the target.
    pub nonce: Nonce,
}
