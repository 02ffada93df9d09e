//! The chain: which blocks are valid, where they stand in the block tree, and which branch is the best
//! (docs/protocol.md §4).
//!
//! One [`Chain`] is the only writer of its store. It decides and stores, but knows no events, peers or clocks: those
//! belong to its caller. Readers use a [`ChainView`] and never wait for it.
//!
//! The stages of validity have one home each: well-formed in `block`, the header on its branch in
//! [`Rules::header_follows`], the data alone in `Layer::read`, the data on its branch in `Effect::apply`.

mod accept;
mod branch;
mod durable;
mod entry;
mod invalid;
mod open;
mod pending;
mod published;
mod reader;
mod reorganise;
mod repair;
mod rules;
mod side_branches;
mod tables;
mod tip;
mod unflushed;
mod verdict;

pub use branch::Branch;
pub use entry::ChainEntry;
pub use published::ChainSnapshot;
pub use reader::{ChainReader, ChainView, MAX_LOCATOR};
pub use rules::Rules;
pub use side_branches::SideLimits;
pub use tip::{BranchStatus, BranchTip, Tip};
pub use verdict::{Accepted, BlockError, BlockViolation, NotYet, Reorganisation};

use crate::block::{BlockHash, BlockId, Height};
use crate::layer::{EffectError, Position, TemplateRequest};
use crate::state::State;
use crate::store::{Store, StoreError};
use crate::work::retarget::Ancestor;
use crate::work::{Difficulty, Work};
use invalid::InvalidBlocks;
use pending::Pending;
use published::Published;
use side_branches::SideBranches;
use std::sync::Arc;
use unflushed::UnflushedIndex;

/// Most branches that [`Chain::tips`] lists of each kind.
const MAX_TIPS: usize = 50;

/// How a block reaches the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Alone, mined or pushed: durable when [`Chain::accept`] returns; on a side branch only within [`SideLimits`].
    Single,
    /// As part of a branch whose headers outweigh the best chain: durable after [`Chain::commit`].
    Bulk,
}

/// The block tree of one network, and its only writer.
///
/// # Invariants
/// Every block on the best chain has passed all stages of validity; no stored valid branch has more work.
/// Memory and store differ at most by the blocks since the last commit.
pub struct Chain {
    rules: Arc<Rules>,
    store: Arc<dyn Store>,
    limits: SideLimits,
    tip: ChainEntry,
    /// Ends with the tip; at least as many as the retarget rule needs, if the chain has them.
    ancestors: Vec<Ancestor>,
    state: State,
    unflushed: UnflushedIndex,
    published: Published,
    since_flush: SinceFlush,
    side_branches: SideBranches,
    invalid: InvalidBlocks,
    pending: Pending,
    /// The ancestors of the side block that was validated last, since its child is likely to come next.
    side_ancestors: Option<(BlockHash, Vec<Ancestor>)>,
    reorganisation: Option<Reorganisation>,
    /// Memory does not agree with the store: a commit failed, or a read in the middle of a change.
    lost: bool,
}

#[derive(Default)]
struct SinceFlush {
    blocks: u64,
    data_bytes: u64,
}

impl Chain {
    /// The best chain's last block.
    pub const fn tip(&self) -> &ChainEntry {
        &self.tip
    }

    /// The network's rules.
    pub const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// A handle for readers.
    pub fn view(&self) -> ChainView {
        ChainView::new(self.store.clone(), self.unflushed.clone(), self.published.clone())
    }

    /// The difficulty that the next block on the tip must have.
    pub fn next_difficulty(&self) -> Difficulty {
        self.rules.retarget().next(self.tip.index.next(), &self.ancestors)
    }

    /// The data for the next block on the tip.
    ///
    /// # Errors
    /// Those of [`Layer::template`](crate::layer::Layer::template).
    pub fn template(&self, wanted: &TemplateRequest<'_>) -> Result<String, EffectError> {
        self.rules.layer().template(&Position::on(&self.tip.header), &self.state, wanted)
    }

    /// The ends of all branches: the best, the heaviest side branches, the newest invalid blocks.
    pub fn tips(&self) -> Vec<BranchTip> {
        let BlockId { index, hash } = self.tip.id();
        let best = BranchTip { index, hash, work: self.tip.work, fork: self.tip.id(), status: BranchStatus::Best };
        [best].into_iter().chain(self.side_branches.tips(MAX_TIPS)).chain(self.invalid.tips(MAX_TIPS)).collect()
    }

