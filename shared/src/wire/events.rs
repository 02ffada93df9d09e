//! What `GET /events` of a node tells (docs/protocol.md §10), one JSON object a server-sent event.

use super::{BlockId, Tip};
use crate::block::{BlockHash, Height, Timestamp};
use crate::work::{Difficulty, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that happened on a node. The variant is the name of the server-sent event, the content its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
pub enum NodeEvent {
    /// A block was taken.
    Block(BlockEvent),
    /// The best chain changed to another branch.
    Reorg(ReorgEvent),
    /// A peer came or went.
    Peer(PeerEvent),
    /// Mining began or ended, or found a block.
    Mining(MiningEvent),
}

/// A block was taken, on the best chain or on a side branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockEvent {
    /// Its height.
    pub index: Height,
    /// Its hash.
    pub hash: BlockHash,
    /// Its parent.
    pub prev_hash: BlockHash,
    /// When it was mined.
    pub timestamp: Timestamp,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// Work of its branch.
    pub work: Work,
    /// Whether it is on the best chain now.
    pub best: bool,
    /// How it came here.
    pub source: BlockSource,
    /// Who sent it, where it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// How a block came to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlockSource {
    /// Mined here.
    Mined,
    /// Pushed by a peer or a person.
    Pushed,
    /// Fetched while catching up.
    Synced,
}

/// The best chain changed to another branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReorgEvent {
    /// The last block that both branches share.
    pub fork: BlockId,
    /// The tip that was left.
    pub from: Tip,
    /// The tip now.
    pub to: Tip,
    /// How many blocks were undone.
    pub undone: u64,
    /// How many were applied instead.
    pub applied: u64,
}

/// A peer came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerEvent {
    /// Which.
    pub address: String,
    /// What happened.
    pub change: PeerChange,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What happened to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PeerChange {
    /// It answers and is of our network.
    Connected,
    /// It does not answer, or is of another network.
    Lost,
    /// It broke a rule and is left alone for a while.
    Dropped,
    /// It was cut off on purpose.
    Blocked,
    /// It is allowed again.
    Unblocked,
    /// It was forgotten on purpose.
    Removed,
}

/// Mining began or ended, or found a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MiningEvent {
    /// Height of the block that is searched for or was found.
    pub index: Height,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// Hashes per second, lately.
    pub hashrate: u64,
    /// The block, when one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<BlockHash>,
}
