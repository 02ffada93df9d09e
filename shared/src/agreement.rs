//! Do the nodes of a network agree on one chain, and if not, which nodes follow which branch?
//!
//! Decided from the tip that each node reports and from the blocks that the caller has heard of, which may be few. The
//! explorer's pages and the simulator's narration both show this; neither decides it.

use crate::block::BlockId;

/// Nodes whose tips are on the same branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedBranch<N> {
    /// The highest of their tips.
    pub tip: BlockId,
    /// The nodes whose tip is [`tip`](Self::tip).
    pub at_tip: Vec<N>,
    /// The nodes whose tip is an ancestor of [`tip`](Self::tip): they lag behind, and follow no branch of their own.
    pub behind: Vec<N>,
}

/// What a block counts as if it is unknown whether it is an ancestor of another one, since a block between them is
/// unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// An ancestor, so that no fork is reported before it is certain.
    SameBranch,
    /// No ancestor, so that no agreement is reported before it is certain.
    OtherBranch,
}

/// Returns the branches that nodes follow. More than one is a fork.
///
/// `tips` are the nodes with their tips, each tip before its ancestors; the branches come in the order of their first
/// tips. `parent_of` returns the parent of a block, or `None` for genesis and for a block that is not known.
pub fn followed_branches<N>(
    tips: impl IntoIterator<Item = (N, BlockId)>,
    parent_of: impl Fn(BlockId) -> Option<BlockId>,
    unknown: Unknown,
) -> Vec<FollowedBranch<N>> {
    let mut branches: Vec<FollowedBranch<N>> = Vec::new();
    for (node, tip) in tips {
        match branches.iter_mut().find(|branch| is_on_branch(tip, branch.tip, &parent_of, unknown)) {
            Some(branch) if branch.tip == tip => branch.at_tip.push(node),
            Some(branch) => branch.behind.push(node),
            None => branches.push(FollowedBranch { tip, at_tip: vec![node], behind: Vec::new() }),
        }
    }
    branches
}

/// Returns the block that all of `blocks` are, or `None` if two of them differ or there is none.
pub fn unanimous(blocks: impl IntoIterator<Item = BlockId>) -> Option<BlockId> {
    let mut blocks = blocks.into_iter();
    let first = blocks.next()?;
    blocks.all(|block| block == first).then_some(first)
}

/// Returns the highest block that is on the branches of all of `tips`, as far as blocks are known: where a fork begins.
pub fn common_ancestor(
    tips: impl IntoIterator<Item = BlockId>,
    parent_of: impl Fn(BlockId) -> Option<BlockId>,
) -> Option<BlockId> {
    let mut tips = tips.into_iter();
    let first = tips.next()?;
    tips.try_fold(first, |ancestor, tip| {
        let (mut one, mut other) = (ancestor, tip);
        while one != other {
            let (one_index, other_index) = (one.index, other.index);
            if one_index >= other_index {
                one = lower(one, &parent_of)?;
            }
            if other_index >= one_index {
                other = lower(other, &parent_of)?;
            }
        }
        Some(one)
    })
}

/// Whether `block` is `tip` or an ancestor of it.
fn is_on_branch(
    block: BlockId,
    tip: BlockId,
    parent_of: &impl Fn(BlockId) -> Option<BlockId>,
    unknown: Unknown,
) -> bool {
    let mut at = tip;
    while at.index > block.index {
        let Some(parent) = lower(at, parent_of) else { return unknown == Unknown::SameBranch };
        at = parent;
    }
    at == block
}

