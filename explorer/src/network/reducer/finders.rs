//! Blocks that a browser or another program found and handed in at a node: their finder is the address that they pay,
//! not the node.

use super::Reducer;
use crate::network::Change;
use shared::block::{BlockHash, BlockId};

/// Most blocks that are remembered as found by a browser.
const MAX_FROM_BROWSERS: usize = 256;

impl Reducer {
    /// Records that a browser found a block, and this explorer passed it on.
    pub(crate) fn add_from_browser(&mut self, block: BlockHash) {
        if self.state.from_browsers.len() >= MAX_FROM_BROWSERS {
            let known: Vec<BlockHash> = self.state.blocks.keys().copied().collect();
            self.state.from_browsers.retain(|block| known.contains(block));
        }
        if self.state.from_browsers.len() < MAX_FROM_BROWSERS {
            self.state.from_browsers.insert(block);
            self.mark_changed(Change::Blocks);
        }
        self.name_finder(block);
    }

    /// Names the finder of a block in the news, if that is not the node which reported it.
    pub(super) fn name_finder(&mut self, hash: BlockHash) {
        let Some(summary) = self.state.blocks.get(&hash) else { return };
        let (Some(node), block) = (summary.mined_by.clone(), BlockId { index: summary.index, hash }) else { return };
        let Some(miner) = self.state.contents.get(&hash).and_then(|contents| contents.miner) else { return };
        let info = self.state.nodes.get(&node).and_then(|node| node.info.as_ref());
        let earner = info.and_then(|info| info.mining.as_ref()?.address.clone());
        if earner.is_some_and(|earner| earner != miner.as_str()) {
            let is_browser = self.state.from_browsers.contains(&hash);
            self.report(|news| news.found_outside(block, miner, &node, is_browser));
        }
    }
}
