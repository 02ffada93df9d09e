//! Layer `data`: any text, which means nothing to the chain.

use super::{BrokenLayerRule, Effect, EffectError, Layer, Wanted};
use crate::block::Height;
use crate::state::{StateRead, StateView};

pub(super) struct Data;

impl Layer for Data {
    fn read(&self, _: &str) -> Result<Box<dyn Effect>, BrokenLayerRule> {
        Ok(Box::new(NoEffect))
    }

    fn template(&self, _: Height, _: &dyn StateRead, wanted: &Wanted<'_>) -> Result<String, EffectError> {
        Ok(wanted.message.to_owned())
    }
}

struct NoEffect;

impl Effect for NoEffect {
    fn apply(&self, _: Height, _: &mut dyn StateView) -> Result<(), EffectError> {
        Ok(())
    }
}
