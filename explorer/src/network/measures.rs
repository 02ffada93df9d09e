//! What the explorer measures over time and no header contains: how long a block takes to reach every node, how many
//! payments wait, and when the network was split. For charts. Bounded, and lost when the explorer ends.

use super::split::Split;
use super::state::NetworkState;
use shared::block::{BlockHash, BlockId, Height, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most blocks whose spread is kept; as many as the charts show.
const MAX_SPREADS: usize = 2000;
/// Most blocks that are on their way at a time.
const MAX_UNDERWAY: usize = 100;
/// Most samples of the pool. When they are full, every second one is dropped, and later ones are taken half as often.
const MAX_SAMPLES: usize = 1000;
/// Time between two samples of the pool, at first.
const SAMPLE_GAP_MS: i64 = 1000;
/// Most splits that are kept.
const MAX_SPLITS: usize = 200;

/// How long a block took to reach every node that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) index: Height,
    pub(crate) hash: BlockHash,
    /// From the first node that reported it to the last.
    pub(crate) ms: u64,
}

/// The size of the pool at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolSample {
    pub(crate) at: Timestamp,
    /// Transactions that wait.
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// When the network was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SplitSpan {
    pub(crate) since: Timestamp,
    /// When all nodes could reach one another again; `None` while they cannot.
    pub(crate) healed: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(crate) struct Measures {
    /// Oldest first, by the moment that the last node had them.
    pub(crate) spreads: VecDeque<Spread>,
    underway: BTreeMap<BlockHash, Underway>,
    /// Oldest first.
    pub(crate) pool: Vec<PoolSample>,
    sample_gap_ms: i64,
    /// Oldest first.
    pub(crate) splits: VecDeque<SplitSpan>,
}

/// A block that some nodes do not have yet.
#[derive(Debug, Clone)]
struct Underway {
    index: Height,
    heard: Timestamp,
    /// The nodes that have it.
    nodes: BTreeSet<String>,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            spreads: VecDeque::new(),
            underway: BTreeMap::new(),
            pool: Vec::new(),
            sample_gap_ms: SAMPLE_GAP_MS,
            splits: VecDeque::new(),
        }
    }
}

impl Measures {
    /// Records that a node has a block. `is_new`: no node had it before.
    pub(super) fn heard(&mut self, now: Timestamp, node: &str, block: BlockId, is_new: bool) {
        if is_new && self.underway.len() < MAX_UNDERWAY {
            let nodes = BTreeSet::new();
            self.underway.insert(block.hash, Underway { index: block.index, heard: now, nodes });
        }
        if let Some(underway) = self.underway.get_mut(&block.hash) {
            underway.nodes.insert(node.to_owned());
        }
    }

    /// Compares with the tips and the split as they are now.
    pub(super) fn update(&mut self, now: Timestamp, state: &NetworkState) {
        self.update_spreads(now, state);
        self.update_splits(state.split.as_ref());
    }

    fn update_spreads(&mut self, now: Timestamp, state: &NetworkState) {
        let Some(lowest) = self.underway.values().map(|block| block.index).min() else { return };
        let mut answering = Vec::new();
        for (node, tip) in state.answering() {
            answering.push(node);
            // A node has all blocks below its tip.
            for block in state.chain(tip.hash).take_while(|block| block.index >= lowest) {
                if let Some(underway) = self.underway.get_mut(&block.hash).filter(|block| !block.nodes.contains(node)) {
                    underway.nodes.insert(node.clone());
                }
            }
        }
        let spreads = &mut self.spreads;
        self.underway.retain(|hash, block| {
            let is_everywhere = answering.iter().all(|node| block.nodes.contains(*node));
            // With one node there is no spreading.
            if is_everywhere && answering.len() > 1 {
                let ms = u64::try_from(now.ms_since(block.heard)).unwrap_or(0);
                spreads.push_back(Spread { index: block.index, hash: *hash, ms });
            }
            !is_everywhere && state.blocks.contains_key(hash)
        });
        spreads.drain(..spreads.len().saturating_sub(MAX_SPREADS));
    }

    fn update_splits(&mut self, split: Option<&Split>) {
        let open = self.splits.back_mut().filter(|span| span.healed.is_none());
        match (split, open) {
            (Some(split), Some(open)) => open.healed = split.healed,
            (Some(split), None) if split.healed.is_none() => {
                self.splits.push_back(SplitSpan { since: split.since, healed: None });
                self.splits.drain(..self.splits.len().saturating_sub(MAX_SPLITS));
            }
            _ => {}
        }
    }

