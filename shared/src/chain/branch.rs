//! A branch of which only headers are known. Header-first sync validates it before it requests bodies.

use super::{BlockError, ChainEntry, Rules};
use crate::block::{BlockHash, BlockId, Header, Timestamp};
use crate::work::Work;
use crate::work::retarget::Ancestor;
use std::collections::VecDeque;

/// Consecutive headers on top of a stored block, each checked by stage 2.
///
/// Memory: 32 bytes for each header whose body is missing, and as many ancestors as the retarget rule needs.
pub struct Branch {
    fork: BlockId,
    last: ChainEntry,
    ancestors: Vec<Ancestor>,
    missing: VecDeque<BlockHash>,
}

impl Branch {
    /// An empty branch on top of `fork`. `ancestors` end with `fork` itself.
    pub(super) fn at(fork: ChainEntry, ancestors: Vec<Ancestor>) -> Self {
        Self { fork: fork.id(), last: fork, ancestors, missing: VecDeque::new() }
    }

    /// The block that the branch stands on.
    pub const fn fork(&self) -> BlockId {
        self.fork
    }

    /// The last header.
    pub const fn last(&self) -> &ChainEntry {
        &self.last
    }

    /// Total work up to the last header.
    pub const fn work(&self) -> Work {
        self.last.work
    }

    /// The blocks whose bodies are still to be fetched, oldest first.
    pub const fn missing(&mut self) -> &mut VecDeque<BlockHash> {
        &mut self.missing
    }

    /// Adds the next header if it keeps the rules. `have`: its body is stored already.
    ///
    /// # Errors
    /// The rule that it breaks, or that it is too far ahead of the clock; the branch is then unchanged.
    pub fn extend(&mut self, header: Header, rules: &Rules, now: Timestamp, have: bool) -> Result<(), BlockError> {
        rules.header_follows(&header, &self.last.header, &self.ancestors, now)?;
        let reach = rules.retarget().reach();
        if self.ancestors.len() >= 2 * reach + 256 {
            self.ancestors.drain(..self.ancestors.len() - reach);
        }
        if !have {
            self.missing.push_back(header.hash());
        }
        self.last = self.last.child(header);
        self.ancestors.push(self.last.ancestor());
        Ok(())
    }
}
