//! The chain: which blocks are valid, where they stand in the block tree, and which branch is the best
//! (docs/protocol.md §4).
//!
//! One [`Chain`] is the only writer of its store. It decides and remembers, but does not talk: events, peers and clocks
//! are its caller's business. Readers use a [`View`] and never wait for it.
//!
//! The stages of validity have one home each: well-formed in `block`, the header on its branch in
//! [`Rules::header_follows`], the data alone in `Layer::read`, the data on its branch in `Effect::apply`.

mod branch;
mod entry;
mod invalid;
mod open;
mod reader;
mod reorganise;
mod rules;
mod sides;
mod tables;
mod unflushed;
mod verdict;

pub use branch::Branch;
pub use entry::Entry;
pub use reader::{MAX_LOCATOR, Reader, View};
pub use rules::Rules;
pub use sides::SideLimits;
pub use verdict::{Accepted, BrokenRule, NotYet, Refusal, Reorganisation};

use crate::block::{Block, BlockHash, Height, Timestamp};
use crate::layer::{Effect, EffectError};
use crate::state::{Overlay, State};
use crate::store::{Batch, Store, StoreError, Table};
use crate::wire::{BlockId, BranchStatus, BranchTip};
use crate::work::retarget::Ancestor;
use crate::work::{Difficulty, Work};
use invalid::Invalid;
use sides::{Side, Sides};
use std::sync::Arc;
use unflushed::Unflushed;

/// State and index are flushed after this many blocks at the latest …
const FLUSH_BLOCKS: u64 = 50_000;
/// … or this many bytes of data (what a restart after a crash must apply again) …
const FLUSH_DATA_BYTES: u64 = 64 << 20;
/// … or this many bytes of state.
const FLUSH_STATE_BYTES: usize = 32 << 20;
/// Most branches that [`Chain::tips`] lists of each kind.
const MAX_TIPS: usize = 50;

/// How a block comes to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By itself, mined or pushed: durable when [`Chain::accept`] returns; on a side branch only within [`SideLimits`].
    Single,
    /// As one of many of a branch whose headers outweigh the best chain: durable after [`Chain::commit`].
    Bulk,
}

/// The block tree of one network, and its only writer.
///
/// # Invariants
/// Every block on the best chain has passed all stages of validity; no stored valid branch has more work. What is in
/// memory and what is in the store differ at most by the blocks since the last commit.
pub struct Chain {
    rules: Arc<Rules>,
    store: Arc<dyn Store>,
    limits: SideLimits,
    tip: Entry,
    /// Ends with the tip; at least as many as the retarget rule looks at, if there are so many.
    ancestors: Vec<Ancestor>,
    state: State,
    unflushed: Unflushed,
    since_flush: SinceFlush,
    sides: Sides,
    invalid: Invalid,
    pending: Batch,
    /// The ancestors of the side block that was judged last, since its child is likely to come next.
    side_ancestors: Option<(BlockHash, Vec<Ancestor>)>,
    reorganisation: Option<Reorganisation>,
    /// Memory is not in line with the store: a commit failed, or reading did in the middle of a change.
    lost: bool,
}

#[derive(Default)]
struct SinceFlush {
    blocks: u64,
    data_bytes: u64,
}

impl Chain {
    /// The best chain's last block.
    pub const fn tip(&self) -> &Entry {
        &self.tip
    }

    /// The rules that it keeps.
    pub const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// A handle for readers.
    pub fn view(&self) -> View {
        View::new(self.store.clone(), self.unflushed.clone())
    }

    /// The difficulty that the next block on the tip must have.
    pub fn next_difficulty(&self) -> Difficulty {
        self.rules.retarget().next(self.tip.index.next(), &self.ancestors)
    }

    /// The data of a block on the tip, given what its miner wants to say.
    pub fn template(&self, message: &str) -> String {
        self.rules.layer().template(message)
    }

    /// The ends of all branches: the best, the heaviest side branches, the newest invalid blocks.
    pub fn tips(&self) -> Vec<BranchTip> {
        let BlockId { index, hash } = self.tip.id();
        let best = BranchTip { index, hash, work: self.tip.work, fork: self.tip.id(), status: BranchStatus::Best };
        [best].into_iter().chain(self.sides.tips(MAX_TIPS)).chain(self.invalid.tips(MAX_TIPS)).collect()
    }

    /// The work of a side branch up to one of its blocks.
    pub fn side_work(&self, hash: &BlockHash) -> Option<Work> {
        self.sides.get(hash).map(|side| side.entry.work)
    }

    /// How a block broke a rule of the layer, if that is remembered.
    pub fn known_invalid(&self, hash: &BlockHash) -> Option<&BrokenRule> {
        self.invalid.verdict(hash)
    }

    /// The last change to another branch, once.
    pub const fn take_reorganisation(&mut self) -> Option<Reorganisation> {
        self.reorganisation.take()
    }

