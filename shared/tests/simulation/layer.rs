//! A layer with a stateless and a stateful rule, so that blocks can be wrong in either way and undoing matters.
//!
//! Data is a label. No label may occur twice on a chain (as no transaction may), and none may begin with `bad`.

use shared::layer::{Effect, EffectError, Layer, Position, TemplateRequest};
use shared::state::{StateRead, StateView};
use shared::violation::RuleViolation;

pub struct Labels;

struct Label(String);

fn broken(rule: &'static str, label: &str) -> RuleViolation {
    RuleViolation { rule, detail: format!("label {label:?}") }
}

impl Layer for Labels {
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation> {
        if data.starts_with("bad") {
            return Err(broken("label-is-not-bad", data));
        }
        Ok(Box::new(Label(data.to_owned())))
    }

    fn template(&self, _: &Position, _: &dyn StateRead, wanted: &TemplateRequest<'_>) -> Result<String, EffectError> {
        Ok(wanted.message.to_owned())
    }
}

impl Effect for Label {
    fn apply(&self, _: &Position, state: &mut dyn StateView) -> Result<(), EffectError> {
        if state.get(self.0.as_bytes())?.is_some() {
            return Err(broken("label-is-new", &self.0).into());
        }
        state.put(self.0.as_bytes(), &[1]);
        Ok(())
    }
}
