//! Do the nodes agree on one chain, and if not, who follows which branch? Decided from the picture alone.

use super::BlockSummary;
use super::state::{NetworkState, chain};
use shared::block::{BlockHash, BlockId, Height};
use shared::chain::Tip;
use std::collections::{BTreeMap, BTreeSet};

/// What the answering nodes think of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The branches that they follow, the best first.
    pub(crate) branches: Vec<FollowedBranch>,
    /// The last block that all branches share, where it is known.
    pub(crate) fork: Option<BlockId>,
}

/// A branch that nodes follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FollowedBranch {
    /// Its newest block.
    pub(crate) tip: BlockId,
    /// Who stands on its newest block.
    pub(crate) at_tip: Vec<String>,
    /// Who stands on an older block of it.
    pub(crate) behind: Vec<String>,
}

impl Agreement {
    pub(crate) fn of(state: &NetworkState) -> Self {
        let mut tips: BTreeMap<BlockHash, (Tip, Vec<String>)> = BTreeMap::new();
        for (node, tip) in state.answering() {
            tips.entry(tip.hash).or_insert_with(|| (tip, Vec::new())).1.push(node.clone());
        }
        let mut tips: Vec<_> = tips.into_values().collect();
        tips.sort_by_key(|(tip, _)| std::cmp::Reverse((state.rank(tip), tip.index)));
        let mut branches: Vec<(FollowedBranch, BTreeSet<BlockHash>)> = Vec::new();
        for (tip, nodes) in tips {
            // Better tips came first, so a tip is either on a branch of those or begins its own.
            match branches.iter_mut().find(|(_, blocks)| blocks.contains(&tip.hash)) {
                Some((branch, _)) => branch.behind.extend(nodes),
                None => {
                    let blocks = chain(&state.blocks, tip.hash).flat_map(|block| [block.hash, block.prev_hash]);
                    let blocks = blocks.chain([tip.hash]).collect();
                    let tip = BlockId { index: tip.index, hash: tip.hash };
                    branches.push((FollowedBranch { tip, at_tip: nodes, behind: Vec::new() }, blocks));
                }
            }
        }
        let fork = fork(state, &branches);
        Self { branches: branches.into_iter().map(|(branch, _)| branch).collect(), fork }
    }

    /// Whether nodes follow different branches.
    pub(crate) fn is_forked(&self) -> bool {
        self.branches.len() > 1
    }
}

/// The newest block of the first branch that all others have too.
fn fork(state: &NetworkState, branches: &[(FollowedBranch, BTreeSet<BlockHash>)]) -> Option<BlockId> {
    let (first, others) = branches.split_first().filter(|(_, others)| !others.is_empty())?;
    let on_all = |hash: &BlockHash| others.iter().all(|(_, blocks)| blocks.contains(hash));
    let ancestors = chain(&state.blocks, first.0.tip.hash);
    let shared = |block: &BlockSummary| on_all(&block.prev_hash).then(|| below(block));
    ancestors.filter(|block| block.index > Height::GENESIS).find_map(shared)
}

fn below(block: &BlockSummary) -> BlockId {
    BlockId { index: block.index.minus(1), hash: block.prev_hash }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::reducer::tests::{hash, put_node_at, summary};

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

    #[test]
    fn nodes_on_one_block_agree() {
        let agreement = Agreement::of(&state(&[(1, "1", "0")], &[("a", 1, "1"), ("b", 1, "1")]));
        assert!(!agreement.is_forked() && agreement.fork.is_none());
        assert_eq!((agreement.branches[0].at_tip.len(), agreement.branches[0].tip.index.0), (2, 1));
    }

    #[test]
    fn who_lags_behind_is_on_no_branch_of_its_own() {
        let blocks = [(1, "1", "0"), (2, "2", "1"), (3, "3", "2")];
        let agreement = Agreement::of(&state(&blocks, &[("a", 3, "3"), ("b", 1, "1"), ("c", 0, "0")]));
        assert_eq!(agreement.branches.len(), 1);
        assert_eq!(agreement.branches[0].behind, ["b", "c"]);
    }

    // 1 ─ 2 ─ 3 ─ 4      a
    //     └── 3' ─ 4'    b, and c on 3'
    //      └─ 3"         d
    #[test]
    fn branches_part_where_the_last_common_block_is() {
        let blocks = [
            (1, "1", "0"),
            (2, "2", "1"),
            (3, "3", "2"),
            (4, "4", "3"),
            (3, "3'", "2"),
            (4, "4'", "3'"),
            (3, "3\"", "2"),
        ];
        let tips = [("a", 5, "4"), ("b", 4, "4'"), ("c", 3, "3'"), ("d", 3, "3\"")];
        let agreement = Agreement::of(&state(&blocks, &tips));
        let branches: Vec<_> =
            agreement.branches.iter().map(|branch| (branch.at_tip.len(), branch.behind.len())).collect();
        assert_eq!(branches, [(1, 0), (1, 1), (1, 0)]);
        assert_eq!(agreement.fork, Some(BlockId { index: Height(2), hash: hash("2") }));
    }

    #[test]
    fn branches_whose_beginning_is_unknown_are_branches_all_the_same() {
        let agreement = Agreement::of(&state(&[], &[("a", 7, "x"), ("b", 9, "y")]));
        assert!(agreement.is_forked() && agreement.fork.is_none());
    }
}
