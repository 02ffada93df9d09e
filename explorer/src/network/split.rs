//! A network in two or more sides that do not talk to each other: what each side finds, and what became of it.
//!
//! The sides are the connected parts of the network without the links that are cut. Who cut them does not matter: the
//! explorer, the simulator, or a person with a node's token.

use super::agreement::Agreement;
use super::state::{BlockSummary, NetworkState};
use shared::agreement::common_ancestor;
use shared::block::{BlockHash, BlockId, Height, Timestamp};
use shared::chain::Tip;
use std::collections::{BTreeSet, VecDeque};

/// The blocks that are remembered of each side.
const MAX_BLOCKS: usize = 40;

/// A split in progress, or the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) sides: Vec<Side>,
    /// The last block that all sides have in common, if it is known.
    pub(crate) base: Option<BlockId>,
    pub(crate) since: Timestamp,
    /// When the sides could talk again.
    pub(crate) healed: Option<Timestamp>,
    /// When all nodes were on one chain again, and the side whose branch won; `None` if no side found a block.
    pub(crate) outcome: Option<(Timestamp, Option<usize>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Side {
    /// `host:port` of its nodes, in their order.
    pub(crate) nodes: Vec<String>,
    /// What it found since the split began, oldest first.
    pub(crate) blocks: Vec<BlockHash>,
    /// Its newest block.
    pub(crate) tip: Option<BlockId>,
}

/// The nodes that answer, in groups whose links are not all cut; nodes and groups in the order of their letters.
pub(crate) fn sides(state: &NetworkState) -> Vec<Vec<String>> {
    let mut left: BTreeSet<&String> = state.answering().map(|(node, _)| node).collect();
    let mut groups = Vec::new();
    while let Some(first) = left.pop_first() {
        let (mut group, mut queue) = (BTreeSet::from([first.clone()]), VecDeque::from([first]));
        while let Some(node) = queue.pop_front() {
            let linked: Vec<_> = left.iter().copied().filter(|other| !state.is_cut(node, other)).collect();
            for other in linked {
                left.remove(other);
                group.insert(other.clone());
                queue.push_back(other);
            }
        }
        groups.push(group.into_iter().collect());
    }
    in_order(state, groups)
}

/// The same sides, nodes and sides in the order of their letters.
pub(crate) fn in_order(state: &NetworkState, sides: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let sides: Vec<Vec<String>> =
        sides.iter().map(|side| state.by_letter(side).into_iter().cloned().collect()).collect();
    let firsts: Vec<String> = sides.iter().filter_map(|side| side.first().cloned()).collect();
    let firsts = state.by_letter(&firsts);
    let place = |side: &Vec<String>| firsts.iter().position(|first| Some(*first) == side.first());
    let mut ordered = sides.clone();
    ordered.sort_by_key(place);
    ordered
}

/// Brings the record up to date with the state.
pub(super) fn update(split: Option<Split>, state: &NetworkState, now: Timestamp) -> Option<Split> {
    let groups = sides(state);
    let going_on = |split: &Split| split.healed.is_none();
    if groups.len() > 1 {
        let is_same = |split: &Split| split.sides.iter().map(|side| &side.nodes).eq(groups.iter());
        let since = split.as_ref().filter(|split| going_on(split) && is_same(split)).map_or(now, |split| split.since);
        return Some(Split::current(groups, state, since));
    }
    let mut split = split?;
    if going_on(&split) {
        split.healed = Some(now);
    }
    if split.outcome.is_none() {
        split.outcome = split.outcome_in(state).map(|winner| (now, winner));
    }
    Some(split)
}

impl Split {
    fn current(groups: Vec<Vec<String>>, state: &NetworkState, since: Timestamp) -> Self {
        let tips: Vec<Option<Tip>> = groups.iter().map(|nodes| best_tip(nodes, state)).collect();
        let base = common_ancestor(tips.iter().flatten().map(Tip::id), |block| parent(state, block));
        let side = |(nodes, tip): (Vec<String>, Option<Tip>)| {
            let blocks = match (tip, base) {
                (Some(tip), Some(base)) => branch(state, tip.hash, base.index),
                _ => Vec::new(),
            };
            Side { nodes, blocks, tip: tip.as_ref().map(Tip::id) }
        };
        let sides = groups.into_iter().zip(tips).map(side).collect();
        Self { sides, base, since, healed: None, outcome: None }
    }

    /// Which side won, once all nodes are on one chain: the one whose blocks are on it.
    fn outcome_in(&self, state: &NetworkState) -> Option<Option<usize>> {
        let agreement = Agreement::of(state);
        let [_] = &*agreement.branches else { return None };
        if self.sides.iter().all(|side| side.blocks.is_empty()) {
            return Some(None);
        }
        let best: BTreeSet<BlockHash> = state.chain(state.tip()?.hash).map(|block| block.hash).collect();
        let has_won = |side: &Side| side.blocks.first().is_some_and(|first| best.contains(first));
        // A node of another side may still stand on a block that all have: it is only behind.
        let stands_on_lost = |side: &Side| {
            let lost: BTreeSet<_> = side.blocks.iter().filter(|block| !best.contains(block)).collect();
            state.answering().any(|(_, tip)| lost.contains(&tip.hash))
        };
        if self.sides.iter().any(stands_on_lost) {
            return None;
        }
        self.sides.iter().position(has_won).map(Some)
    }

    /// The blocks of the sides that did not win.
    pub(crate) fn lost(&self) -> impl Iterator<Item = &Side> {
        let winner = self.outcome.and_then(|(_, winner)| winner);
        let is_lost = move |place: &usize| self.outcome.is_some() && Some(*place) != winner;
        self.sides.iter().enumerate().filter(move |(place, _)| is_lost(place)).map(|(_, side)| side)
    }
}

fn best_tip(nodes: &[String], state: &NetworkState) -> Option<Tip> {
    let tips = nodes.iter().filter_map(|node| state.nodes.get(node)?.tip());
    tips.max_by_key(|tip| state.rank(tip))
}

/// The blocks above `base`, oldest first.
fn branch(state: &NetworkState, tip: BlockHash, base: Height) -> Vec<BlockHash> {
    let blocks = state.chain(tip).take_while(|block| block.index > base).take(MAX_BLOCKS);
    let mut blocks: Vec<BlockHash> = blocks.map(|block: &BlockSummary| block.hash).collect();
    blocks.reverse();
    blocks
}

fn parent(state: &NetworkState, block: BlockId) -> Option<BlockId> {
    let block = state.blocks.get(&block.hash).filter(|block| block.index > Height::GENESIS)?;
    Some(BlockId { index: block.index.minus(1), hash: block.prev_hash })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{cut, hash, heal, put_node_at, summary};

    const NOW: Timestamp = Timestamp::from_ms(5000);

    fn state(blocks: &[(u64, &str, &str)], tips: &[(&str, u64, &str)]) -> NetworkState {
        let mut state = NetworkState::default();
        for (index, name, parent) in blocks {
            state.blocks.insert(hash(name), summary(*index, name, parent));
        }
        for (node, index, name) in tips {
            put_node_at(&mut state, node, *index, name);
        }
        state
    }

    fn move_to(state: &mut NetworkState, node: &str, index: u64, name: &str, parent: &str) {
        state.blocks.insert(hash(name), summary(index, name, parent));
        let service = state.nodes.get_mut(node).expect("a node");
        service.info.as_mut().expect("an answer").tip = Some(crate::network::samples::tip(index, name));
    }

    #[test]
    fn sides_are_the_parts_that_cannot_reach_each_other() {
        let mut state = state(&[(1, "1", "0")], &[("a", 1, "1"), ("b", 1, "1"), ("c", 1, "1"), ("d", 1, "1")]);
        assert_eq!(sides(&state).len(), 1);
        cut(&mut state, "a", "c");
        assert_eq!(sides(&state).len(), 1, "through b or d, they still reach each other");
        for (one, other) in [("a", "d"), ("b", "c"), ("b", "d")] {
            cut(&mut state, one, other);
        }
        assert_eq!(sides(&state), [["a", "b"], ["c", "d"]]);
    }

    // 1 ─ 2 ─ 3      a
    //     └── 3' ─ 4'  b
    #[test]
    fn each_side_has_its_blocks_and_the_one_with_more_work_wins() {
        let mut state = state(&[(1, "1", "0"), (2, "2", "1")], &[("a", 2, "2"), ("b", 2, "2")]);
        cut(&mut state, "a", "b");
        let split = update(None, &state, NOW).expect("a split");
        assert_eq!((split.base.map(|base| base.index), split.since, split.healed), (Some(Height(2)), NOW, None));
        assert!(split.sides.iter().all(|side| side.blocks.is_empty()));
        move_to(&mut state, "a", 3, "3", "2");
        move_to(&mut state, "b", 3, "3'", "2");
        move_to(&mut state, "b", 4, "4'", "3'");
        let split = update(Some(split), &state, NOW.plus_ms(9)).expect("a split");
        assert_eq!((split.sides[0].blocks.len(), split.sides[1].blocks.len(), split.since), (1, 2, NOW));
        heal(&mut state, "a", "b");
        let split = update(Some(split), &state, NOW.plus_ms(20)).expect("a split");
        assert_eq!((split.healed, split.outcome), (Some(NOW.plus_ms(20)), None), "a has not switched yet");
        move_to(&mut state, "a", 4, "4'", "3'");
        let split = update(Some(split), &state, NOW.plus_ms(30)).expect("a split");
        assert_eq!(split.outcome, Some((NOW.plus_ms(30), Some(1))));
        assert_eq!(split.lost().flat_map(|side| &side.blocks).collect::<Vec<_>>(), [&hash("3")]);
        assert_eq!(update(Some(split.clone()), &state, NOW.plus_ms(99)), Some(split));
    }

    #[test]
    fn without_blocks_nobody_wins() {
        let mut state = state(&[(1, "1", "0")], &[("a", 1, "1"), ("b", 1, "1")]);
        cut(&mut state, "a", "b");
        let split = update(None, &state, NOW);
        heal(&mut state, "a", "b");
        let split = update(split, &state, NOW).expect("a split");
        assert_eq!((split.outcome, split.lost().count()), (Some((NOW, None)), 2));
    }
}
