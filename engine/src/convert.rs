//! Between revm's types and the core's.

use revm::context::result::{ExecutionResult, HaltReason};
use revm::interpreter::{InstructionResult, SuccessOrHalt};
use revm::primitives::{Address, B256, U256};
use shared::program::{AccountId, Changes, Execution, Halt, Log, Status, Word};

pub(crate) fn address(id: AccountId) -> Address {
    Address::new(id.0)
}

pub(crate) fn account_id(address: Address) -> AccountId {
    AccountId(address.into_array())
}

pub(crate) fn hash(word: Word) -> B256 {
    B256::new(word.0)
}

pub(crate) fn number(word: Word) -> U256 {
    U256::from_be_bytes(word.0)
}

pub(crate) fn word(number: U256) -> Word {
    Word(number.to_be_bytes())
}

pub(crate) fn execution(result: ExecutionResult, changes: Changes) -> Execution {
    let gas_used = result.tx_gas_used();
    let (status, logs) = match &result {
        ExecutionResult::Success { logs, .. } => (Status::Succeeded, logs.iter().map(log).collect()),
        ExecutionResult::Revert { .. } => (Status::Reverted, Vec::new()),
        ExecutionResult::Halt { reason, .. } => (Status::Halted(halt(reason)), Vec::new()),
    };
    let output = result.into_output().unwrap_or_default().to_vec();
    Execution { status, gas_used, output, logs, changes }
}

/// How a call within a run ended. A failure of ours ends the whole run, whatever its frames say.
pub(crate) fn frame_status(result: InstructionResult) -> Status {
    match SuccessOrHalt::<HaltReason>::from(result) {
        SuccessOrHalt::Success(_) => Status::Succeeded,
        SuccessOrHalt::Halt(reason) => Status::Halted(halt(&reason)),
        _ => Status::Reverted,
    }
}

fn log(log: &revm::primitives::Log) -> Log {
    Log {
        address: account_id(log.address),
        topics: log.data.topics().iter().map(|topic| Word(topic.0)).collect(),
        data: log.data.data.to_vec(),
    }
}

fn halt(reason: &HaltReason) -> Halt {
    match reason {
        HaltReason::OutOfGas(_) => Halt::OutOfGas,
        HaltReason::OpcodeNotFound | HaltReason::InvalidFEOpcode | HaltReason::NotActivated => Halt::InvalidInstruction,
        HaltReason::InvalidJump => Halt::InvalidJump,
        HaltReason::StackUnderflow => Halt::StackUnderflow,
        HaltReason::StackOverflow => Halt::StackOverflow,
        HaltReason::OutOfOffset => Halt::OutOfBounds,
        HaltReason::CreateCollision => Halt::AddressTaken,
        HaltReason::PrecompileError | HaltReason::PrecompileErrorWithContext(_) => Halt::Precompile,
        HaltReason::NonceOverflow => Halt::NonceOverflow,
        HaltReason::CreateContractSizeLimit | HaltReason::CreateInitCodeSizeLimit => Halt::CodeTooLong,
        HaltReason::CreateContractStartingWithEF => Halt::ReservedCode,
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => Halt::ReadOnly,
        HaltReason::OverflowPayment | HaltReason::OutOfFunds => Halt::Balance,
        HaltReason::CallTooDeep => Halt::TooDeep,
    }
}
