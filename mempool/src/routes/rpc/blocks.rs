//! Blocks, and the transactions in them.

use super::Reader;
use super::failure::Failure;
use super::params::{BlockTag, Params, hash, number};
use super::view::{BlockView, quantity, transaction_json, unknown_block};
use serde_json::{Value, json};
use shared::block::BlockId;
use shared::layer::program::block_gas;
use shared::layer::transaction::locate_transaction;
use shared::ledger::TransactionId;

/// Most blocks of a history of fees: each is read.
const MAX_FEE_BLOCKS: u64 = 20;

impl Reader<'_> {
    /// The block that a request names, on the best chain.
    pub(super) fn find(&self, tag: BlockTag) -> Result<Option<BlockId>, Failure> {
        let (tip, chain) = (self.snapshot.tip(), self.snapshot.chain());
        Ok(match tag {
            BlockTag::Newest => Some(tip.id()),
            BlockTag::Number(index) if index > tip.index => None,
            BlockTag::Number(index) => chain.best_at(index)?,
            BlockTag::Hash(hash) => match chain.find(&hash)? {
                Some(id) if chain.is_best(id)? => Some(id),
                _ => None,
            },
        })
    }

    pub(super) fn block_by_number(&self, params: &Params) -> Result<Value, Failure> {
        params.need(0, "block")?;
        self.block(params.block(0)?, params)
    }

    pub(super) fn block_by_hash(&self, params: &Params) -> Result<Value, Failure> {
        self.block(BlockTag::Hash(hash("block", params.need(0, "block")?)?), params)
    }

    fn block(&self, tag: BlockTag, params: &Params) -> Result<Value, Failure> {
        let is_full = params.get(1).is_some_and(|full| *full == json!(true));
        let Some(id) = self.find(tag)? else { return Ok(Value::Null) };
        Ok(BlockView::read(self.snapshot, id)?.block(self.pool_state.params(), is_full))
    }

    /// What fees cost: gas has no price here, so only how full blocks were says something.
    pub(super) fn fee_history(&self, params: &Params) -> Result<Value, Failure> {
        let wanted = number("block count", params.need(0, "block count")?)?.clamp(1, MAX_FEE_BLOCKS);
        let newest = self.find(params.block(1)?)?.ok_or_else(unknown_block)?.index;
        let count = wanted.min(newest.0 + 1);
        let oldest = newest.minus(count - 1);
        let limit = block_gas(self.pool_state.params()) as f64;
        let mut ratios = Vec::new();
        for height in oldest.0..=newest.0 {
            let id = self.find(BlockTag::Number(shared::block::Height(height)))?.ok_or_else(unknown_block)?;
            ratios.push(BlockView::read(self.snapshot, id)?.gas_used() as f64 / limit);
        }
        let mut history = json!({
            "oldestBlock": quantity(oldest.0),
            "baseFeePerGas": vec![quantity(0); ratios.len() + 1],
            "gasUsedRatio": ratios,
        });
        if let Some(percentiles) = params.get(2).and_then(Value::as_array) {
            let rewards = vec![quantity(0); percentiles.len().min(100)];
            history["reward"] = json!(vec![rewards; count as usize]);
        }
        Ok(history)
    }

    pub(super) fn transaction(&self, params: &Params) -> Result<Value, Failure> {
        let id = hash("transaction", params.need(0, "transaction")?)?;
        if let Some((view, place)) = self.placed(&id)? {
            return Ok(view.transaction(self.pool_state.params(), place));
        }
        let pending = self.pool_state.pool(|pool| pool.get(&id).map(|pending| pending.transaction.clone()));
        Ok(pending.map_or(Value::Null, |pending| transaction_json(self.pool_state.params(), &pending, None)))
    }

    pub(super) fn receipt(&self, params: &Params) -> Result<Value, Failure> {
        let id = hash("transaction", params.need(0, "transaction")?)?;
        Ok(self.placed(&id)?.map_or(Value::Null, |(view, place)| view.receipt(place)))
    }

    /// The block of a confirmed transaction, and its place in it.
    fn placed(&self, id: &TransactionId) -> Result<Option<(BlockView, usize)>, Failure> {
        let Some(location) = locate_transaction(self.snapshot, id)? else { return Ok(None) };
        let Some(block) = self.snapshot.chain().best_at(location.index)? else { return Ok(None) };
        let view = BlockView::read(self.snapshot, block)?;
        let place = view.transactions().iter().position(|one| one.id() == *id);
        Ok(place.map(|place| (view, place)))
    }
}