    /// Judges a block and takes it if it is valid: on the best chain if its branch has the most work.
    ///
    /// # Errors
    /// One of three refusals. Whatever it is, the chain is as it was, or has moved to a better valid branch.
    pub fn accept(&mut self, block: Block, now: Timestamp, origin: Origin) -> Result<Accepted, Refusal> {
        self.recover()?;
        // There is something to adopt only if a change of branch could not be written when it was due.
        self.adopt_heaviest()?;
        if let Some(broken) = self.invalid.verdict(&block.hash()) {
            return Err(known_invalid(block.hash(), broken).into());
        }
        self.rules.data_is_not_too_large(&block)?;
        let accepted = if block.header().prev_hash == self.tip.hash() {
            self.accept_on_tip(&block, now)?
        } else {
            self.accept_beside(&block, now, origin)?
        };
        if origin == Origin::Single {
            self.commit()?;
        }
        Ok(accepted)
    }

    fn accept_on_tip(&mut self, block: &Block, now: Timestamp) -> Result<Accepted, Refusal> {
        self.rules.header_follows(block.header(), &self.tip.header, &self.ancestors, now)?;
        let entry = self.tip.child(block.header().clone());
        let judged = self.rules.read_data(block.data()).and_then(|effect| self.apply(effect.as_ref(), &entry));
        match judged {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(broken) => {
                self.condemn(&entry, self.tip.id(), broken.clone());
                return Err(broken.into());
            }
        }
        self.put_block(&entry, block.data());
        self.pending.put(Table::Best, tables::height_bytes(entry.index), *entry.hash().as_bytes());
        self.advance(entry, block.data().len() as u64);
        Ok(Accepted::Best)
    }

