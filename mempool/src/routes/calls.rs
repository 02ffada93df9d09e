//! Calls that are run and forgotten, and the steps of calls (docs/protocol.md §15).

use super::programs::has_programs;
use super::{id, page_limit};
use crate::machine::{Deadline, MAX_TIME, NOBODY, environment_on, most_gas, result, run};
use crate::past_state::{MAX_DEPTH, with_past_state};
use crate::pool_state::PoolState;
use crate::state::{MempoolState, not_ready, store_problem};
use crate::trace_page::{MAX_STEPS, Page};
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::chain::ChainSnapshot;
use shared::layer::Position;
use shared::layer::program::trace_transaction;
use shared::layer::transaction::locate_transaction;
use shared::ledger::{Address, Bundle, TransactionId};
use shared::program::{
    Account, Engine, EngineError, Environment, Execution, Message, Status, Target, Tracer, Word, code_key,
    write_account,
};
use shared::state::{Overlay, StateRead, StateView};
use shared::wire::{CallRequest, CallResult, Estimate, Problem, RunRequest};
use std::sync::Arc;
use utoipa::IntoParams;

/// Longest body: init code in hex, and the rest.
const BODY_BYTES: usize = 256 << 10;
/// Steps of one page unless `limit` says otherwise.
const DEFAULT_STEPS: usize = 100;
/// Most steps of one page.
const MAX_PAGE: usize = 1000;
/// Gas of loose code, unless given.
const RUN_GAS: u64 = 1_000_000;

pub(crate) async fn call(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let served = with_machine(&mempool, request, |pool_state, snapshot, engine, call: CallRequest| {
        let gas = wanted_gas(pool_state, call.gas)?;
        with_past_state(pool_state, snapshot, call.confirmations.unwrap_or(1), |state, block| {
            let environment = environment_on(pool_state.params(), block);
            let ended = run(engine, &environment, state, &call, gas, &mut Deadline::default());
            ended.map(result).map_err(|error| engine_problem(pool_state, &error))
        })
    });
    reply::json(&served.await?)
}

pub(crate) async fn estimate(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let served = with_machine(&mempool, request, |pool_state, snapshot, engine, call: CallRequest| {
        let most = wanted_gas(pool_state, call.gas)?;
        with_past_state(pool_state, snapshot, call.confirmations.unwrap_or(1), |state, block| {
            let environment = environment_on(pool_state.params(), block);
            match least_gas(pool_state, engine, &environment, state, &call, most)? {
                Ok(gas) => Ok(Estimate { gas }),
                Err(failed) => {
                    let CallResult { status, reason, .. } = result(failed);
                    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                    Err(server::unprocessable("call", format!("the call fails with any gas: {status}{reason}")))
                }
            }
        })
    });
    reply::json(&served.await?)
}

/// Gas with which a call succeeds, at most a sixty-fourth above the least; or how it fails with `most` gas.
pub(super) fn least_gas(
    pool_state: &PoolState,
    engine: &dyn Engine,
    environment: &Environment,
    state: &dyn StateRead,
    call: &CallRequest,
    most: u64,
) -> Result<Result<u64, Execution>, Problem> {
    let mut deadline = Deadline::default();
    let mut try_with = |gas| {
        let ended = run(engine, environment, state, call, gas, &mut deadline);
        ended.or_else(|error| match error {
            // Less than its bytes cost.
            EngineError::Refused(_) if gas < most => Ok(failed()),
            error => Err(engine_problem(pool_state, &error)),
        })
    };
    let best = try_with(most)?;
    if best.status != Status::Succeeded {
        return Ok(Err(best));
    }
    // What it used is too little where gas is given back at the end, or must be left over for a call.
    let (mut low, mut high) = (best.gas_used.saturating_sub(1), most);
    while high - low > high / 64 {
        // Most calls need little more than they use.
        let middle = (low + high) / 2;
        let middle = middle.min(low.saturating_mul(2).max(1));
        if try_with(middle)?.status == Status::Succeeded { high = middle } else { low = middle }
    }
    Ok(Ok(high))
}

fn failed() -> Execution {
    Execution {
        status: Status::Reverted,
        gas_used: 0,
        output: Vec::new(),
        logs: Vec::new(),
        changes: Default::default(),
    }
}

