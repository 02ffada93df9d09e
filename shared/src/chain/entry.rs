//! An entry of the block tree.

use super::Tip;
use crate::block::{BlockId, Header};
use crate::work::Work;
use crate::work::retarget::Ancestor;
use std::ops::Deref;

/// A header, and the work of the branch up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainEntry {
    /// The header.
    pub header: Header,
    /// Sum of the difficulties from genesis to this block, both included.
    pub work: Work,
}

impl ChainEntry {
    /// The entry of genesis.
    pub fn genesis(header: Header) -> Self {
        Self { work: header.difficulty.work(), header }
    }

    /// The entry of a child of this block.
    pub fn child(&self, header: Header) -> Self {
        Self { work: self.work + header.difficulty.work(), header }
    }

    /// Height and hash.
    pub fn id(&self) -> BlockId {
        BlockId { index: self.index, hash: self.hash() }
    }

    /// The block as the tip of a chain.
    pub fn tip(&self) -> Tip {
        Tip { index: self.index, hash: self.hash(), timestamp: self.timestamp, work: self.work }
    }

    pub(super) fn ancestor(&self) -> Ancestor {
        Ancestor { timestamp: self.timestamp, difficulty: self.difficulty }
    }
}

impl Deref for ChainEntry {
    type Target = Header;
    fn deref(&self) -> &Header {
        &self.header
    }
}
