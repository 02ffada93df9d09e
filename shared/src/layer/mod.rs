//! Layers: what the `data` of a block means (docs/protocol.md §3).
//!
//! The blocks, the mining and the chain are the same on every layer. A layer says three things: whether some data is
//! well-formed by itself, what it does to the state, and which data the next block should carry. It sees the state only
//! through [`StateView`], never storage, and never writes undo code. A new layer is one file here, one variant of
//! [`LayerName`] and one arm in [`build`].

mod data;

use crate::block::Height;
use crate::params::{LayerName, Params};
use crate::state::StateView;
use crate::store::StoreError;

/// A rule of a layer that some data breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BrokenLayerRule {
    /// The rule's name, stable, for programs.
    pub rule: &'static str,
    /// What was expected and what was found, for people.
    pub detail: String,
}

/// Why data does not take effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// The data breaks a rule on this state.
    #[error(transparent)]
    Broken(#[from] BrokenLayerRule),
    /// We failed to read the state.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// A way to interpret `data`.
pub trait Layer: Send + Sync {
    /// Reads `data` and checks all that needs no state: the third stage of validity (docs/protocol.md §4).
    ///
    /// # Errors
    /// The rule that the data breaks, whatever chain it stands on.
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, BrokenLayerRule>;

    /// The data of the next block, given what its miner wants to say.
    fn template(&self, message: &str) -> String;
}

/// What some data, once read, does to the state: the fourth stage of validity (docs/protocol.md §4).
pub trait Effect: Send {
    /// Applies the effect for a block at `index`. What was written before an error is undone by the caller.
    ///
    /// # Errors
    /// The rule that is broken on this state, or our own failure.
    fn apply(&self, index: Height, state: &mut dyn StateView) -> Result<(), EffectError>;
}

/// The layer that `params` choose.
pub fn build(params: &Params) -> Box<dyn Layer> {
    match params.layer {
        LayerName::Data => Box::new(data::Data),
    }
}
