//! What `GET /events` of a node tells (docs/protocol.md §10), one JSON object a server-sent event.

use super::{BlockEvent, PeerEvent, ReorgEvent};
use crate::block::{BlockHash, Height};
use crate::sync::SyncEvent;
use crate::work::Difficulty;
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

impl From<SyncEvent> for NodeEvent {
    fn from(event: SyncEvent) -> Self {
        match event {
            SyncEvent::Block(block) => Self::Block(block),
            SyncEvent::Reorg(reorg) => Self::Reorg(reorg),
            SyncEvent::Peer(peer) => Self::Peer(peer),
        }
    }
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
