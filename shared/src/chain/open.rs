//! Opening a store: an empty one gets genesis, a used one is restored.
//!
//! The cost does not grow with the chain: only the tip, the side branches and the blocks since the last flush are read.

use super::pending::Pending;
use super::published::Published;
use super::side_branches::{SideBlock, SideBranches, SideLimits};
use super::unflushed::UnflushedIndex;
use super::{Chain, ChainEntry, InvalidBlocks, Rules, SinceFlush, tables};
use crate::block::Height;
use crate::layer::{EffectError, Position};
use crate::state::State;
use crate::store::{Batch, Snapshot, Store, StoreError, Table};
use std::ops::ControlFlow;
use std::sync::Arc;

impl Chain {
    /// Opens the chain in `store`, or creates one if the store is empty.
    ///
    /// # Errors
    /// Only failures of the store: it cannot be read, is damaged, or holds another network.
    pub fn open(rules: Arc<Rules>, store: Arc<dyn Store>, limits: SideLimits) -> Result<Self, StoreError> {
        let mut chain = Self::open_with(rules, store, limits, UnflushedIndex::default(), Published::default())?;
        // A crash may have happened after the last block of a better branch was stored and before the chain moved to
        // it.
        chain.adopt_heaviest()?;
        Ok(chain)
    }

    pub(super) fn open_with(
        rules: Arc<Rules>,
        store: Arc<dyn Store>,
        limits: SideLimits,
        unflushed: UnflushedIndex,
        published: Published,
    ) -> Result<Self, StoreError> {
        let rows = store.snapshot()?;
        let Some(tip) = tables::tip(rows.as_ref())? else {
            drop(rows);
            store.commit(&genesis_batch(&rules))?;
            return Self::open_with(rules, store, limits, unflushed, published);
        };
        let genesis = tables::best_entry(rows.as_ref(), Height::GENESIS)?;
        if genesis.hash() != rules.params().network_id() {
            return Err(StoreError::OtherNetwork { found: genesis.hash().to_string() });
        }
        unflushed.clear();
        let mut chain = Self {
            tip: tables::entry(rows.as_ref(), tip)?,
            ancestors: Vec::new(),
            state: State::stored_in(rows.clone(), rules.keeps_history()),
            unflushed,
            published,
            since_flush: SinceFlush::default(),
            side_branches: stored_side_branches(rows.as_ref())?,
            invalid: InvalidBlocks::default(),
            pending: Pending::default(),
            side_ancestors: None,
            reorganisation: None,
            lost: false,
            rules,
            store,
            limits,
        };
        chain.ancestors = chain.read_ancestors(&chain.tip)?;
        chain.update_forks();
        chain.replay(rows.as_ref())?;
        chain.publish()?;
        Ok(chain)
    }

    /// Applies the blocks since the last flush to the state again.
    fn replay(&mut self, rows: &dyn Snapshot) -> Result<(), StoreError> {
        let flushed = rows.get(Table::Meta, tables::FLUSHED)?.map(|row| tables::parse_height(&row)).transpose()?;
        let from = flushed.unwrap_or(Height::GENESIS).next();
        let mut parent = tables::best_entry(rows, from.minus(1))?;
        for height in (from.0..=self.tip.index.0).map(Height) {
            let entry = tables::best_entry(rows, height)?;
            let data = tables::body(rows, &entry)?;
            let position = Position::on(&parent.header);
            let block = self.rules.apply_data(&data, &position, &self.state).map_err(|error| match error {
                EffectError::Failed(error) => error,
                EffectError::Machine(_) => StoreError::Failed(format!("block {height} cannot be applied: {error}")),
                EffectError::Invalid(violation) => {
                    StoreError::Damaged(format!("block {height} of the best chain is not valid: {violation}"))
                }
            })?;
            let writes = block.into_writes();
            self.state.absorb(writes);
            self.unflushed.insert(entry.hash(), height);
            self.since_flush.blocks += 1;
            self.since_flush.data_bytes += data.len() as u64;
            parent = entry;
        }
        Ok(())
    }
}

fn genesis_batch(rules: &Rules) -> Batch {
    let block = rules.params().genesis();
    let entry = ChainEntry::genesis(block.header().clone());
    let (key, height) = (tables::block_key(entry.id()), tables::height_bytes(entry.index));
    let mut batch = Batch::default();
    batch.put(Table::Headers, key, tables::header_row(&entry));
    batch.put(Table::Bodies, key, block.data());
    batch.put(Table::Best, height, *entry.hash().as_bytes());
    batch.put(Table::Index, *entry.hash().as_bytes(), height);
    batch.put(Table::Meta, tables::TIP, key);
    batch.put(Table::Meta, tables::FLUSHED, height);
    batch
}

fn stored_side_branches(rows: &dyn Snapshot) -> Result<SideBranches, StoreError> {
    let mut found = Vec::new();
    rows.scan(Table::SideBlocks, &[], &mut |key, row| {
        found.push((key.to_vec(), row.to_vec()));
        ControlFlow::Continue(())
    })?;
    let mut side_branches = SideBranches::default();
    for (key, row) in found {
        let id = tables::parse_block_key(&key)?;
        let bytes = tables::parse_height(&row)?.0;
        side_branches.insert(SideBlock { entry: tables::entry(rows, id)?, bytes, fork: id, wanted: false });
    }
    Ok(side_branches)
}
