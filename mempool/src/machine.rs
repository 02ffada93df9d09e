//! The mempool's use of the machine that runs programs: calls that are run and forgotten.
//!
//! Such reads burn processor time for strangers, so they are bounded by gas, by time, and by the number that runs at a
//! time.

use runtime::server;
use shared::block::Header;
use shared::layer::Position;
use shared::layer::program::{LogEntry, block_gas, environment};
use shared::ledger::Address;
use shared::params::Params;
use shared::program::{
    AccountId, Engine, EngineError, Environment, Execution, HexBytes, MAX_CALL_GAS, Message, Status, Step, Target,
    Tracer, revert_reason,
};
use shared::state::StateRead;
use shared::wire::{CallRequest, CallResult, Problem};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Most calls and traces that run at a time.
const MAX_RUNS: usize = 2;
/// Longest wait for a turn.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Longest time of the runs of one request.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(5);
/// How many steps pass between two looks at the clock.
const STEPS_BETWEEN: u32 = 1024;
/// An account that has neither a key nor a program: the caller of a call without one, and the place of loose code.
pub(crate) const NOBODY: AccountId = AccountId([0xff; 20]);
/// The place of a program that is deployed and forgotten: not its caller's, whose nonce would make it look taken.
const NEW_PROGRAM: AccountId = AccountId([0xfe; 20]);

/// The machine, and turns to use it.
#[derive(Clone)]
pub(crate) struct ProgramMachine {
    pub(crate) engine: Arc<dyn Engine>,
    turns: Arc<Semaphore>,
}

impl ProgramMachine {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine, turns: Arc::new(Semaphore::new(MAX_RUNS)) }
    }

    /// Waits for a turn to run programs. It ends when the permit is dropped, so it must be kept while they run.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout(MAX_WAIT, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(|error| server::internal(error.to_string())),
            Err(_) => Err(server::unavailable("too many calls run at the moment; try again")),
        }
    }
}

/// What a call sees that is run on top of a block.
pub(crate) fn environment_on(params: &Params, block: &Header) -> Environment {
    environment(params, &Position::on(block), &Address::of_program(NOBODY))
}

/// Stops runs that take too long: a tracer that only looks at the clock.
pub(crate) struct Deadline {
    end: Instant,
    steps: u32,
}

impl Default for Deadline {
    fn default() -> Self {
        Self { end: Instant::now() + MAX_TIME, steps: 0 }
    }
}

impl Deadline {
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}

impl Tracer for Deadline {
    fn step(&mut self, _: &Step<'_>) -> ControlFlow<()> {
        self.steps += 1;
        if self.steps < STEPS_BETWEEN {
            return ControlFlow::Continue(());
        }
        self.steps = 0;
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The most gas of a call that is run and forgotten.
pub(crate) fn most_gas(params: &Params) -> u64 {
    block_gas(params).min(MAX_CALL_GAS)
}

/// Runs a call on `state` with this gas until the deadline, and keeps nothing.
pub(crate) fn run(
    engine: &dyn Engine,
    environment: &Environment,
    state: &dyn StateRead,
    request: &CallRequest,
    gas: u64,
    deadline: &mut Deadline,
) -> Result<Execution, EngineError> {
    let target = request.to.map_or(Target::Create(NEW_PROGRAM), |to| Target::Call(to.account()));
    let caller = request.from.map_or(NOBODY, |from| from.account());
    let message = Message { caller, target, value: request.amount.grains(), gas, input: &request.data.0 };
    engine.trace(&message, environment, state, deadline)
}

/// A result as it is served.
pub(crate) fn result(execution: Execution) -> CallResult {
    let Execution { status, gas_used, output, logs, .. } = execution;
    let reason = if status == Status::Reverted { revert_reason(&output) } else { None };
    CallResult {
        status: status.name().to_owned(),
        reason,
        output: HexBytes(output),
        gas_used,
        logs: logs.iter().map(LogEntry::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::program::{MachineView, Word};
    use std::ops::Range;

    struct Nothing;

    impl MachineView for Nothing {
        fn stack_length(&self) -> usize {
            0
        }

        fn stack(&self, _: usize) -> Option<Word> {
            None
        }

        fn memory_length(&self) -> usize {
            0
        }

        fn memory(&self, _: Range<usize>) -> Vec<u8> {
            Vec::new()
        }
    }

    #[test]
    fn a_run_ends_soon_after_its_time_is_over() {
        let step = Step { pc: 0, opcode: 0, gas: 0, depth: 0, account: NOBODY, machine: &Nothing };
        let steps_until_stopped = |deadline: &mut Deadline| (0..10_000).find(|_| deadline.step(&step).is_break());
        let mut over = Deadline { end: Instant::now(), steps: 0 };
        assert_eq!(steps_until_stopped(&mut over), Some(STEPS_BETWEEN - 1));
        let mut early = Deadline { end: Instant::now() + Duration::from_secs(3600), steps: 0 };
        assert_eq!(steps_until_stopped(&mut early), None);
    }
}
