//! Accepting a block: it passes the stages of validity and joins the best chain or a side branch.

use super::side_branches::{SideBlock, SideLimits};
use super::{Accepted, BlockError, BlockViolation, Chain, ChainEntry, NotYet, Origin, tables};
use crate::block::{Block, BlockHash, BlockId, Timestamp};
use crate::layer::Position;
use crate::store::Table;

impl Chain {
    /// Validates a block and stores it, on the best chain if its branch has the most work.
    ///
    /// # Errors
    /// One of three refusals. After any of them the chain is unchanged, or has moved to a better valid branch.
    pub fn accept(&mut self, block: Block, now: Timestamp, origin: Origin) -> Result<Accepted, BlockError> {
        self.guarded(BlockError::is_failure, |chain| {
            // Does nothing unless an earlier change of branch could not be written.
            chain.adopt_heaviest()?;
            if let Some(violation) = chain.invalid.violation(&block.hash()) {
                return Err(known_invalid(block.hash(), violation).into());
            }
            chain.rules.data_is_not_too_large(&block)?;
            let verdict = if block.header().prev_hash == chain.tip.hash() {
                chain.accept_on_tip(&block, now)
            } else {
                chain.accept_side_block(&block, now, origin)
            };
            if origin == Origin::Single && !verdict.as_ref().is_err_and(BlockError::is_failure) {
                // A refusal changes the tree, too: it drops the descendants of an invalid block.
                chain.write()?;
            }
            verdict
        })
    }

    fn accept_on_tip(&mut self, block: &Block, now: Timestamp) -> Result<Accepted, BlockError> {
        self.rules.header_follows(block.header(), &self.tip.header, &self.ancestors, now)?;
        let (entry, fork) = (self.tip.child(block.header().clone()), self.tip.id());
        let result = self.apply(&entry, block.data());
        self.remember_if_invalid(&entry, fork, result)?;
        self.pending.put_block(&entry, block.data());
        self.pending.rows.put(Table::Best, tables::height_bytes(entry.index), *entry.hash().as_bytes());
        self.advance(entry, block.data().len() as u64);
        Ok(Accepted::Best)
    }

    /// Applies a block's data to the state of the tip, and keeps the journal that undoes it.
    fn apply(&mut self, entry: &ChainEntry, data: &str) -> Result<(), BlockError> {
        let block = self.rules.apply_data(data, &Position::on(&self.tip.header), &self.state)?;
        let journal = block.journal()?;
        let writes = block.into_writes();
        self.state.absorb(writes);
        if !journal.0.is_empty() {
            self.pending.rows.put(Table::Undo, tables::block_key(entry.id()), journal.to_bytes());
        }
        Ok(())
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
        let result = self.rules.read_data(block.data()).map(drop).map_err(BlockError::from);
        self.remember_if_invalid(&entry, fork, result)?;
        self.pending.put_block(&entry, block.data());
        let bytes = block.data().len() as u64;
        self.pending.rows.put(Table::SideBlocks, tables::block_key(entry.id()), bytes.to_be_bytes());
        self.pending.rows.put(Table::Index, *hash.as_bytes(), tables::height_bytes(entry.index));
        self.remember_ancestors(&entry, ancestors);
        self.side_branches.insert(SideBlock { entry, bytes, fork, wanted: origin == Origin::Bulk });
        self.adopt_heaviest()?;
        self.evict_surplus();
        match self.invalid.violation(&hash) {
            Some(violation) => Err(violation.clone().into()),
            None if self.side_branches.get(&hash).is_some() => Ok(Accepted::Side),
            None if self.contains(&hash)? => Ok(Accepted::Best),
            None => Err(NotYet::TooLight.into()),
        }
    }

    fn remember_if_invalid(
        &mut self,
        entry: &ChainEntry,
        fork: BlockId,
        result: Result<(), BlockError>,
    ) -> Result<(), BlockError> {
        result.inspect_err(|error| {
            if let BlockError::Invalid(violation) = error {
                self.mark_invalid(entry, fork, violation.clone());
            }
        })
    }

    /// The block's parent, and where the parent's branch leaves the best chain: the parent itself if it is on the best
    /// chain.
    fn parent_of(&self, block: &Block) -> Result<(ChainEntry, BlockId), BlockError> {
        let prev_hash = block.header().prev_hash;
        if let Some(violation) = self.invalid.violation(&prev_hash) {
            return Err(known_invalid(prev_hash, violation).into());
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
        if entry.work < self.tip.work.saturating_sub(self.tip.difficulty.work().times(lag.into())) {
            return Err(NotYet::TooLight);
        }
        Ok(())
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

fn known_invalid(hash: BlockHash, violation: &BlockViolation) -> BlockViolation {
    match violation {
        BlockViolation::KnownInvalid { .. } => violation.clone(),
        _ => BlockViolation::KnownInvalid { hash, reason: violation.to_string() },
    }
}