    /// Applies an effect on top of the tip and notes what undoes it.
    fn apply(&mut self, effect: &dyn Effect, entry: &Entry) -> Result<Result<(), StoreError>, BrokenRule> {
        let mut block = Overlay::new(&self.state);
        match effect.apply(entry.index, &mut block) {
            Ok(()) => {}
            Err(EffectError::Broken(broken)) => return Err(broken.into()),
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

    fn accept_beside(&mut self, block: &Block, now: Timestamp, origin: Origin) -> Result<Accepted, Refusal> {
        let hash = block.hash();
        if self.contains(&hash)? {
            return Ok(Accepted::Known);
        }
        let (parent, fork) = self.parent_of(block)?;
        let ancestors = self.ancestors_of(&parent)?;
        self.rules.header_follows(block.header(), &parent.header, &ancestors, now)?;
        let entry = parent.child(block.header().clone());
        if origin == Origin::Single && entry.work <= self.tip.work {
            self.is_worth_keeping(&entry, fork)?;
        }
        if let Err(broken) = self.rules.read_data(block.data()) {
            self.condemn(&entry, fork, broken.clone());
            return Err(broken.into());
        }
        self.put_block(&entry, block.data());
        let bytes = block.data().len() as u64;
        self.pending.put(Table::Sides, tables::block_key(entry.id()), bytes.to_be_bytes());
        self.pending.put(Table::Index, *hash.as_bytes(), tables::height_bytes(entry.index));
        self.remember_ancestors(&entry, ancestors);
        self.sides.insert(Side { entry, bytes, fork, wanted: origin == Origin::Bulk });
        self.adopt_heaviest()?;
        self.evict_surplus();
        match self.invalid.verdict(&hash) {
            Some(broken) => {
                let broken = broken.clone();
                self.commit()?;
                Err(broken.into())
            }
            None if self.sides.get(&hash).is_some() => Ok(Accepted::Side),
            None if self.contains(&hash)? => Ok(Accepted::Best),
            None => Err(NotYet::TooLight.into()),
        }
    }

    /// The block's parent, and where the parent's branch leaves the best chain: the parent itself if it is on it.
    fn parent_of(&mut self, block: &Block) -> Result<(Entry, BlockId), Refusal> {
        let prev_hash = block.header().prev_hash;
        if let Some(broken) = self.invalid.verdict(&prev_hash) {
            return Err(known_invalid(prev_hash, broken).into());
        }
        self.find(&prev_hash)?.ok_or_else(|| NotYet::UnknownParent(prev_hash).into())
    }

    /// A stored block, and where its branch leaves the best chain: itself if it is on it.
    fn find(&mut self, hash: &BlockHash) -> Result<Option<(Entry, BlockId)>, StoreError> {
        if let Some(side) = self.sides.get(hash) {
            return Ok(Some((side.entry.clone(), side.fork)));
        }
        self.commit()?;
        let reader = self.view().reader()?;
        let Some(id) = reader.find(hash)? else { return Ok(None) };
        Ok(Some((reader.entry(id)?, id)))
    }

    /// Bounds what a pushed side block may cost us (docs/protocol.md §4).
    fn is_worth_keeping(&self, entry: &Entry, fork: BlockId) -> Result<(), NotYet> {
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

    /// A branch of headers to be built on the block `fork`, if that is stored.
    ///
    /// # Errors
    /// Only our own failures.
    pub fn branch_at(&mut self, fork: &BlockHash) -> Result<Option<Branch>, StoreError> {
        self.recover()?;
        let Some((entry, _)) = self.find(fork)? else { return Ok(None) };
        let ancestors = self.ancestors_of(&entry)?;
        Ok(Some(Branch::at(entry, ancestors)))
    }

    /// Ends the protection of side blocks that were fetched for a branch which nobody completes.
    pub fn shelve_branches(&mut self) {
        self.sides.nothing_is_wanted();
        self.evict_surplus();
    }

    /// The last headers up to and including `entry`, as many as the retarget rule looks at.
    fn ancestors_of(&mut self, entry: &Entry) -> Result<Vec<Ancestor>, StoreError> {
        if entry.hash() == self.tip.hash() {
            return Ok(self.ancestors.clone());
        }
        if let Some((hash, ancestors)) = &self.side_ancestors
            && *hash == entry.hash()
        {
            return Ok(ancestors.clone());
        }
        self.commit()?;
        self.stored_ancestors(entry)
    }

    fn stored_ancestors(&self, entry: &Entry) -> Result<Vec<Ancestor>, StoreError> {
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
            next = tables::entry(rows.as_ref(), id)?;
        }
        ancestors.reverse();
        Ok(ancestors)
    }

    fn remember_ancestors(&mut self, entry: &Entry, mut ancestors: Vec<Ancestor>) {
        self.trim(&mut ancestors);
        ancestors.push(entry.ancestor());
        self.side_ancestors = Some((entry.hash(), ancestors));
    }

    /// Keeps twice as many ancestors as needed at the most, so that trimming costs little per block.
    fn trim(&self, ancestors: &mut Vec<Ancestor>) {
        let reach = self.rules.retarget().reach();
        if ancestors.len() >= 2 * reach + 256 {
            ancestors.drain(..ancestors.len() - reach);
        }
    }

    fn put_block(&mut self, entry: &Entry, data: &str) {
        let key = tables::block_key(entry.id());
        self.pending.put(Table::Headers, key, tables::header_row(entry));
        self.pending.put(Table::Bodies, key, data);
    }

    fn advance(&mut self, entry: Entry, data_bytes: u64) {
        self.since_flush.blocks += 1;
        self.since_flush.data_bytes += data_bytes;
        self.unflushed.insert(entry.hash(), entry.index);
        let mut ancestors = std::mem::take(&mut self.ancestors);
        self.trim(&mut ancestors);
        ancestors.push(entry.ancestor());
        self.ancestors = ancestors;
        self.tip = entry;
    }

    /// Whether everything that was accepted is durable.
    pub fn is_committed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Makes everything that was accepted durable.
    ///
    /// # Errors
    /// Our own failure. What was not durable yet is then forgotten, as if it had never come.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.recover()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        let due = self.since_flush.blocks >= FLUSH_BLOCKS
            || self.since_flush.data_bytes >= FLUSH_DATA_BYTES
            || self.state.unflushed_bytes() >= FLUSH_STATE_BYTES;
        if due {
            return self.flush();
        }
        self.pending.put(Table::Meta, tables::TIP, tables::block_key(self.tip.id()));
        self.write_pending()
    }

    /// Makes everything durable and brings the stored state and index up to the tip, so that a restart has nothing to
    /// apply again.
    ///
    /// # Errors
    /// As for [`Chain::commit`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.recover()?;
        for (hash, height) in self.unflushed.rows() {
            self.pending.put(Table::Index, *hash.as_bytes(), tables::height_bytes(height));
        }
        self.state.flush_into(&mut self.pending);
        self.pending.put(Table::Meta, tables::TIP, tables::block_key(self.tip.id()));
        self.pending.put(Table::Meta, tables::FLUSHED, tables::height_bytes(self.tip.index));
        self.write_pending()?;
        self.unflushed.flushed();
        self.state.flushed();
        self.since_flush = SinceFlush::default();
        Ok(())
    }

    fn write_pending(&mut self) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.pending);
        self.store.commit(&batch).inspect_err(|_| {
            self.lost = true;
            // If even reading fails now, the next call tries again.
            let _ = self.recover();
        })
    }

    /// Goes back to what the store has, if memory is not in line with it.
    fn recover(&mut self) -> Result<(), StoreError> {
        if self.lost {
            let invalid = std::mem::take(&mut self.invalid);
            let unflushed = self.unflushed.clone();
            let reopened = Self::open_with(self.rules.clone(), self.store.clone(), self.limits, unflushed)?;
            *self = Self { invalid, ..reopened };
        }
        Ok(())
    }
}

fn known_invalid(hash: BlockHash, broken: &BrokenRule) -> BrokenRule {
    match broken {
        BrokenRule::KnownInvalid { .. } => broken.clone(),
        _ => BrokenRule::KnownInvalid { hash, reason: broken.to_string() },
    }
}
