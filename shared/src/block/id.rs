//! A block's name together with its height.

use super::{BlockHash, Height};
use serde::{Deserialize, Serialize};

/// A block's height and hash: the hash alone names it, the height says where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlockId {
    /// Its height.
    pub index: Height,
    /// Its hash.
    pub hash: BlockHash,
}
