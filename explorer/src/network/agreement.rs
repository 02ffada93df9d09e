//! Do the nodes agree on one chain, and if not, which nodes follow which branch? Decided by [`shared::agreement`] from
//! the network's state.

use super::state::NetworkState;
use shared::agreement::{self, Unknown, followed_branches};
use shared::block::{BlockId, Height};
use std::cmp::Reverse;

/// A branch and the addresses of the nodes that follow it.
pub(crate) type FollowedBranch = agreement::FollowedBranch<String>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The branches that nodes follow, the best first.
    pub(crate) branches: Vec<FollowedBranch>,
    /// The last block that all branches have in common; `None` without a fork, or if it is not known.
    pub(crate) fork: Option<BlockId>,
}

impl Agreement {
    pub(crate) fn of(state: &NetworkState) -> Self {
        let mut tips: Vec<_> = state.answering().collect();
        tips.sort_by_key(|(_, tip)| Reverse((state.rank(tip), tip.index)));
        let parent_of = |block| parent(state, block);
        let tips = tips.into_iter().map(|(node, tip)| (node.clone(), tip.id()));
        let branches = followed_branches(tips, parent_of, Unknown::OtherBranch);
        let fork = if branches.len() > 1 {
            agreement::common_ancestor(branches.iter().map(|branch| branch.tip), parent_of)
        } else {
            None
        };
        Self { branches, fork }
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.branches.len() > 1
    }
}

fn parent(state: &NetworkState, block: BlockId) -> Option<BlockId> {
    let block = state.blocks.get(&block.hash).filter(|block| block.index > Height::GENESIS)?;
    Some(BlockId { index: block.index.minus(1), hash: block.prev_hash })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{hash, put_node_at, summary};

    fn agreement(blocks: &[(u64, &str, &str)], tips: &[(&str, u64, &str)]) -> Agreement {
        let mut state = NetworkState::default();
        for (index, name, parent) in blocks {
            state.blocks.insert(hash(name), summary(*index, name, parent));
        }
        for (node, index, name) in tips {
            put_node_at(&mut state, node, *index, name);
        }
        Agreement::of(&state)
    }

    #[test]
    fn a_node_that_lags_behind_follows_no_branch_of_its_own() {
        let blocks = [(1, "1", "0"), (2, "2", "1"), (3, "3", "2")];
        let agreement = agreement(&blocks, &[("a", 3, "3"), ("b", 1, "1"), ("c", 0, "0")]);
        assert!(!agreement.is_forked() && agreement.fork.is_none());
        assert_eq!(
            (&*agreement.branches[0].at_tip, &*agreement.branches[0].behind),
            (&["a".to_owned()][..], &["b".to_owned(), "c".to_owned()][..])
        );
    }

    // 1 ─ 2 ─ 3 ─ 4      a
    //     └── 3' ─ 4'    b, and c on 3'
    #[test]
    fn a_fork_begins_where_the_last_common_block_is() {
        let blocks = [(1, "1", "0"), (2, "2", "1"), (3, "3", "2"), (4, "4", "3"), (3, "3'", "2"), (4, "4'", "3'")];
        let agreement = agreement(&blocks, &[("a", 4, "4"), ("b", 4, "4'"), ("c", 3, "3'")]);
        let counts: Vec<_> =
            agreement.branches.iter().map(|branch| branch.at_tip.len() + branch.behind.len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 3);
        assert_eq!((counts.len(), agreement.fork), (2, Some(BlockId { index: Height(2), hash: hash("2") })));
    }

    #[test]
    fn branches_whose_beginning_is_unknown_are_still_branches() {
        let agreement = agreement(&[], &[("a", 7, "x"), ("b", 9, "y")]);
        assert!(agreement.is_forked() && agreement.fork.is_none());
        assert_eq!(agreement.branches[0].at_tip, ["b"], "the one with more work comes first");
    }
}
