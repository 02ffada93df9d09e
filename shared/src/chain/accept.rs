//! Judging a block: through the stages of validity, onto the best chain, or beside it.

use super::side_branches::{SideBlock, SideLimits};
use super::{Accepted, BlockError, BlockViolation, Chain, ChainEntry, NotYet, Origin, tables};
use crate::block::{Block, BlockHash, BlockId, Timestamp};
use crate::layer::{Effect, EffectError};
use crate::state::Overlay;
use crate::store::{StoreError, Table};

impl Chain {
    /// Judges a block and takes it if it is valid: on the best chain if its branch has the most work.
    ///
    /// # Errors
    /// One of three refusals. Whatever it is, the chain is as it was, or has moved to a better valid branch.
    pub fn accept(&mut self, block: Block, now: Timestamp, origin: Origin) -> Result<Accepted, BlockError> {
        self.recover()?;
        // There is something to adopt only if a change of branch could not be written when it was due.
        self.adopt_heaviest()?;
        if let Some(broken) = self.invalid.verdict(&block.hash()) {
            return Err(known_invalid(block.hash(), broken).into());
        }
        self.rules.data_is_not_too_large(&block)?;
        let judged = if block.header().prev_hash == self.tip.hash() {
            self.accept_on_tip(&block, now)
        } else {
            self.accept_side_block(&block, now, origin)
        };
        // A failure of our own may have come halfway: what memory has then is not to be trusted.
        self.lost |= matches!(judged, Err(BlockError::Failed(_)));
        if origin == Origin::Single && !self.lost {
            // A refusal, too, may have changed something: what was built on a bad block is dropped.
            self.commit()?;
        }
        judged
    }

    fn accept_on_tip(&mut self, block: &Block, now: Timestamp) -> Result<Accepted, BlockError> {
        self.rules.header_follows(block.header(), &self.tip.header, &self.ancestors, now)?;
        let entry = self.tip.child(block.header().clone());
        let judged = self.rules.read_data(block.data()).and_then(|effect| self.apply(effect.as_ref(), &entry));
        match judged {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(broken) => {
                self.mark_invalid(&entry, self.tip.id(), broken.clone());
                return Err(broken.into());
            }
        }
        self.put_block(&entry, block.data());
        self.pending.put(Table::Best, tables::height_bytes(entry.index), *entry.hash().as_bytes());
        self.advance(entry, block.data().len() as u64);
        Ok(Accepted::Best)
    }

    /// Applies an effect on top of the tip and notes what undoes it.
    fn apply(&mut self, effect: &dyn Effect, entry: &ChainEntry) -> Result<Result<(), StoreError>, BlockViolation> {
        let mut block = Overlay::new(&self.state);
        match effect.apply(entry.index, &mut block) {
            Ok(()) => {}
            Err(EffectError::Invalid(broken)) => return Err(broken.into()),
            Err(EffectError::Failed(error)) => return Ok(Err(error)),
        }
        let journal = match block.journal() {
            Ok(journal) => journal,
            Err(error) => return Ok(Err(error)),
        };
        let writes = block.into_writes();
        self.state.absorb(writes);
        if !journal.0.is_empty() {
            self.pending.put(Table::Undo, tables::block_key(entry.id()), journal.to_bytes());
        }
        Ok(Ok(()))
    }

    fn accept_side_block(&mut self, block: &Block, now: Timestamp, origin: Origin) -> Result<Accepted, BlockError> {
        let hash = block.hash();
        if self.contains(&hash)? {
            return Ok(Accepted::Known);
        }
        let (parent, fork) = self.parent_of(block)?;
        let ancestors = self.ancestors_of(&parent)?;
        self.rules.header_follows(block.header(), &parent.header, &ancestors, now)?;
        let entry = parent.child(block.header().clone());
        if origin == Origin::Single && entry.work <= self.tip.work {
            self.check_side_limits(&entry, fork)?;
        }
        if let Err(broken) = self.rules.read_data(block.data()) {
            self.mark_invalid(&entry, fork, broken.clone());
            return Err(broken.into());
        }
        self.put_block(&entry, block.data());
        let bytes = block.data().len() as u64;
        self.pending.put(Table::SideBlocks, tables::block_key(entry.id()), bytes.to_be_bytes());
        self.pending.put(Table::Index, *hash.as_bytes(), tables::height_bytes(entry.index));
        self.remember_ancestors(&entry, ancestors);
        self.side_branches.insert(SideBlock { entry, bytes, fork, wanted: origin == Origin::Bulk });
        self.adopt_heaviest()?;
        self.evict_surplus();
        match self.invalid.verdict(&hash) {
            Some(broken) => Err(broken.clone().into()),
            None if self.side_branches.get(&hash).is_some() => Ok(Accepted::Side),
            None if self.contains(&hash)? => Ok(Accepted::Best),
            None => Err(NotYet::TooLight.into()),
        }
    }

    /// The block's parent, and where the parent's branch leaves the best chain: the parent itself if it is on it.
    fn parent_of(&mut self, block: &Block) -> Result<(ChainEntry, BlockId), BlockError> {
        let prev_hash = block.header().prev_hash;
        if let Some(broken) = self.invalid.verdict(&prev_hash) {
            return Err(known_invalid(prev_hash, broken).into());
        }
        self.find(&prev_hash)?.ok_or_else(|| NotYet::UnknownParent(prev_hash).into())
    }

    /// Bounds what a pushed side block may cost us (docs/protocol.md §4).
    fn check_side_limits(&self, entry: &ChainEntry, fork: BlockId) -> Result<(), NotYet> {
        let SideLimits { depth: limit, lag, .. } = self.limits;
        let depth = self.tip.index.above(fork.index);
        if depth > limit {
            return Err(NotYet::TooDeep { depth, limit });
        }
        if entry.work < self.tip.work.saturating_sub(self.tip.difficulty.work().times(lag)) {
            return Err(NotYet::TooLight);
        }
        Ok(())
    }

    fn put_block(&mut self, entry: &ChainEntry, data: &str) {
        let key = tables::block_key(entry.id());
        self.pending.put(Table::Headers, key, tables::header_row(entry));
        self.pending.put(Table::Bodies, key, data);
    }

    fn advance(&mut self, entry: ChainEntry, data_bytes: u64) {
        self.since_flush.blocks += 1;
        self.since_flush.data_bytes += data_bytes;
        self.unflushed.insert(entry.hash(), entry.index);
        let mut ancestors = std::mem::take(&mut self.ancestors);
        self.trim(&mut ancestors);
        ancestors.push(entry.ancestor());
        self.ancestors = ancestors;
        self.tip = entry;
    }
}

fn known_invalid(hash: BlockHash, broken: &BlockViolation) -> BlockViolation {
    match broken {
        BlockViolation::KnownInvalid { .. } => broken.clone(),
        _ => BlockViolation::KnownInvalid { hash, reason: broken.to_string() },
    }
}
