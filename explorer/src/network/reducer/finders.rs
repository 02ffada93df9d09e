//! Blocks that a browser or another program found and handed in at a node: their finder is the address that they pay,
//! not the node.

use super::Reducer;
use crate::network::{Change, Outside};
use shared::block::{BlockHash, BlockId};
use std::sync::Arc;

/// Most blocks that are remembered as found by a browser.
const MAX_FROM_BROWSERS: usize = 256;
/// Most blocks whose way into the network is remembered: as many as have a finder in the charts.
const MAX_OUTSIDE: usize = 200;

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
            self.remember_outside(hash, Outside { index: block.index, node, is_browser });
        }
    }

    fn remember_outside(&mut self, hash: BlockHash, outside: Outside) {
        if self.state.outside.get(&hash) == Some(&outside) {
            return;
        }
        let all = Arc::make_mut(&mut self.state.outside);
        all.insert(hash, outside);
        if all.len() > MAX_OUTSIDE
            && let Some(lowest) = all.iter().min_by_key(|(_, outside)| outside.index).map(|(hash, _)| *hash)
        {
            all.remove(&lowest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::BlockContents;
    use crate::network::samples::{hash, info, mining_for, summary, tip};
    use shared::block::{Height, Timestamp};
    use shared::keys::KeyPair;
    use shared::params::Params;
    use shared::wire::Role;
    use std::collections::BTreeMap;

    #[test]
    fn a_finder_from_outside_is_remembered_longer_than_the_block() {
        let (ada, kim) = (KeyPair::from_seed("ada").address(), KeyPair::from_seed("kim").address());
        let mut reducer = Reducer::new("tracker:1", &Params::default(), BTreeMap::new());
        let now = Timestamp::from_ms(1000);
        reducer.set_members(now, [(Role::Node, "a:1".to_owned())]);
        reducer.apply_info(now, Role::Node, "a:1", info(Some(tip(0, "0"))));
        mining_for(&mut reducer.state, "a:1", &ada);
        for height in 1..=MAX_OUTSIDE as u64 + 2 {
            let name = height.to_string();
            let found = crate::network::BlockSummary { mined_by: Some("a:1".to_owned()), ..summary(height, &name, "") };
            reducer.state.blocks.insert(hash(&name), found);
            // Ada's own block did not come from outside.
            let miner = Some(if height == 1 { ada } else { kim });
            reducer.add_contents(hash(&name), BlockContents { miner, ..BlockContents::default() });
        }
        reducer.add_from_browser(hash("9"));
        let outside = &reducer.state.outside;
        assert_eq!(outside.len(), MAX_OUTSIDE);
        assert!(!outside.contains_key(&hash("1")) && !outside.contains_key(&hash("2")));
        let expected = |is_browser, height| Outside { index: Height(height), node: "a:1".to_owned(), is_browser };
        assert_eq!((&outside[&hash("8")], &outside[&hash("9")]), (&expected(false, 8), &expected(true, 9)));
    }
}
