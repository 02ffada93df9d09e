//! Layers: what the `data` of a block means (docs/protocol.md §3).
//!
//! The blocks, the mining and the chain are the same on every layer. A layer says three things: whether some data is
//! well-formed by itself, what it does to the state, and which data the next block should carry. It sees the state only
//! through [`StateView`], never storage, and never writes undo code. A new layer is one file here, one variant of
//! [`LayerName`] and one arm in [`build`].

mod data;
pub mod transaction;

use crate::block::{BlockId, Height};
use crate::keys::Verifier;
use crate::ledger::{Address, Transaction};
use crate::params::{LayerName, Params};
use crate::state::{StateRead, StateView};
use crate::store::{StoreError, Visit};
use crate::violation::RuleViolation;
use std::sync::Arc;

/// Why data does not take effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// The data breaks a rule on this state.
    #[error(transparent)]
    Invalid(#[from] RuleViolation),
    /// We failed to read the state.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// What a miner wants in its next block.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateRequest<'a> {
    /// What it says.
    pub message: &'a str,
    /// Who is to be paid; layers without money ignore it.
    pub miner: Option<Address>,
    /// What waits to be put into a block, the most wanted first; layers without transactions ignore it. All of them may
    /// be looked at, so whoever collects them bounds them.
    pub candidates: &'a [Arc<Transaction>],
}

/// A way to interpret `data`.
pub trait Layer: Send + Sync {
    /// Reads `data` and checks all that needs no state: the third stage of validity (docs/protocol.md §4).
    ///
    /// # Errors
    /// The rule that the data breaks, whatever chain it stands on.
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation>;

    /// The data of a block at `index` on `state`: as much of what is wanted as the rules allow.
    ///
    /// # Errors
    /// A rule that no data can keep with this message or miner, or our own failure.
    fn template(
        &self,
        index: Height,
        state: &dyn StateRead,
        wanted: &TemplateRequest<'_>,
    ) -> Result<String, EffectError>;
}

/// What some data, once read, does to the state: the fourth stage of validity (docs/protocol.md §4).
pub trait Effect: Send {
    /// Applies the effect for a block at `index`. What was written before an error is undone by the caller.
    ///
    /// # Errors
    /// The rule that is broken on this state, or our own failure.
    fn apply(&self, index: Height, state: &mut dyn StateView) -> Result<(), EffectError>;
}

/// What histories and balances are read from: the state after some block of the best chain, and the blocks up to it.
pub trait HistorySource: StateRead {
    /// Visits the state's rows from `from` on in ascending order, until told to stop.
    ///
    /// # Errors
    /// Only our own failures.
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The best chain's block at `index`, which must not lie above this state, and its data.
    ///
    /// # Errors
    /// Only our own failures.
    fn data_at(&self, index: Height) -> Result<(BlockId, String), StoreError>;
}

/// The layer that `params` choose.
pub fn build(params: &Params, verifier: Arc<dyn Verifier>) -> Box<dyn Layer> {
    match params.layer {
        LayerName::Data => Box::new(data::Data),
        LayerName::Transaction => Box::new(transaction::Transactions::new(params, verifier)),
    }
}
