//! Layer `data`: any text, which means nothing to the chain.

use super::{BrokenLayerRule, Effect, EffectError, Layer};
use crate::block::Height;
use crate::state::StateView;

pub(super) struct Data;

impl Layer for Data {
    fn read(&self, _: &str) -> Result<Box<dyn Effect>, BrokenLayerRule> {
        Ok(Box::new(NoEffect))
    }

    fn template(&self, message: &str) -> String {
        message.to_owned()
    }
}

struct NoEffect;

impl Effect for NoEffect {
    fn apply(&self, _: Height, _: &mut dyn StateView) -> Result<(), EffectError> {
        Ok(())
    }
}
