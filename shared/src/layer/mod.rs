//! Layers: what the `data` of a block means (docs/protocol.md §3).
//!
//! The blocks, the mining and the chain are the same on every layer. A layer decides three things: whether data is
//! well-formed by itself, how it changes the state, and which data the next block should carry. It sees the state only
//! through [`StateView`], never storage, and never writes undo code. A new layer is one file here, one variant of
//! [`LayerName`] and one arm in [`build`].

mod account_balance;
mod data;
mod holdings;
pub mod program;
pub mod transaction;
pub mod utxo;

pub use holdings::{amount_in, changed_holdings, check_on_state};

use crate::block::{BlockHash, BlockId, Header, Height, Timestamp};
use crate::keys::Verifier;
use crate::ledger::{Address, Transaction};
use crate::params::{LayerName, Params};
use crate::program::Engine;
use crate::state::{StateRead, StateView};
use crate::store::{StoreError, Visit};
use crate::violation::RuleViolation;
use std::sync::Arc;

/// Why data cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// The data breaks a rule on this state.
    #[error(transparent)]
    Invalid(#[from] RuleViolation),
    /// The state could not be read.
    #[error(transparent)]
    Failed(#[from] StoreError),
    /// The machine that runs programs failed: our own fault, which says nothing about the data or the store.
    #[error("the machine that runs programs failed: {0}")]
    Machine(String),
}

/// Where a block stands: what is known of it before its own header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The block's height.
    pub index: Height,
    /// The hash of its parent.
    pub parent: BlockHash,
    /// The timestamp of its parent.
    pub parent_time: Timestamp,
}

impl Position {
    /// The position on top of `parent`.
    pub fn on(parent: &Header) -> Self {
        Self { index: parent.index.next(), parent: parent.hash(), parent_time: parent.timestamp }
    }
}

/// A miner's wishes for its next block.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateRequest<'a> {
    /// The miner's message.
    pub message: &'a str,
    /// The receiver of reward and fees; layers without money ignore it.
    pub miner: Option<Address>,
    /// Transactions that wait for a block, best first; layers without transactions ignore them. The layer may read all
    /// of them, so the caller must bound their number.
    pub candidates: &'a [Arc<Transaction>],
}

/// A way to interpret `data`.
pub trait Layer: Send + Sync {
    /// Reads `data` and checks everything that needs no state: the third stage of validity (docs/protocol.md §4).
    ///
    /// # Errors
    /// The rule that the data breaks.
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation>;

    /// Checks the rules of a transaction that need the layer's machine, but neither state nor signature.
    ///
    /// # Errors
    /// The rule that it breaks.
    fn check_machine_rules(&self, _: &Transaction) -> Result<(), RuleViolation> {
        Ok(())
    }

    /// The data of a block at `position` on `state`, with as many of the transactions as the rules allow.
    ///
    /// # Errors
    /// A rule that no data can keep with this message or miner, or a failure of the store.
    fn template(
        &self,
        position: &Position,
        state: &dyn StateRead,
        wanted: &TemplateRequest<'_>,
    ) -> Result<String, EffectError>;
}

/// The effect of data on the state: the fourth stage of validity (docs/protocol.md §4).
pub trait Effect: Send {
    /// Applies the effect for a block at `position`. After an error the caller undoes what was written.
    ///
    /// # Errors
    /// The rule that is broken on this state, or our own failure.
    fn apply(&self, position: &Position, state: &mut dyn StateView) -> Result<(), EffectError>;
}

/// The state after a block of the best chain and the blocks up to it, from which histories and balances are read.
pub trait HistorySource: StateRead {
    /// Visits the state's rows from `from` on in ascending order, until `visit` stops it.
    ///
    /// # Errors
    /// Only failures of the store.
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The best chain's block at `index`, which must not lie above this state, and its data.
    ///
    /// # Errors
    /// Only failures of the store.
    fn data_at(&self, index: Height) -> Result<(BlockId, String), StoreError>;
}

/// The layer that `params` choose. Only layer `program` uses the engine.
pub fn build(params: &Params, verifier: Arc<dyn Verifier>, engine: Arc<dyn Engine>) -> Box<dyn Layer> {
    match params.layer {
        LayerName::Data => Box::new(data::Data),
        LayerName::Transaction => Box::new(transaction::Transactions::new(params, verifier)),
        LayerName::Program => Box::new(program::Programs::new(params, verifier, engine)),
        LayerName::Utxo => Box::new(utxo::Coins::new(params, verifier)),
    }
}
