//! Pushing the ancestors of a block to a peer that lacks them and cannot call this node back.
//!
//! Such a peer names the missing parent in its response to a push. The node pushes that parent, and so on down to a
//! block that the peer can judge; then it pushes the blocks above in order. Only hashes are kept.

use super::peer::Peer;
use super::{Now, PeerAddress, SyncOutput, Syncer};
use crate::block::{Block, BlockHash};
use crate::chain::{Chain, Tip};
use std::sync::Arc;

/// Most blocks below the first one that are pushed to one peer.
const MAX_BLOCKS: usize = 64;

/// The blocks that one peer still lacks, the newest first.
#[derive(Default)]
pub(super) struct Backfill {
    above: Vec<BlockHash>,
    pub(super) is_announced: bool,
}

impl Syncer {
    /// A peer that cannot call this node back has a tip of less work. No poll of its own heals a push that was lost, so
    /// the tip is pushed again.
    pub(super) fn resume_backfill(&mut self, address: &PeerAddress, theirs: Option<Tip>, chain: &Chain, now: Now) {
        let is_waiting = |peer: &Peer| peer.backfill.is_announced && peer.pushes == 0;
        let is_behind = theirs.is_some_and(|tip| tip.work < chain.tip().work);
        if is_behind
            && self.peers.known.get(address).is_some_and(is_waiting)
            && let Some(block) = stored(chain, &chain.tip().hash())
        {
            self.push(&Arc::new(block), vec![address.clone()], now);
        }
    }

    /// A peer got the block `pushed`; `missing` is the block's parent if the peer lacks that.
    pub(super) fn continue_backfill(
        &mut self,
        address: &PeerAddress,
        pushed: BlockHash,
        missing: Option<BlockHash>,
        chain: &Chain,
        now: Now,
    ) {
        let Some(peer) = self.peers.known.get_mut(address) else { return };
        let next = match missing {
            Some(parent) if peer.backfill.above.len() < MAX_BLOCKS => {
                peer.backfill.above.push(pushed);
                parent
            }
            Some(_) => return peer.backfill.above.clear(),
            None => match peer.backfill.above.pop() {
                Some(next) => next,
                None => return,
            },
        };
        if missing.is_some() && !std::mem::replace(&mut peer.backfill.is_announced, true) {
            let own = self.settings.own_address.as_ref().map_or("its address", PeerAddress::as_str);
            self.outputs.push_back(SyncOutput::Warning(format!(
                "{address} lacks blocks of this node and cannot call it back at {own}, so this node pushes them; if \
                 others should reach it, see --advertise and the firewall"
            )));
        }
        match stored(chain, &next) {
            // The peer may name the parent of the block that it got, and nothing else.
            Some(block) if missing.is_none() || is_parent(chain, &next, &pushed) => {
                self.push(&Arc::new(block), vec![address.clone()], now);
            }
            _ => {
                if let Some(peer) = self.peers.known.get_mut(address) {
                    peer.backfill.above.clear();
                }
            }
        }
    }
}

fn stored(chain: &Chain, hash: &BlockHash) -> Option<Block> {
    let reader = chain.view().reader().ok()?;
    reader.find(hash).ok()?.and_then(|id| reader.block(id).ok())
}

fn is_parent(chain: &Chain, parent: &BlockHash, child: &BlockHash) -> bool {
    stored(chain, child).is_some_and(|block| block.header().prev_hash == *parent)
}
