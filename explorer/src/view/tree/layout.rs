//! The position of each block in the tree: heights are columns, branches are lanes.

use crate::network::{BlockSummary, KEPT_HEIGHTS, chain};
use shared::block::{BlockHash, Height};
use std::collections::{BTreeMap, BTreeSet};

/// Most branches that are drawn at one height.
const MAX_LANES: usize = 12;

#[derive(Debug, Default)]
pub(super) struct Layout<'a> {
    pub(super) placed: Vec<Placed<'a>>,
    pub(super) columns: usize,
    pub(super) lanes: usize,
    /// Blocks for which there was no room.
    pub(super) left_out: usize,
}

#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) block: &'a BlockSummary,
    pub(super) column: usize,
    /// 0 is the best chain.
    pub(super) lane: usize,
}

impl Placed<'_> {
    pub(super) fn is_best(&self) -> bool {
        self.lane == 0
    }
}

impl<'a> Layout<'a> {
    /// The branch of `best` gets lane 0; without it, the highest branch.
    pub(super) fn of(blocks: &'a BTreeMap<BlockHash, BlockSummary>, best: Option<BlockHash>) -> Self {
        let columns = columns(blocks);
        let mut shown: Vec<_> = blocks.values().filter(|block| columns.contains_key(&block.index)).collect();
        shown.sort_by_key(|block| std::cmp::Reverse((block.index, block.hash)));
        let best = best.filter(|best| blocks.contains_key(best)).or(shown.first().map(|block| block.hash));
        let mut layout = Self { columns: columns.len(), ..Self::default() };
        let mut lanes = Lanes::default();
        let mut placed_hashes = BTreeSet::new();
        for tip in best.into_iter().chain(shown.iter().map(|block| block.hash)) {
            let branch: Vec<_> = chain(blocks, tip)
                .map_while(|block| Some((block, *columns.get(&block.index)?)))
                .take_while(|(block, _)| placed_hashes.insert(block.hash))
                .collect();
            let (Some((_, last)), Some((_, first))) = (branch.first(), branch.last()) else { continue };
            match lanes.take(*first, *last) {
                Some(lane) => {
                    layout.lanes = layout.lanes.max(lane + 1);
                    layout.placed.extend(branch.into_iter().map(|(block, column)| Placed { block, column, lane }));
                }
                None => layout.left_out += branch.len(),
            }
        }
        layout.placed.sort_by_key(|placed| (placed.column, placed.lane));
        layout
    }
}

/// The columns of the highest heights that have blocks.
fn columns(blocks: &BTreeMap<BlockHash, BlockSummary>) -> BTreeMap<Height, usize> {
    let heights: BTreeSet<_> = blocks.values().map(|block| block.index).collect();
    let shown = usize::try_from(KEPT_HEIGHTS).unwrap_or(usize::MAX);
    let skipped = heights.len().saturating_sub(shown);
    heights.into_iter().skip(skipped).enumerate().map(|(column, height)| (height, column)).collect()
}

/// The columns that are used, as ranges for each lane.
#[derive(Debug, Default)]
struct Lanes(Vec<Vec<(usize, usize)>>);

