//! The result of a run: numbers for `--json`, and whether the run went well.

use crate::money_proof::MoneyProof;
use serde::Serialize;
use shared::block::BlockId;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    pub seconds: f64,
    /// Blocks by which the best chain has grown.
    pub blocks: u64,
    pub agreed: bool,
    /// The block that they agreed on.
    pub tip: Option<BlockId>,
    /// The branches that the nodes were on; empty if they agreed.
    pub branches: Vec<NodesOnBranch>,
    /// Counts blocks on every branch.
    pub found: Vec<BlocksFound>,
    /// How often two blocks had the same parent.
    pub forks: u64,
    /// Over all nodes.
    pub reorganisations: u64,
    /// Most blocks that one reorganisation undid.
    pub deepest_reorganisation: u64,
    /// Blocks that did not stay on the best chain.
    pub stale: u64,
    /// Mean milliseconds between blocks.
    pub interval_ms: Option<u64>,
    pub interval_aimed_at_ms: u64,
    pub difficulty_first: Option<u64>,
    pub difficulty_last: Option<u64>,
    /// Blocks whose hashes, work and links were recomputed.
    pub checked: u64,
    /// Checked blocks that break a rule.
    pub bad: u64,
    /// Blocks that could not be fetched, and so not checked.
    pub unchecked: u64,
    /// What a thief tried; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thefts: Option<TheftCounts>,
    /// Services that ended before they were told to.
    pub failed_services: u64,
    /// Whether all money is accounted for; absent on a layer without money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyProof>,
}

/// How the thefts of a run ended; the others were not decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TheftCounts {
    pub tried: u64,
    pub managed: u64,
    pub given_up: u64,
}

/// Nodes that are on the same branch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodesOnBranch {
    pub nodes: Vec<String>,
    /// The last block of the branch.
    pub tip: BlockId,
}

/// How many blocks a node found, or somebody who is no node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlocksFound {
    /// The node's name, or the miner's.
    pub node: String,
    pub blocks: u64,
}

impl RunReport {
    /// Whether the program's exit code is 0: the nodes agreed, every service ran to the end, every block was checked
    /// and keeps the rules, and all money is accounted for.
    pub fn is_good(&self) -> bool {
        let is_accounted_for = self.money.as_ref().is_none_or(|money| money.proven);
        self.agreed && self.bad == 0 && self.unchecked == 0 && self.failed_services == 0 && is_accounted_for
    }
}