    /// The work of a side branch up to one of its blocks.
    pub fn side_work(&self, hash: &BlockHash) -> Option<Work> {
        self.side_branches.get(hash).map(|side| side.entry.work)
    }

    /// The rule of the layer that a block broke, if that is recorded.
    pub fn known_invalid(&self, hash: &BlockHash) -> Option<&BlockViolation> {
        self.invalid.violation(hash)
    }

    /// The last change to another branch. Returned once.
    pub const fn take_reorganisation(&mut self) -> Option<Reorganisation> {
        self.reorganisation.take()
    }

    /// Ends the protection of side blocks that were fetched for a branch whose other blocks will not come.
    ///
    /// # Errors
    /// Only failures of the store.
    pub fn clear_wanted(&mut self) -> Result<(), StoreError> {
        self.guarded(
            |_| true,
            |chain| {
                chain.side_branches.clear_wanted();
                chain.evict_surplus();
                Ok(())
            },
        )
    }

    /// Whether a block is stored or will be at the next commit, on any branch.
    ///
    /// # Errors
    /// Only failures of the store.
    pub fn contains(&self, hash: &BlockHash) -> Result<bool, StoreError> {
        if *hash == self.tip.hash() || self.side_branches.get(hash).is_some() || self.unflushed.find(hash).is_some() {
            return Ok(true);
        }
        Ok(tables::indexed_height(self.store.snapshot()?.as_ref(), hash)?.is_some())
    }

    /// An empty branch of headers on the block `fork`, if the chain has that block.
    ///
    /// # Errors
    /// Only failures of the store.
    pub fn branch_at(&self, fork: &BlockHash) -> Result<Option<Branch>, StoreError> {
        let Some((entry, _)) = self.find(fork)? else { return Ok(None) };
        let ancestors = self.ancestors_of(&entry)?;
        Ok(Some(Branch::at(entry, ancestors)))
    }

    /// A block that is stored or pending, and where its branch leaves the best chain: the block itself if it is on the
    /// best chain.
    fn find(&self, hash: &BlockHash) -> Result<Option<(ChainEntry, BlockId)>, StoreError> {
        if let Some(side) = self.side_branches.get(hash) {
            return Ok(Some((side.entry.clone(), side.fork)));
        }
        if let Some(entry) = self.pending.entry(hash) {
            return Ok(Some((entry.clone(), entry.id())));
        }
        let reader = self.view().reader()?;
        let Some(id) = reader.find(hash)? else { return Ok(None) };
        Ok(Some((reader.entry(id)?, id)))
    }

    /// The last headers up to and including `entry`, as many as the retarget rule needs.
    fn ancestors_of(&self, entry: &ChainEntry) -> Result<Vec<Ancestor>, StoreError> {
        if entry.hash() == self.tip.hash() {
            return Ok(self.ancestors.clone());
        }
        match &self.side_ancestors {
            Some((hash, ancestors)) if *hash == entry.hash() => Ok(ancestors.clone()),
            _ => self.read_ancestors(entry),
        }
    }

    fn read_ancestors(&self, entry: &ChainEntry) -> Result<Vec<Ancestor>, StoreError> {
        let rows = self.store.snapshot()?;
        let reach = self.rules.retarget().reach();
        let mut ancestors = Vec::with_capacity(reach);
        let mut next = entry.clone();
        while ancestors.len() < reach {
            ancestors.push(next.ancestor());
            if next.index == Height::GENESIS {
                break;
            }
            let id = BlockId { index: next.index.minus(1), hash: next.prev_hash };
            let parent = match self.pending.entry(&id.hash) {
                Some(entry) => entry.clone(),
                None => tables::entry(rows.as_ref(), id)?,
            };
            // The hash of a header does not cover the work that is stored with it.
            if next.work.saturating_sub(parent.work) != next.difficulty.work() {
                return Err(tables::damaged("work", next.id()));
            }
            next = parent;
        }
        ancestors.reverse();
        Ok(ancestors)
    }

    fn remember_ancestors(&mut self, entry: &ChainEntry, mut ancestors: Vec<Ancestor>) {
        self.trim(&mut ancestors);
        ancestors.push(entry.ancestor());
        self.side_ancestors = Some((entry.hash(), ancestors));
    }

    /// Keeps at most twice as many ancestors as needed, so that trimming costs little per block.
    fn trim(&self, ancestors: &mut Vec<Ancestor>) {
        let reach = self.rules.retarget().reach();
        if ancestors.len() >= 2 * reach + 256 {
            ancestors.drain(..ancestors.len() - reach);
        }
    }
}
