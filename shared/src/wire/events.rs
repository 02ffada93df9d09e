//! The server-sent events of a node, `GET /events` (docs/protocol.md §10): one JSON object each.

use super::{BlockEvent, PeerEvent, ReorgEvent};
use crate::block::{BlockHash, Height};
use crate::sync::SyncEvent;
use crate::work::Difficulty;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An event on a node. The variant is the name of the server-sent event, the content its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
pub enum NodeEvent {
    /// A block was accepted.
    Block(BlockEvent),
    /// The best chain changed to another branch.
    Reorg(ReorgEvent),
    /// A peer connected or disconnected.
    Peer(PeerEvent),
    /// Mining started, stopped or found a block.
    Mining(MiningEvent),
}

impl From<SyncEvent> for NodeEvent {
    fn from(event: SyncEvent) -> Self {
        match event {
            SyncEvent::Block(block) => Self::Block(block),
            SyncEvent::Reorg(reorg) => Self::Reorg(reorg),
            SyncEvent::Peer(peer) => Self::Peer(peer),
        }
    }
}

/// Mining started, stopped or found a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MiningEvent {
    /// Height of the block that is being mined or was found.
    pub index: Height,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// Hashes per second, averaged over the last seconds.
    pub hashrate: u64,
    /// The block, if one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<BlockHash>,
}