/// The parent of a block. A parent that is not lower counts as unknown, so that every walk ends.
fn lower(block: BlockId, parent_of: &impl Fn(BlockId) -> Option<BlockId>) -> Option<BlockId> {
    parent_of(block).filter(|parent| parent.index < block.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockHash, Height};

    fn id(index: u64, name: &str) -> BlockId {
        BlockId { index: Height(index), hash: BlockHash::of(name) }
    }

    // 0 ─ 1 ─ 2 ─ 3  ─ 4
    //         ├── 3' ─ 4'
    //         └── 3"
    fn parent_of(block: BlockId) -> Option<BlockId> {
        const BLOCKS: [(u64, &str, &str); 7] = [
            (1, "1", "0"),
            (2, "2", "1"),
            (3, "3", "2"),
            (4, "4", "3"),
            (3, "3'", "2"),
            (4, "4'", "3'"),
            (3, "3\"", "2"),
        ];
        let known = BLOCKS.iter().find(|(index, name, _)| id(*index, name) == block);
        known.map(|(index, _, parent)| id(index - 1, parent))
    }

    /// The branches as `tip: nodes at it | nodes behind`.
    fn check(tips: &[(&str, u64, &str)], unknown: Unknown, expected: &[(&str, &str, &str)]) {
        let tips = tips.iter().map(|(node, index, name)| (*node, id(*index, name)));
        let branches = followed_branches(tips, parent_of, unknown);
        let shown: Vec<_> = branches.iter().map(|b| (b.tip.hash, b.at_tip.concat(), b.behind.concat())).collect();
        let expected =
            expected.iter().map(|(tip, at, behind)| (BlockHash::of(tip), (*at).to_owned(), (*behind).to_owned()));
        assert_eq!(shown, expected.collect::<Vec<_>>());
    }

    #[test]
    fn nodes_on_one_block_follow_one_branch() {
        check(&[("a", 4, "4"), ("b", 4, "4")], Unknown::OtherBranch, &[("4", "ab", "")]);
        check(&[], Unknown::OtherBranch, &[]);
    }

    #[test]
    fn a_node_that_lags_behind_follows_no_branch_of_its_own() {
        let tips = [("a", 4, "4"), ("b", 4, "4'"), ("c", 3, "3'"), ("d", 3, "3\""), ("e", 2, "2"), ("f", 0, "0")];
        let expected = [("4", "a", "ef"), ("4'", "b", "c"), ("3\"", "d", "")];
        for unknown in [Unknown::OtherBranch, Unknown::SameBranch] {
            check(&tips, unknown, &expected);
        }
    }

    #[test]
    fn across_an_unknown_block_the_caller_decides() {
        let tips = [("a", 9, "9"), ("b", 4, "4")];
        check(&tips, Unknown::OtherBranch, &[("9", "a", ""), ("4", "b", "")]);
        check(&tips, Unknown::SameBranch, &[("9", "a", "b")]);
        // Two blocks of one height are never on one branch.
        let tips = [("a", 9, "9"), ("b", 9, "9'")];
        check(&tips, Unknown::SameBranch, &[("9", "a", ""), ("9'", "b", "")]);
    }

    #[test]
    fn a_fork_begins_at_the_last_common_block() {
        let ancestor =
            |tips: &[(u64, &str)]| common_ancestor(tips.iter().map(|(index, name)| id(*index, name)), parent_of);
        assert_eq!(ancestor(&[(4, "4"), (4, "4'")]), Some(id(2, "2")));
        assert_eq!(ancestor(&[(4, "4"), (4, "4'"), (3, "3\""), (1, "1")]), Some(id(1, "1")));
        assert_eq!(ancestor(&[(4, "4")]), Some(id(4, "4")));
        assert_eq!(ancestor(&[(9, "9"), (4, "4")]), None, "the blocks between are unknown");
        assert_eq!(ancestor(&[]), None);
    }

    #[test]
    fn a_block_that_names_itself_as_its_parent_ends_the_walk() {
        let own_parent = |block: BlockId| Some(block);
        let tips = || [("a", id(9, "9")), ("b", id(4, "4"))];
        assert_eq!(followed_branches(tips(), own_parent, Unknown::OtherBranch).len(), 2);
        assert_eq!(common_ancestor(tips().map(|(_, tip)| tip), own_parent), None);
    }

    #[test]
    fn nodes_are_unanimous_only_if_none_differs() {
        assert_eq!(unanimous([id(1, "1"), id(1, "1")]), Some(id(1, "1")));
        assert_eq!(unanimous([id(1, "1"), id(1, "1'")]), None);
        assert_eq!(unanimous([]), None);
    }
}