pub(crate) async fn run_code(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let served = with_machine(&mempool, request, |pool_state, snapshot, engine, wanted: RunRequest| {
        let gas = wanted_gas(pool_state, wanted.gas.or(Some(RUN_GAS)))?;
        let mut state = Overlay::new(snapshot);
        // The hash only finds the code again; any that no other code has will do.
        let hash = Word([0xff; 32]);
        state.put(&code_key(&hash), &wanted.code.0);
        write_account(&mut state, &NOBODY, &Account { code_hash: Some(hash), ..Account::default() });
        let caller = Address::nobody().account();
        let message = Message { caller, target: Target::Call(NOBODY), value: 0, gas, input: &wanted.data.0 };
        let mut page = Page::new(0, MAX_PAGE);
        let ended =
            engine.trace(&message, &environment_on(pool_state.params(), &snapshot.tip().header), &state, &mut page);
        page.finish(ended).map_err(|error| engine_problem(pool_state, &error))
    });
    reply::json(&served.await?)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceQuery {
    /// The first step, 0 unless given.
    #[param(inline, nullable = false)]
    from: Option<Number>,
    /// Most steps, 100 unless given, at most 1000.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn trace(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    has_programs(mempool.pool_state.params())?;
    let TraceQuery { from, limit } = request.query()?;
    let [text] = request.params()?;
    let id = id(text)?;
    let from = from.map_or(0, |Number(from)| from);
    let limit = page_limit(limit, DEFAULT_STEPS, MAX_PAGE);
    let turn = mempool.machine.turn().await?;
    let engine = mempool.machine.engine.clone();
    let trace = mempool.spawn_blocking(move |pool_state| {
        let _turn = turn;
        let snapshot = pool_state.snapshot().map_err(not_ready)?;
        let mut page = Page::new(from, limit);
        let ended = run_again(pool_state, &snapshot, &engine, &id, &mut page)?;
        page.finish(Ok(ended)).map_err(|error| engine_problem(pool_state, &error))
    });
    let trace = trace.await?;
    let next = from.saturating_add(limit as u64);
    let next = (next < trace.steps_in_all && limit > 0).then(|| format!("/trace/{id}?from={next}&limit={limit}"));
    Ok(super::link(reply::json(&trace)?, next))
}

/// Runs a call of the chain again, and shows `tracer` its steps.
pub(super) fn run_again(
    pool_state: &PoolState,
    snapshot: &ChainSnapshot,
    engine: &Arc<dyn Engine>,
    id: &TransactionId,
    tracer: &mut dyn Tracer,
) -> Result<Execution, Problem> {
    let missing = || super::no_call(pool_state, id);
    let read = || {
        let Some(place) = locate_transaction(snapshot, id)? else { return Ok(None) };
        let Some(parent) = snapshot.chain().best_at(place.index.minus(1))? else { return Ok(None) };
        let Some(block) = snapshot.chain().best_at(place.index)? else { return Ok(None) };
        Ok(Some((snapshot.chain().entry(parent)?, snapshot.chain().data(block)?, place.index)))
    };
    let (parent, data, index) = read().map_err(|error| store_problem(pool_state, &error))?.ok_or_else(missing)?;
    let depth = snapshot.tip().index.next().above(index);
    if depth > MAX_DEPTH {
        let detail = format!("the block is {depth} blocks deep, and traces reach {MAX_DEPTH} blocks down");
        return Err(server::unprocessable("depth", detail));
    }
    let before = snapshot.state_at(parent.index).map_err(|error| store_problem(pool_state, &error))?;
    let bundle: Bundle = serde_json::from_str(&data).map_err(|error| server::internal(error.to_string()))?;
    let place = bundle.transactions.iter().position(|one| one.id() == *id).ok_or_else(missing)?;
    let position = Position::on(&parent.header);
    let params = pool_state.params();
    let ended = trace_transaction(params, engine, &position, &before, &bundle, place, tracer);
    ended.map_err(|error| engine_problem(pool_state, &error))?.ok_or_else(missing)
}

/// Reads the body of a request, waits for a turn, and runs `work` on a thread that may take long.
async fn with_machine<B, T>(
    mempool: &MempoolState,
    mut request: Request,
    work: impl FnOnce(&PoolState, &ChainSnapshot, &dyn Engine, B) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem>
where
    B: serde::de::DeserializeOwned + Send + 'static,
    T: Send + 'static,
{
    has_programs(mempool.pool_state.params())?;
    let body: B = request.json(BODY_BYTES).await?;
    let turn = mempool.machine.turn().await?;
    let engine = mempool.machine.engine.clone();
    let run = mempool.spawn_blocking(move |pool_state| {
        let _turn = turn;
        let snapshot = pool_state.snapshot().map_err(not_ready)?;
        work(pool_state, &snapshot, engine.as_ref(), body)
    });
    run.await
}

pub(super) fn wanted_gas(pool_state: &PoolState, wanted: Option<u64>) -> Result<u64, Problem> {
    let most = most_gas(pool_state.params());
    match wanted {
        Some(gas) if gas > most => {
            Err(server::unprocessable("gas", format!("{gas} gas is more than a call may use here, {most}")))
        }
        wanted => Ok(wanted.unwrap_or(most)),
    }
}

pub(super) fn engine_problem(pool_state: &PoolState, error: &EngineError) -> Problem {
    match error {
        EngineError::Refused(reason) => server::unprocessable("call", reason.clone()),
        EngineError::Stopped => {
            let detail = format!("the call has more than {MAX_STEPS} steps, or runs longer than {MAX_TIME:?} here");
            server::unprocessable("steps", detail)
        }
        EngineError::State(error) => store_problem(pool_state, error),
        EngineError::Failed(reason) => {
            tracing::error!(reason, "the machine that runs programs failed");
            server::internal("the machine that runs programs failed; the log says why")
        }
    }
}
