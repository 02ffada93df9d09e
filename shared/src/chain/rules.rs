//! The rules of a network in one place: every block must keep them, whatever its sender and branch.

use super::{BlockError, BlockViolation, NotYet};
use crate::block::{Block, Header, Timestamp};
use crate::keys::{PlainVerifier, Verifier};
use crate::layer::{self, Effect, EffectError, Layer, Position};
use crate::params::{Params, RetargetRule};
use crate::program::{Engine, NoEngine};
use crate::state::{Overlay, StateRead};
use crate::work::retarget::{Ancestor, Retarget};
use std::sync::Arc;

/// The parameters of a network, and the layer and retarget rule that they choose.
pub struct Rules {
    params: Params,
    layer: Box<dyn Layer>,
    retarget: Box<dyn Retarget>,
    keeps_history: bool,
}

impl Rules {
    /// The rules that `params` choose; `params` must have passed [`Params::check`].
    pub fn new(params: Params) -> Self {
        Self::with_verifier(params, Arc::new(PlainVerifier))
    }

    /// The rules that `params` choose, with signatures checked by `verifier`, and without a machine that runs programs.
    pub fn with_verifier(params: Params, verifier: Arc<dyn Verifier>) -> Self {
        Self::with_engine(params, verifier, Arc::new(NoEngine))
    }

    /// The rules that `params` choose, with signatures checked by `verifier` and programs run by `engine`.
    pub fn with_engine(params: Params, verifier: Arc<dyn Verifier>, engine: Arc<dyn Engine>) -> Self {
        let layer = layer::build(&params, verifier, engine);
        Self::with_layer(params, layer)
    }

    /// The rules of `params` with another layer, for experiments and tests.
    pub fn with_layer(params: Params, layer: Box<dyn Layer>) -> Self {
        Self { layer, retarget: RetargetRule::build(&params), params, keeps_history: false }
    }

    /// The same rules, with the history of each block kept beside the state.
    #[must_use]
    pub fn keeping_history(self) -> Self {
        Self { keeps_history: true, ..self }
    }

    /// Whether the history of each block is kept.
    pub const fn keeps_history(&self) -> bool {
        self.keeps_history
    }

    /// The parameters.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The layer.
    pub fn layer(&self) -> &dyn Layer {
        self.layer.as_ref()
    }

    /// The retarget rule.
    pub fn retarget(&self) -> &dyn Retarget {
        self.retarget.as_ref()
    }

    /// The part of stage 1 that the type [`Block`] does not ensure: sizes.
    ///
    /// # Errors
    /// [`BlockViolation::DataTooLarge`].
    pub fn data_is_not_too_large(&self, block: &Block) -> Result<(), BlockViolation> {
        let (got, limit) = (block.data().len() as u64, self.params.max_data_bytes);
        if got <= limit { Ok(()) } else { Err(BlockViolation::DataTooLarge { got, limit }) }
    }

    /// Stage 2: the header on its branch. `ancestors` end with the parent, as for [`Retarget::next`].
    ///
    /// # Errors
    /// The first rule that it breaks; or that it is too far ahead of the clock, if it breaks none.
    pub fn header_follows(
        &self,
        header: &Header,
        parent: &Header,
        ancestors: &[Ancestor],
        now: Timestamp,
    ) -> Result<(), BlockError> {
        let expected = parent.hash();
        if header.prev_hash != expected {
            return Err(BlockViolation::WrongParent { got: header.prev_hash, expected }.into());
        }
        let expected = parent.index.next();
        if header.index != expected {
            return Err(BlockViolation::WrongIndex { got: header.index, expected }.into());
        }
        if header.timestamp <= parent.timestamp {
            return Err(BlockViolation::TimestampNotLater { got: header.timestamp, parent: parent.timestamp }.into());
        }
        let expected = self.retarget.next(header.index, ancestors);
        if header.difficulty != expected {
            return Err(BlockViolation::WrongDifficulty { got: header.difficulty, expected }.into());
        }
        let target = header.difficulty.target();
        if !target.is_met_by(&header.hash()) {
            return Err(BlockViolation::TargetMissed { got: header.hash(), target }.into());
        }
        let max_future_ms = self.params.max_future_ms;
        if header.timestamp > now.plus_ms(max_future_ms) {
            return Err(NotYet::TooFarAhead { timestamp: header.timestamp, now, max_future_ms }.into());
        }
        Ok(())
    }

    /// Stages 3 and 4: the data alone, and its effect on the state `below` the block at `position`.
    ///
    /// # Errors
    /// The rule that it breaks, or our own failure.
    pub fn apply_data<'a>(
        &self,
        data: &str,
        position: &Position,
        below: &'a dyn StateRead,
    ) -> Result<Overlay<'a>, EffectError> {
        let effect = self.layer.read(data)?;
        let mut block = Overlay::new(below);
        effect.apply(position, &mut block)?;
        Ok(block)
    }

    /// Stage 3: the data alone.
    ///
    /// # Errors
    /// The layer's rule that it breaks.
    pub fn read_data(&self, data: &str) -> Result<Box<dyn Effect>, BlockViolation> {
        Ok(self.layer.read(data)?)
    }
}