impl Lanes {
    /// Returns the first lane that is free from column `first` to `last`, with a free column on both sides. The first
    /// branch has lane 0 to itself.
    fn take(&mut self, first: usize, last: usize) -> Option<usize> {
        if self.0.is_empty() {
            self.0.push(vec![(0, usize::MAX - 1)]);
            return Some(0);
        }
        let is_free = |taken: &Vec<(usize, usize)>| taken.iter().all(|(from, to)| last + 1 < *from || to + 1 < first);
        let lane = self.0.iter().position(is_free).unwrap_or(self.0.len());
        if lane == MAX_LANES {
            return None;
        }
        if lane == self.0.len() {
            self.0.push(Vec::new());
        }
        self.0[lane].push((first, last));
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tree::tests::{blocks, hash};

    fn places(blocks: &BTreeMap<BlockHash, BlockSummary>, best: &str) -> Vec<(String, usize, usize)> {
        let names: BTreeMap<_, _> = NAMES.iter().map(|name| (hash(name), (*name).to_owned())).collect();
        let layout = Layout::of(blocks, Some(hash(best)));
        layout.placed.iter().map(|placed| (names[&placed.block.hash].clone(), placed.column, placed.lane)).collect()
    }

    const NAMES: [&str; 10] = ["0", "1", "2", "3", "4", "2'", "3'", "2\"", "4'", "9"];

    fn expect(places: &[(String, usize, usize)], expected: &[(&str, usize, usize)]) {
        let places: Vec<_> = places.iter().map(|(name, column, lane)| (name.as_str(), *column, *lane)).collect();
        assert_eq!(places, expected);
    }

    // 0 ─ 1 ─ 2 ─ 3 ─ 4     best
    //     ├── 2' ─ 3'
    //     └── 2"
    #[test]
    fn each_branch_has_a_lane_below_the_best_chain() {
        let blocks = blocks(&[
            (0, "0", ""),
            (1, "1", "0"),
            (2, "2", "1"),
            (3, "3", "2"),
            (4, "4", "3"),
            (2, "2'", "1"),
            (3, "3'", "2'"),
            (2, "2\"", "1"),
        ]);
        let expected = [
            ("0", 0, 0),
            ("1", 1, 0),
            ("2", 2, 0),
            ("2'", 2, 1),
            ("2\"", 2, 2),
            ("3", 3, 0),
            ("3'", 3, 1),
            ("4", 4, 0),
        ];
        expect(&places(&blocks, "4"), &expected);
    }

    #[test]
    fn a_lane_is_used_again_after_a_free_column() {
        let chain = [(0, "0", ""), (1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (4, "4", "3")];
        let apart = blocks(&[&chain[..], &[(2, "2'", "1"), (4, "4'", "3")]].concat());
        assert_eq!(Layout::of(&apart, Some(hash("4"))).lanes, 2);
        let close = blocks(&[&chain[..], &[(2, "2'", "1"), (3, "3'", "2")]].concat());
        assert_eq!(Layout::of(&close, Some(hash("4"))).lanes, 3);
    }

    #[test]
    fn missing_heights_have_no_column_and_parents_may_be_unknown() {
        let blocks = blocks(&[(1, "1", "?"), (2, "2", "1"), (9, "9", "??")]);
        expect(&places(&blocks, "2"), &[("1", 0, 0), ("2", 1, 0), ("9", 2, 1)]);
    }

    #[test]
    fn an_empty_tree_and_an_unknown_tip_can_be_drawn() {
        assert!(Layout::of(&BTreeMap::new(), Some(hash("4"))).placed.is_empty());
        let blocks = blocks(&[(1, "1", "0"), (2, "2", "1")]);
        assert!(Layout::of(&blocks, Some(hash("unknown"))).placed.iter().all(Placed::is_best));
        assert!(Layout::of(&blocks, None).placed.iter().all(Placed::is_best));
    }

    #[test]
    fn what_is_drawn_is_bounded_in_both_directions() {
        let many: Vec<_> = (0..500).map(|number| number.to_string()).collect();
        let side: Vec<_> = (0..300).map(|number| format!("side {number}")).collect();
        let mut all: Vec<_> =
            (1..500).map(|index| (index as u64, many[index].as_str(), many[index - 1].as_str())).collect();
        all.extend(side.iter().map(|name| (499, name.as_str(), "498")));
        let blocks = blocks(&all);
        let layout = Layout::of(&blocks, Some(hash("499")));
        assert_eq!((layout.columns, layout.lanes, layout.left_out), (40, MAX_LANES, 300 - (MAX_LANES - 1)));
        assert_eq!(layout.placed.len(), 40 + MAX_LANES - 1);
    }
}
