//! Replays a chain of layer `program` in a fresh chain in memory, with an engine of its own: every block is judged
//! again, and every call runs again. So the money that programs hold and the tokens of a program are recomputed from
//! the blocks alone.

use crate::checker::Mismatch;
use crate::ledger::{MoneyParams, Replayed};
use engine::RevmEngine;
use serde_json::Value;
use shared::block::Block;
use shared::chain::{Accepted, Chain, Origin, Rules, SideLimits};
use shared::keys::PlainVerifier;
use shared::layer::program::{programs, slots};
use shared::layer::transaction::accounts;
use shared::params::Params;
use shared::program::Word;
use shared::store::MemoryStore;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Most addresses and slots that are compared.
const MAX_ROWS: usize = 1_000_000;
/// Most programs whose slots are compared.
const MAX_PROGRAMS: usize = 1000;

/// A chain that is replayed block after block.
pub(crate) struct ProgramReplay {
    chain: Chain,
    money: MoneyParams,
    replayed: Replayed,
}

impl ProgramReplay {
    /// The chain after the genesis block.
    ///
    /// # Errors
    /// If the block is not the genesis block of a network of this layer.
    pub(crate) fn begin(genesis: &Value) -> Result<Self, Mismatch> {
        let money = MoneyParams::of(genesis)?;
        let malformed = |reason: String| Mismatch::Malformed(reason);
        let data = genesis.get("data").and_then(Value::as_str).unwrap_or_default();
        let params: Params = serde_json::from_str(data).map_err(|error| malformed(error.to_string()))?;
        params.check().map_err(|error| malformed(error.to_string()))?;
        let rules = Rules::with_engine(params, Arc::new(PlainVerifier), Arc::new(RevmEngine::default()));
        let store = Arc::new(MemoryStore::default());
        let chain = Chain::open(Arc::new(rules.keeping_history()), store, SideLimits::default());
        let chain = chain.map_err(|error| malformed(error.to_string()))?;
        let tip_hash = chain.tip().id().hash.to_string();
        let blocks = HashSet::from([tip_hash.clone()]);
        Ok(Self { chain, money, replayed: Replayed { tip_hash, blocks, ..Replayed::default() } })
    }

    /// Judges and applies the next block.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub(crate) fn apply(&mut self, block: &Value) -> Result<(), Mismatch> {
        let malformed = |reason: String| Mismatch::Malformed(reason);
        let payments = self.money.payments(block)?;
        let block = Block::from_json(block.to_string().as_bytes()).map_err(|error| malformed(format!("{error}")))?;
        let (index, hash, now) = (block.index().0, block.hash().to_string(), block.header().timestamp);
        match self.chain.accept(block, now, Origin::Single) {
            Ok(Accepted::Best) => {}
            Ok(other) => {
                return Err(Mismatch::BrokenLink(format!("block {index} does not continue the chain: {other:?}")));
            }
            Err(error) => return Err(malformed(format!("block {index}: {error}"))),
        }
        self.replayed.ids.extend(payments.payments.into_iter().map(|payment| payment.id));
        self.replayed.created += u128::from(self.money.reward(index));
        self.replayed.blocks.insert(hash.clone());
        self.replayed.tip_hash = hash;
        Ok(())
    }

    /// Every balance, and every slot of every program.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) fn finish(mut self) -> Result<Replayed, Mismatch> {
        let malformed = |error: &dyn std::fmt::Display| Mismatch::Malformed(error.to_string());
        let state = self.chain.view().snapshot().map_err(|error| malformed(&error))?;
        let found = accounts(state.as_ref(), "lab1", "", MAX_ROWS).map_err(|error| malformed(&error))?;
        let rows = found.into_iter().map(|one| (one.address.to_string(), one.balance.grains()));
        self.replayed.balances = rows.collect();
        for program in programs(state.as_ref(), None, MAX_PROGRAMS).map_err(|error| malformed(&error))? {
            let address = program.origin.address;
            let found = slots(state.as_ref(), &address.account(), &Word::ZERO, MAX_ROWS);
            let found = found.map_err(|error| malformed(&error))?.into_iter();
            let found: BTreeMap<_, _> = found.map(|(slot, value)| (slot.to_string(), value.to_string())).collect();
            self.replayed.storage.insert(address.to_string(), found);
        }
        Ok(self.replayed)
    }
}
