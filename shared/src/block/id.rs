//! A block's hash together with its height.

use super::{BlockHash, Height};
use serde::{Deserialize, Serialize};

/// A block's height and hash. The hash alone identifies it; the height is the key of its row in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlockId {
    /// Its height.
    pub index: Height,
    /// Its hash.
    pub hash: BlockHash,
}
