//! Events for subscribers.

use super::download::Download;
use super::{PeerAddress, SyncOutput, Syncer};
use crate::block::{Block, BlockHash, BlockId, Height, Timestamp};
use crate::chain::{Chain, Tip};
use crate::work::{Difficulty, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that happened to the chain or to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEvent {
    /// A block was stored.
    Block(BlockEvent),
    /// The best chain changed to another branch.
    Reorg(ReorgEvent),
    /// A peer came or went.
    Peer(PeerEvent),
}

/// A block was stored, on the best chain or on a side branch.
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
    /// The peer that sent it, if one did.
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
    /// The peer's address.
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

impl Syncer {
    pub(super) fn emit_peer_event(&mut self, address: PeerAddress, change: PeerChange, reason: Option<String>) {
        let event = PeerEvent { address: address.to_string(), change, reason };
        self.outputs.push_back(SyncOutput::Event(SyncEvent::Peer(event)));
    }

    pub(super) fn emit_block_event(
        &mut self,
        block: &Block,
        best: bool,
        source: BlockSource,
        from: Option<&PeerAddress>,
        chain: &Chain,
    ) {
        let header = block.header();
        let work = chain.side_work(&block.hash()).unwrap_or(chain.tip().work);
        self.outputs.push_back(SyncOutput::Event(SyncEvent::Block(BlockEvent {
            index: header.index,
            hash: header.hash(),
            prev_hash: header.prev_hash,
            timestamp: header.timestamp,
            difficulty: header.difficulty,
            work,
            best,
            source,
            from: from.map(ToString::to_string),
        })));
    }

    /// Emits events for the blocks that a download connected: for all if they are few, for the newest if they are many.
    pub(super) fn emit_connected_blocks(&mut self, download: &mut Download, chain: &Chain) {
        let connected = download.take_connected();
        let mut work = chain.tip().work;
        let mut events = Vec::with_capacity(connected.len());
        for header in connected.iter().rev() {
            let side_work = chain.side_work(&header.hash());
            events.push(BlockEvent {
                index: header.index,
                hash: header.hash(),
                prev_hash: header.prev_hash,
                timestamp: header.timestamp,
                difficulty: header.difficulty,
                work: side_work.unwrap_or(work),
                best: side_work.is_none(),
                source: BlockSource::Synced,
                from: Some(download.peer.to_string()),
            });
            work = work.saturating_sub(header.difficulty.work());
        }
        self.outputs.extend(events.into_iter().rev().map(|event| SyncOutput::Event(SyncEvent::Block(event))));
    }

    pub(super) fn emit_reorganisation(&mut self, chain: &mut Chain) {
        if let Some(reorganisation) = chain.take_reorganisation() {
            self.outputs.push_back(SyncOutput::Event(SyncEvent::Reorg(ReorgEvent {
                fork: reorganisation.fork,
                from: reorganisation.from.tip(),
                to: reorganisation.to.tip(),
                undone: reorganisation.undone(),
                applied: reorganisation.applied(),
            })));
        }
    }
}
