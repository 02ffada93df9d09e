//! Runs one transaction of a block again, to show its steps.

use super::run::{self, BlockRun, Watch};
use super::{Programs, block_gas, chain_id};
use crate::keys::PlainVerifier;
use crate::layer::{EffectError, Position};
use crate::ledger::{Bundle, Span, Transaction};
use crate::params::Params;
use crate::program::{Engine, EngineError, Execution, LiveRows, Tracer};
use crate::state::{Overlay, StateRead};
use std::sync::Arc;

/// Runs the call at `place` of a block again, which stands at `position` on `before`, and shows `tracer` its steps;
/// `None` if it is no call. The transactions before it are applied again, so this costs as much as they did.
///
/// # Errors
/// [`EngineError::Stopped`] if the tracer stopped it; the others are our own failures.
pub fn trace_transaction(
    params: &Params,
    engine: &Arc<dyn Engine>,
    position: &Position,
    before: &dyn StateRead,
    bundle: &Bundle,
    place: usize,
    tracer: &mut dyn Tracer,
) -> Result<Option<Execution>, EngineError> {
    let Some(transaction) = bundle.transactions.get(place).and_then(Transaction::as_payment) else { return Ok(None) };
    let (Some(kind), Ok(Some(call))) = (transaction.call_kind(), transaction.call()) else { return Ok(None) };
    // Nothing is verified: the block is valid.
    let layer = Programs::new(params, Arc::new(PlainVerifier), engine.clone());
    let mut state = Overlay::new(before);
    let rows = LiveRows::new(&mut state);
    let mut run = BlockRun::new(&layer.0, position, &bundle.miner_address, &rows);
    for (number, earlier) in (0..).zip(&bundle.transactions[..place]) {
        run.apply(earlier, number, Span::default(), Watch::Nothing).map_err(failure)?;
    }
    run.take_fee(transaction).map_err(failure)?;
    let environment = run::environment_of(chain_id(params), block_gas(params), position, &bundle.miner_address);
    let message = run::message(transaction, transaction.from.account(), &call, kind);
    engine.trace(&message, &environment, &rows, tracer).map(Some)
}

fn failure(error: EffectError) -> EngineError {
    match error {
        EffectError::Failed(error) => EngineError::State(error),
        // The block is in the chain, so it breaks no rule.
        other => EngineError::Failed(other.to_string()),
    }
}
