//! Events for whoever listens.

use super::download::Download;
use super::{PeerAddress, SyncOutput, Syncer};
use crate::block::Block;
use crate::chain::Chain;
use crate::wire::{BlockEvent, BlockSource, NodeEvent, PeerChange, PeerEvent, ReorgEvent};

impl Syncer {
    pub(super) fn emit_peer_event(&mut self, address: PeerAddress, change: PeerChange, reason: Option<String>) {
        let event = PeerEvent { address: address.to_string(), change, reason };
        self.outputs.push_back(SyncOutput::Event(NodeEvent::Peer(event)));
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
        self.outputs.push_back(SyncOutput::Event(NodeEvent::Block(BlockEvent {
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

    /// Tells of what a download has taken: of every block if they are few, of the newest if they are many.
    pub(super) fn emit_connected_blocks(&mut self, download: &mut Download, chain: &Chain) {
        let taken = download.take_connected();
        let mut work = chain.tip().work;
        let mut events = Vec::with_capacity(taken.newest.len());
        for header in taken.newest.iter().rev() {
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
        self.outputs.extend(events.into_iter().rev().map(|event| SyncOutput::Event(NodeEvent::Block(event))));
    }

    pub(super) fn emit_reorganisation(&mut self, chain: &mut Chain) {
        if let Some(reorganisation) = chain.take_reorganisation() {
            self.outputs.push_back(SyncOutput::Event(NodeEvent::Reorg(ReorgEvent {
                fork: reorganisation.fork,
                from: reorganisation.from.tip(),
                to: reorganisation.to.tip(),
                undone: reorganisation.undone(),
                applied: reorganisation.applied(),
            })));
        }
    }
}
