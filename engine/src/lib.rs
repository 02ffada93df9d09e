//! The machine that runs programs: the EVM, through the crate `revm`, behind the core's [`Engine`].
//!
//! revm stays inside this crate: callers hold a `dyn Engine`, and a new major release of revm touches nothing else.
//! What is public besides, [`rows`], is for tests and benchmarks, which drive revm over the same rows with rules of
//! their own. This crate decides no rule of the chain: who pays which fee, and whether changes are kept, is the
//! layer's business.

mod convert;
mod deploy;
pub mod rows;
mod trace;

use deploy::Deployment;
use revm::context::result::EVMError;
use revm::context::{BlockEnv, CfgEnv, Context, Evm, Journal, TxEnv};
use revm::context_interface::JournalTr;
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, EthPrecompiles, Handler};
use revm::inspector::InspectorHandler;
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Bytes, TxKind, U256};
use revm::{ExecuteEvm, MainBuilder};
use rows::{RowError, Rows};
use shared::program::{Engine, EngineError, Environment, Execution, Machine, Message, Target, Tracer};
use shared::state::StateRead;
use std::panic::{AssertUnwindSafe, catch_unwind};
use trace::StepHook;

/// The rules that programs run by; another release of Ethereum's would be another network.
const RULES: SpecId = SpecId::OSAKA;

/// Runs programs by the rules of Ethereum's release Osaka, without a price for gas and without a check of nonces.
#[derive(Debug, Clone)]
pub struct RevmEngine {
    settings: CfgEnv,
}

type ProgramContext<'a> = Context<BlockEnv, TxEnv, CfgEnv, Rows<'a>, Journal<Rows<'a>>, ()>;
type Revm<'a, I> =
    Evm<ProgramContext<'a>, I, EthInstructions<EthInterpreter, ProgramContext<'a>>, EthPrecompiles, EthFrame>;

impl Default for RevmEngine {
    fn default() -> Self {
        let mut settings = CfgEnv::new_with_spec(RULES);
        settings.disable_nonce_check = true;
        Self { settings }
    }
}

impl Engine for RevmEngine {
    fn intrinsic_gas(&self, message: &Message<'_>) -> u64 {
        let creates = matches!(message.target, Target::Create(_));
        let gas = self.settings.gas_params.initial_tx_gas(message.input, creates, 0, 0, 0, None);
        gas.initial_total_gas().max(gas.floor_gas())
    }

    fn machine<'a>(&self, environment: &Environment, state: &'a dyn StateRead) -> Box<dyn Machine + 'a> {
        let evm = self.context(environment, state).build_mainnet();
        Box::new(RevmMachine { evm, chain_id: environment.chain_id, is_broken: false })
    }

    fn trace(
        &self,
        message: &Message<'_>,
        environment: &Environment,
        state: &dyn StateRead,
        tracer: &mut dyn Tracer,
    ) -> Result<Execution, EngineError> {
        guard(|| {
            let mut machine = self.context(environment, state).build_mainnet_with_inspector(StepHook::new(tracer));
            machine.ctx.tx = transaction(message, environment.chain_id);
            let result = Deployment::of(message).inspect_run(&mut machine);
            if machine.inspector.is_stopped() {
                return Err(EngineError::Stopped);
            }
            finish(result, &mut machine)
        })
    }
}

impl RevmEngine {
    fn context<'a>(&self, environment: &Environment, state: &'a dyn StateRead) -> ProgramContext<'a> {
        let mut settings = self.settings.clone();
        settings.chain_id = environment.chain_id;
        let block = BlockEnv {
            number: U256::from(environment.number),
            beneficiary: convert::address(environment.miner),
            timestamp: U256::from(environment.timestamp),
            gas_limit: environment.gas_limit,
            basefee: 0,
            difficulty: U256::ZERO,
            prevrandao: Some(convert::hash(environment.randomness)),
            ..BlockEnv::default()
        };
        let mut context = ProgramContext::new(Rows::new(state), RULES);
        (context.block, context.cfg) = (block, settings);
        context
    }
}

/// One machine, whose journal is empty between two messages.
struct RevmMachine<'a> {
    evm: Revm<'a, ()>,
    chain_id: u64,
    /// A message made it panic, so that nothing in it can be relied on.
    is_broken: bool,
}

impl Machine for RevmMachine<'_> {
    fn run(&mut self, message: &Message<'_>) -> Result<Execution, EngineError> {
        let Self { evm, chain_id, is_broken } = self;
        if *is_broken {
            return Err(EngineError::Failed("the machine has failed before".to_owned()));
        }
        let result = guard(|| {
            evm.ctx.tx = transaction(message, *chain_id);
            let result = Deployment::of(message).run(evm);
            let result = finish(result, evm);
            evm.ctx.journaled_state.finalize();
            result
        });
        *is_broken = matches!(result, Err(EngineError::Failed(_)));
        result
    }
}

fn transaction(message: &Message<'_>, chain_id: u64) -> TxEnv {
    TxEnv {
        caller: convert::address(message.caller),
        gas_limit: message.gas,
        gas_price: 0,
        kind: match message.target {
            Target::Call(to) => TxKind::Call(convert::address(to)),
            Target::Create(_) => TxKind::Create,
        },
        value: U256::from(message.value),
        data: Bytes::copy_from_slice(message.input),
        chain_id: Some(chain_id),
        ..TxEnv::default()
    }
}

fn finish<I>(
    result: Result<revm::context::result::ExecutionResult, EVMError<RowError>>,
    machine: &mut Revm<'_, I>,
) -> Result<Execution, EngineError> {
    let result = result.map_err(|error| match error {
        EVMError::Transaction(refusal) => EngineError::Refused(refusal.to_string()),
        EVMError::Database(RowError(error)) => EngineError::State(error),
        other => EngineError::Failed(other.to_string()),
    })?;
    let changes = if result.is_success() { rows::changes(machine.finalize()) } else { Default::default() };
    Ok(convert::execution(result, changes))
}

/// Turns a panic of the machine into our own failure: a message must not be able to stop the program that runs it.
fn guard(run: impl FnOnce() -> Result<Execution, EngineError>) -> Result<Execution, EngineError> {
    // Nothing that the closure touches is used after a panic: rows are only read, and the machine is dropped.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(EngineError::Failed(text.unwrap_or_else(|| "a panic without a text".to_owned())))
    })
}

#[cfg(test)]
mod tests;
