//! The lines for a fork and for its end.

use super::Narrator;
use crate::event::RunEvent;
use crate::report::NodesOnBranch;
use shared::agreement::{Unknown, followed_branches};
use shared::block::{BlockHash, BlockId};
use std::cmp::Reverse;

/// How long nodes must differ before it counts as a fork. Longer than receptions are collected, since those come first.
const SETTLE_MS: u64 = 300;

impl Narrator {
    pub(super) fn push_forks(&mut self, at_ms: u64) {
        let branches = self.branches();
        if branches.len() > 1 {
            let since_ms = match self.differing {
                Some((count, since_ms)) if count == branches.len() => since_ms,
                _ => at_ms,
            };
            self.differing = Some((branches.len(), since_ms));
            if self.branches_reported != branches.len() && at_ms >= since_ms + SETTLE_MS {
                self.branches_reported = branches.len();
                self.push(at_ms, RunEvent::Fork { branches });
            }
            return;
        }
        self.differing = None;
        let tip = self.present().next().map(|(_, node)| node.tip);
        let Some(tip) = tip.filter(|tip| self.tips() == 1 && self.blocks.get(&tip.hash).is_some()) else { return };
        if self.branches_reported > 1 {
            self.push_reorganisations(at_ms, true);
            self.push_receptions(at_ms, true);
            self.branches_reported = 1;
            self.push(at_ms, RunEvent::Agreed { nodes: self.present().count(), tip });
        }
    }

    /// The nodes by branch. A node that merely lags behind belongs to the branch that it is behind on.
    fn branches(&self) -> Vec<NodesOnBranch> {
        let mut order: Vec<usize> = self.present().map(|(node, _)| node).collect();
        order.sort_by_key(|node| (Reverse(self.nodes[*node].tip.index), *node));
        let tips = order.into_iter().map(|node| (node, self.nodes[node].tip));
        let branches = followed_branches(tips, |block| self.blocks.parent(block), Unknown::SameBranch).into_iter();
        let mut branches: Vec<(BlockId, Vec<usize>)> =
            branches.map(|branch| (branch.tip, [branch.at_tip, branch.behind].concat())).collect();
        branches.sort_by_key(|(_, nodes)| nodes.iter().min().copied());
        let named = |(tip, nodes)| NodesOnBranch { nodes: self.sorted_names(nodes), tip };
        branches.into_iter().map(named).collect()
    }

    /// How many different tips the nodes have.
    pub(super) fn tips(&self) -> usize {
        let mut tips: Vec<BlockHash> = self.present().map(|(_, node)| node.tip.hash).collect();
        tips.sort_unstable();
        tips.dedup();
        tips.len()
    }
}
