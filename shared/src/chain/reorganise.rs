//! Moving to another branch: undo block by block down to the fork, then apply the other branch, all on a trial overlay.
//!
//! Nothing is written, in memory or on disk, until the last block of the better branch has been applied. If one of its
//! blocks is invalid, dropping the overlay restores the old branch; otherwise one batch changes everything.

use super::side_branches::SideBlock;
use super::{BlockViolation, Chain, ChainEntry, Reorganisation, tables};
use crate::block::{BlockHash, BlockId, Height};
use crate::layer::{EffectError, Position};
use crate::state::{Journal, Overlay, Writes};
use crate::store::{StoreError, Table};
use std::collections::HashMap;

/// What changes when the chain moves to a branch that was applied on trial.
struct Trial {
    undone: Vec<ChainEntry>,
    applied: Vec<(ChainEntry, Journal)>,
    writes: Writes,
}

/// Why a branch cannot become the best chain.
enum TrialError {
    /// This block of it breaks a rule.
    Invalid(Box<ChainEntry>, BlockViolation),
    /// Our machine failed to run this block of it: the block may be valid.
    Unjudged(Box<ChainEntry>),
    Failed(StoreError),
}

impl From<StoreError> for TrialError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Chain {
    /// Moves to the valid branch with most work: tries the heaviest side branch, and the next one if that is invalid.
    pub(super) fn adopt_heaviest(&mut self) -> Result<(), StoreError> {
        while let Some(candidate) = self.side_branches.heaviest().filter(|entry| entry.work > self.tip.work).cloned() {
            self.write()?;
            let path = self.side_branches.path_to(&candidate.hash());
            let Some(fork) = self.side_branches.get(&candidate.hash()).map(|side| side.fork) else { return Ok(()) };
            match self.try_branch(fork, &path) {
                Ok(trial) => self.switch_to(fork, trial)?,
                Err(TrialError::Invalid(entry, violation)) => self.mark_invalid(&entry, fork, violation),
                // It may come again; until then, the branch must not be tried over and over.
                Err(TrialError::Unjudged(entry)) => self.drop_side_branch(&entry.hash()),
                Err(TrialError::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn try_branch(&self, fork: BlockId, path: &[ChainEntry]) -> Result<Trial, TrialError> {
        let rows = self.store.snapshot()?;
        let mut state = Overlay::new(&self.state);
        let mut undone = Vec::new();
        for height in (fork.index.0 + 1..=self.tip.index.0).rev() {
            let entry = tables::best_entry(rows.as_ref(), Height(height))?;
            state.undo(tables::journal(rows.as_ref(), entry.id())?);
            undone.push(entry);
        }
        let mut applied = Vec::with_capacity(path.len());
        let mut parent = tables::entry(rows.as_ref(), fork)?;
        for entry in path {
            let data = tables::body(rows.as_ref(), entry)?;
            let (journal, writes) = match self.rules.apply_data(&data, &Position::on(&parent.header), &state) {
                Ok(block) => (block.journal()?, block.into_writes()),
                Err(EffectError::Invalid(violation)) => {
                    return Err(TrialError::Invalid(Box::new(entry.clone()), violation.into()));
                }
                Err(EffectError::Machine(_)) => return Err(TrialError::Unjudged(Box::new(entry.clone()))),
                Err(EffectError::Failed(error)) => return Err(error.into()),
            };
            parent = entry.clone();
            applied.push((entry.clone(), journal));
            state.absorb(writes);
        }
        Ok(Trial { undone, applied, writes: state.into_writes() })
    }

    fn switch_to(&mut self, fork: BlockId, trial: Trial) -> Result<(), StoreError> {
        let Some(to) = trial.applied.last().map(|(entry, _)| entry.clone()) else { return Ok(()) };
        let rows = self.store.snapshot()?;
        for entry in &trial.undone {
            let key = tables::block_key(entry.id());
            let bytes = tables::body(rows.as_ref(), entry)?.len() as u64;
            self.pending.rows.delete(Table::Best, tables::height_bytes(entry.index));
            self.pending.rows.delete(Table::Undo, key);
            self.pending.rows.put(Table::SideBlocks, key, bytes.to_be_bytes());
            self.side_branches.insert(SideBlock { entry: entry.clone(), bytes, fork, wanted: false });
        }
        for (entry, journal) in &trial.applied {
            let key = tables::block_key(entry.id());
            self.pending.rows.put(Table::Best, tables::height_bytes(entry.index), *entry.hash().as_bytes());
            self.pending.rows.delete(Table::SideBlocks, key);
            if !journal.0.is_empty() {
                self.pending.rows.put(Table::Undo, key, journal.to_bytes());
            }
            self.side_branches.remove(&entry.hash());
        }
        self.state.absorb(trial.writes);
        let from = std::mem::replace(&mut self.tip, to.clone());
        self.update_forks();
        let applied: HashMap<_, _> = trial.applied.iter().map(|(entry, _)| (entry.hash(), entry.id())).collect();
        let leaves_at = |hash: &BlockHash| {
            applied.get(hash).copied().or_else(|| self.side_branches.get(hash).map(|side| side.fork))
        };
        self.invalid.update_forks(fork, leaves_at);
        self.evict_surplus();
        self.write_with_state()?;
        self.reorganisation = Some(Reorganisation { fork, from, to: to.clone() });
        self.ancestors = self.read_ancestors(&to)?;
        Ok(())
    }

    /// Records that a block breaks a rule, and drops its descendants.
    pub(super) fn mark_invalid(&mut self, entry: &ChainEntry, fork: BlockId, violation: BlockViolation) {
        let hash = entry.hash();
        let reason = violation.to_string();
        self.invalid.remember(entry, fork, violation);
        for side in self.side_branches.remove_with_descendants(&hash) {
            self.delete_side_block(&side);
            if side.entry.hash() != hash {
                let violation = BlockViolation::KnownInvalid { hash, reason: reason.clone() };
                self.invalid.remember(&side.entry, fork, violation);
            }
        }
    }

    /// Drops a side block and its descendants, without a verdict on them.
    fn drop_side_branch(&mut self, hash: &BlockHash) {
        for side in self.side_branches.remove_with_descendants(hash) {
            self.delete_side_block(&side);
        }
    }

    /// Drops the lightest side branches until the rest is within the limits.
    pub(super) fn evict_surplus(&mut self) {
        while let Some(side) =
            self.side_branches.to_evict(&self.limits).and_then(|hash| self.side_branches.remove(&hash))
        {
            self.delete_side_block(&side);
        }
    }

    fn delete_side_block(&mut self, side: &SideBlock) {
        self.pending.delete_side_block(&side.entry);
        self.unflushed.forget(&side.entry.hash());
    }

    /// Updates where each side branch leaves the best chain, after the best chain has changed.
    pub(super) fn update_forks(&mut self) {
        for id in self.side_branches.ids() {
            let Some(prev_hash) = self.side_branches.get(&id.hash).map(|side| side.entry.prev_hash) else { continue };
            let parent = BlockId { index: id.index.minus(1), hash: prev_hash };
            let fork = self.side_branches.get(&prev_hash).map_or(parent, |side| side.fork);
            self.side_branches.set_fork(&id.hash, fork);
        }
    }
}