    /// Records the size of the pool, unless the last sample is too young.
    pub(super) fn sample_pool(&mut self, now: Timestamp, count: u64, bytes: u64) {
        if self.pool.last().is_some_and(|last| (0..self.sample_gap_ms).contains(&now.ms_since(last.at))) {
            return;
        }
        if self.pool.len() >= MAX_SAMPLES {
            let mut place = 0;
            self.pool.retain(|_| {
                place += 1;
                place % 2 == 0
            });
            self.sample_gap_ms = self.sample_gap_ms.saturating_mul(2);
        }
        self.pool.push(PoolSample { at: now, count, bytes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{hash, put_node_at, summary};
    use crate::network::split::Side;

    const NOW: Timestamp = Timestamp::from_ms(100_000);

    fn id(index: u64, name: &str) -> BlockId {
        BlockId { index: Height(index), hash: hash(name) }
    }

    fn network(tips: &[(&str, u64, &str)]) -> NetworkState {
        let mut state = NetworkState::default();
        for (index, name, parent) in [(1, "1", "0"), (2, "2", "1"), (2, "2'", "1"), (3, "3", "2")] {
            state.blocks.insert(hash(name), summary(index, name, parent));
        }
        tips.iter().for_each(|(node, index, name)| put_node_at(&mut state, node, *index, name));
        state
    }

    #[test]
    fn a_block_has_spread_once_the_last_node_has_it_or_one_on_top() {
        let mut measures = Measures::default();
        measures.heard(NOW, "a", id(2, "2"), true);
        measures.update(NOW, &network(&[("a", 2, "2"), ("b", 1, "1"), ("c", 1, "1")]));
        measures.heard(NOW.plus_ms(30), "b", id(2, "2"), false);
        measures.update(NOW.plus_ms(30), &network(&[("a", 2, "2"), ("b", 2, "2"), ("c", 1, "1")]));
        assert!(measures.spreads.is_empty());
        measures.update(NOW.plus_ms(45), &network(&[("a", 3, "3"), ("b", 2, "2"), ("c", 3, "3")]));
        assert_eq!(measures.spreads, [Spread { index: Height(2), hash: hash("2"), ms: 45 }]);
        measures.heard(NOW.plus_ms(60), "c", id(2, "2"), false);
        measures.update(NOW.plus_ms(60), &network(&[("a", 3, "3"), ("b", 3, "3"), ("c", 3, "3")]));
        assert_eq!((measures.spreads.len(), measures.underway.len()), (1, 0), "it is measured once");
    }

    #[test]
    fn blocks_that_never_reach_every_node_are_forgotten_and_one_node_measures_nothing() {
        let mut measures = Measures::default();
        measures.heard(NOW, "a", id(2, "2'"), true);
        measures.heard(NOW, "a", id(9, "gone"), true);
        measures.update(NOW, &network(&[("a", 2, "2'"), ("b", 3, "3")]));
        assert_eq!(measures.underway.keys().collect::<Vec<_>>(), [&hash("2'")], "the other is known no more");
        measures.update(NOW, &network(&[("a", 2, "2'")]));
        assert!(measures.spreads.is_empty() && measures.underway.is_empty());
        for number in 0..=MAX_UNDERWAY as u64 {
            measures.heard(NOW, "a", id(number, &number.to_string()), true);
        }
        assert_eq!(measures.underway.len(), MAX_UNDERWAY);
    }

    #[test]
    fn samples_of_the_pool_are_bounded_and_reach_back_to_the_beginning() {
        let mut measures = Measures::default();
        for second in 0..100_000 {
            measures.sample_pool(NOW.plus_ms(second * 500), second, 0);
        }
        let (samples, last) = (measures.pool.len(), measures.pool.last().expect("samples"));
        assert!((MAX_SAMPLES / 2..=MAX_SAMPLES).contains(&samples), "{samples}");
        assert!(measures.pool[0].at.ms_since(NOW) < 200_000 && last.at.ms_since(NOW) > 49_800_000);
        let gaps = measures.pool.windows(2).map(|two| two[1].at.ms_since(two[0].at));
        assert!(gaps.max() == Some(64_000) || measures.sample_gap_ms == 64_000, "{}", measures.sample_gap_ms);
    }

    #[test]
    fn a_split_lasts_until_its_links_are_healed_whoever_is_on_which_side() {
        let (mut measures, mut state) = (Measures::default(), network(&[]));
        let split = |since: u64, healed: Option<u64>| Split {
            sides: vec![Side::default(), Side::default()],
            base: None,
            since: Timestamp::from_ms(since),
            healed: healed.map(Timestamp::from_ms),
            outcome: None,
        };
        for (since, healed) in [(1, None), (5, None), (5, Some(9)), (5, Some(9)), (20, None)] {
            state.split = Some(split(since, healed));
            measures.update(NOW, &state);
        }
        let span = |since, healed: Option<u64>| SplitSpan {
            since: Timestamp::from_ms(since),
            healed: healed.map(Timestamp::from_ms),
        };
        assert_eq!(measures.splits, [span(1, Some(9)), span(20, None)]);
        for since in 0..1000 {
            for healed in [None, Some(since + 1)] {
                state.split = Some(split(since, healed));
                measures.update(NOW, &state);
            }
        }
        assert_eq!(measures.splits.len(), MAX_SPLITS);
    }
}
