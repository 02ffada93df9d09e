//! Changing to another branch: undo block by block down to the fork, apply the other branch, all on trial.
//!
//! Until the last block of the better branch has been applied nothing is written, in memory or on disk: if one of its
//! blocks turns out invalid, dropping the trial restores the old branch. Then everything changes in one batch.

use super::side_branches::SideBlock;
use super::{BlockViolation, Chain, ChainEntry, Reorganisation, tables};
use crate::block::{BlockHash, BlockId, Height};
use crate::layer::EffectError;
use crate::state::{Journal, Overlay, Writes};
use crate::store::{StoreError, Table};
use std::collections::HashMap;

/// A branch that was applied on trial, and what that took.
struct Trial {
    undone: Vec<ChainEntry>,
    applied: Vec<(ChainEntry, Journal)>,
    writes: Writes,
}

impl Chain {
    /// Moves to the branch with most work; where that breaks a rule, to the next best, which may be where we are.
    ///
    /// # Errors
    /// Our own failure; memory is then brought in line with the store before anything else is done.
    pub(super) fn adopt_heaviest(&mut self) -> Result<(), StoreError> {
        self.switch_to_heaviest().inspect_err(|_| self.lost = true)
    }

    fn switch_to_heaviest(&mut self) -> Result<(), StoreError> {
        while let Some(candidate) = self.side_branches.heaviest().filter(|entry| entry.work > self.tip.work).cloned() {
            self.commit()?;
            let path = self.side_branches.path_to(&candidate.hash());
            let Some(fork) = self.side_branches.get(&candidate.hash()).map(|side| side.fork) else { return Ok(()) };
            match self.try_branch(fork, &path)? {
                Ok(trial) => self.switch_to(fork, trial)?,
                Err((entry, broken)) => self.mark_invalid(&entry, fork, broken),
            }
        }
        Ok(())
    }

    /// Applies the branch without keeping anything; answers what to keep, or the block that breaks a rule.
    fn try_branch(
        &self,
        fork: BlockId,
        path: &[ChainEntry],
    ) -> Result<Result<Trial, (ChainEntry, BlockViolation)>, StoreError> {
        let rows = self.store.snapshot()?;
        let mut state = Overlay::new(&self.state);
        let mut undone = Vec::new();
        for height in (fork.index.0 + 1..=self.tip.index.0).rev() {
            let entry = tables::best_entry(rows.as_ref(), Height(height))?;
            state.undo(tables::journal(rows.as_ref(), entry.id())?);
            undone.push(entry);
        }
        let mut applied = Vec::with_capacity(path.len());
        for entry in path {
            let data = tables::body(rows.as_ref(), entry.id())?;
            let effect = match self.rules.read_data(&data) {
                Ok(effect) => effect,
                Err(broken) => return Ok(Err((entry.clone(), broken))),
            };
            let mut block = Overlay::new(&state);
            match effect.apply(entry.index, &mut block) {
                Ok(()) => {}
                Err(EffectError::Invalid(broken)) => return Ok(Err((entry.clone(), broken.into()))),
                Err(EffectError::Failed(error)) => return Err(error),
            }
            applied.push((entry.clone(), block.journal()?));
            let writes = block.into_writes();
            state.absorb(writes);
        }
        Ok(Ok(Trial { undone, applied, writes: state.into_writes() }))
    }

    fn switch_to(&mut self, fork: BlockId, trial: Trial) -> Result<(), StoreError> {
        let Some(to) = trial.applied.last().map(|(entry, _)| entry.clone()) else { return Ok(()) };
        let rows = self.store.snapshot()?;
        for entry in &trial.undone {
            let key = tables::block_key(entry.id());
            let bytes = tables::body(rows.as_ref(), entry.id())?.len() as u64;
            self.pending.delete(Table::Best, tables::height_bytes(entry.index));
            self.pending.delete(Table::Undo, key);
            self.pending.put(Table::SideBlocks, key, bytes.to_be_bytes());
            self.side_branches.insert(SideBlock { entry: entry.clone(), bytes, fork, wanted: false });
        }
        for (entry, journal) in &trial.applied {
            let key = tables::block_key(entry.id());
            self.pending.put(Table::Best, tables::height_bytes(entry.index), *entry.hash().as_bytes());
            self.pending.delete(Table::SideBlocks, key);
            if !journal.0.is_empty() {
                self.pending.put(Table::Undo, key, journal.to_bytes());
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
        self.flush()?;
        self.reorganisation = Some(Reorganisation { fork, from, to: to.clone() });
        self.ancestors = self.stored_ancestors(&to)?;
        Ok(())
    }

    /// Remembers that a block breaks a rule, and drops all that was built on it.
    pub(super) fn mark_invalid(&mut self, entry: &ChainEntry, fork: BlockId, broken: BlockViolation) {
        let hash = entry.hash();
        let reason = broken.to_string();
        self.invalid.remember(entry, fork, broken);
        for side in self.side_branches.remove_with_descendants(&hash) {
            self.delete_side(&side);
            if side.entry.hash() != hash {
                let broken = BlockViolation::KnownInvalid { hash, reason: reason.clone() };
                self.invalid.remember(&side.entry, fork, broken);
            }
        }
    }

    /// Drops the lightest side branches until their caps are kept.
    pub(super) fn evict_surplus(&mut self) {
        while let Some(side) =
            self.side_branches.eviction_candidate(&self.limits).and_then(|hash| self.side_branches.remove(&hash))
        {
            self.delete_side(&side);
        }
    }

    fn delete_side(&mut self, side: &SideBlock) {
        let key = tables::block_key(side.entry.id());
        for table in [Table::Headers, Table::Bodies, Table::SideBlocks] {
            self.pending.delete(table, key);
        }
        self.pending.delete(Table::Index, *side.entry.hash().as_bytes());
        self.unflushed.forget(&side.entry.hash());
    }

    /// Where each side branch leaves the best chain, after the best chain has changed.
    pub(super) fn update_forks(&mut self) {
        for id in self.side_branches.ids() {
            let Some(prev_hash) = self.side_branches.get(&id.hash).map(|side| side.entry.prev_hash) else { continue };
            let parent = BlockId { index: id.index.minus(1), hash: prev_hash };
            let fork = self.side_branches.get(&prev_hash).map_or(parent, |side| side.fork);
            self.side_branches.set_fork(&id.hash, fork);
        }
    }

    /// Whether a block is stored: on the best chain, on a side branch, or waiting to be committed.
    ///
    /// # Errors
    /// Only our own failures.
    pub fn contains(&self, hash: &BlockHash) -> Result<bool, StoreError> {
        if *hash == self.tip.hash() || self.side_branches.get(hash).is_some() || self.unflushed.find(hash).is_some() {
            return Ok(true);
        }
        Ok(tables::indexed_height(self.store.snapshot()?.as_ref(), hash)?.is_some())
    }
}
