//! Layer `data`: any text, without a meaning for the chain.

use super::{Effect, EffectError, Layer, Position, TemplateRequest};
use crate::state::{StateRead, StateView};
use crate::violation::RuleViolation;

pub(super) struct Data;

impl Layer for Data {
    fn read(&self, _: &str) -> Result<Box<dyn Effect>, RuleViolation> {
        Ok(Box::new(NoEffect))
    }

    fn template(&self, _: &Position, _: &dyn StateRead, wanted: &TemplateRequest<'_>) -> Result<String, EffectError> {
        Ok(wanted.message.to_owned())
    }
}

struct NoEffect;

impl Effect for NoEffect {
    fn apply(&self, _: &Position, _: &mut dyn StateView) -> Result<(), EffectError> {
        Ok(())
    }
}
