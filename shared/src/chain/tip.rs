//! What a node reports about its branches: the best chain's tip, and the last block of each branch.

use crate::block::{BlockHash, BlockId, Height, Timestamp};
use crate::work::Work;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The best block of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tip {
    /// Its height.
    pub index: Height,
    /// Its hash.
    pub hash: BlockHash,
    /// When it was mined.
    pub timestamp: Timestamp,
    /// Total work of the chain up to it.
    pub work: Work,
}

impl Tip {
    /// The block's height and hash.
    pub const fn id(&self) -> BlockId {
        BlockId { index: self.index, hash: self.hash }
    }
}

/// One entry of `GET /tips` on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BranchTip {
    /// The branch's last block.
    pub index: Height,
    /// Its hash.
    pub hash: BlockHash,
    /// Total work up to it.
    pub work: Work,
    /// Where the branch leaves the best chain; the tip itself for the best chain.
    pub fork: BlockId,
    /// Whether it is valid and best.
    pub status: BranchStatus,
}

/// How a node classifies a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BranchStatus {
    /// The chain with most work.
    Best,
    /// Valid as far as it was checked, but with less work.
    Side,
    /// It breaks a rule.
    Invalid,
}
