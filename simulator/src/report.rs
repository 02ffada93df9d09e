//! What a run came to: numbers for `--json`, and whether it went well.

use crate::event::NodesOnBranch;
use crate::money_proof::MoneyProof;
use serde::Serialize;
use shared::wire::BlockId;

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// How long it took.
    pub seconds: f64,
    /// Blocks that the best chain has gained.
    pub blocks: u64,
    /// Whether all nodes agreed at the end.
    pub agreed: bool,
    /// What they agreed on.
    pub tip: Option<BlockId>,
    /// Where they are, if they did not agree.
    pub branches: Vec<NodesOnBranch>,
    /// Who found how many blocks.
    pub found: Vec<BlocksFound>,
    /// Times that two blocks had the same parent.
    pub forks: u64,
    /// Reorganisations, over all nodes.
    pub reorganisations: u64,
    /// Most blocks that one of them undid.
    pub deepest_reorganisation: u64,
    /// Blocks that did not stay on the best chain.
    pub stale: u64,
    /// Mean milliseconds between blocks.
    pub interval_ms: Option<u64>,
    /// Milliseconds between blocks that were aimed at.
    pub interval_aimed_at_ms: u64,
    /// Difficulty of the first block.
    pub difficulty_first: Option<u64>,
    /// Difficulty of the last block.
    pub difficulty_last: Option<u64>,
    /// Blocks whose hashes, work and links were recomputed.
    pub checked: u64,
    /// Blocks among them that were not what they said.
    pub bad: u64,
    /// Blocks that could not be fetched to be checked.
    pub unchecked: u64,
    /// Services that ended although nobody asked them to.
    pub failed_services: u64,
    /// Whether every grain is where it must be, where there is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyProof>,
}

/// How many blocks a node found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlocksFound {
    /// Who.
    pub node: String,
    /// How many.
    pub blocks: u64,
}

impl RunReport {
    /// Whether the nodes agreed, no service failed, every block was checked, none was bad and all money was found: what
    /// the exit code tells.
    pub fn is_good(&self) -> bool {
        let is_found = self.money.as_ref().is_none_or(|money| money.proven);
        self.agreed && self.bad == 0 && self.unchecked == 0 && self.failed_services == 0 && is_found
    }
}
