//! An engine for programs and tests that run no programs of the chain.

use super::{Engine, EngineError, Environment, Execution, Machine, Message, Tracer};
use crate::state::StateRead;

/// Fails at every message. A chain with it takes payments of layer `program`, and judges no block that calls a program.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEngine;

impl Engine for NoEngine {
    fn intrinsic_gas(&self, _: &Message<'_>) -> u64 {
        0
    }

    fn machine<'a>(&self, _: &Environment, _: &'a dyn StateRead) -> Box<dyn Machine + 'a> {
        Box::new(Self)
    }

    fn trace(
        &self,
        _: &Message<'_>,
        _: &Environment,
        _: &dyn StateRead,
        _: &mut dyn Tracer,
    ) -> Result<Execution, EngineError> {
        Err(failed())
    }
}

impl Machine for NoEngine {
    fn run(&mut self, _: &Message<'_>) -> Result<Execution, EngineError> {
        Err(failed())
    }
}

fn failed() -> EngineError {
    EngineError::Failed("this program has no machine that runs programs".to_owned())
}
