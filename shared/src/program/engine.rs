//! The machine that runs programs, as a trait: plain types in, plain types out.

use super::{AccountId, Changes, Frame, FrameEnd, Word};
use crate::state::StateRead;
use crate::store::StoreError;
use std::ops::{ControlFlow, Range};

/// Runs programs. A fake or a second machine fits behind it.
///
/// # Consensus
/// All nodes must get the same [`Execution`] from the same message, environment and rows. It must not depend on a
/// clock, on chance, or on the order in which a hash map keeps its entries.
pub trait Engine: Send + Sync {
    /// The least gas that `message` may declare: what its bytes cost before the first instruction.
    fn intrinsic_gas(&self, message: &Message<'_>) -> u64;

    /// A machine for the messages of one block. It only reads `state`, and reads it anew for each message, so the rows
    /// may change in between.
    fn machine<'a>(&self, environment: &Environment, state: &'a dyn StateRead) -> Box<dyn Machine + 'a>;

    /// Runs one message on a machine of its own.
    ///
    /// # Errors
    /// Those of [`Machine::run`].
    fn run(
        &self,
        message: &Message<'_>,
        environment: &Environment,
        state: &dyn StateRead,
    ) -> Result<Execution, EngineError> {
        self.machine(environment, state).run(message)
    }

    /// The same, and shows `tracer` each step. The result equals that of [`Engine::run`] unless the tracer stops it.
    ///
    /// # Errors
    /// Those of [`Engine::run`], and [`EngineError::Stopped`].
    fn trace(
        &self,
        message: &Message<'_>,
        environment: &Environment,
        state: &dyn StateRead,
        tracer: &mut dyn Tracer,
    ) -> Result<Execution, EngineError>;
}

/// Runs messages one after another, faster than a machine for each would.
pub trait Machine {
    /// Runs `message`. What it would change is in the result; the caller writes it before the next message, or not.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if the message cannot begin; the others are our own failures.
    fn run(&mut self, message: &Message<'_>) -> Result<Execution, EngineError>;
}

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Who sends it; the program sees it as the caller and as the origin.
    pub caller: AccountId,
    /// Whom it calls, or where the new program will be.
    pub target: Target,
    /// How many grains go with it.
    pub value: u64,
    /// How much gas it may use.
    pub gas: u64,
    /// What the program is called with, or the init code of a new one.
    pub input: &'a [u8],
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To an account, whose code runs if it has any.
    Call(AccountId),
    /// To nobody: the input runs, and what it returns becomes the code of this account.
    Create(AccountId),
}

/// What a program sees of the chain.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// The index of the block.
    pub number: u64,
    /// In seconds since 1970.
    pub timestamp: u64,
    /// What `PREVRANDAO` returns.
    pub randomness: Word,
    /// Who mines the block.
    pub miner: AccountId,
    /// The most gas that the messages of a block may declare together.
    pub gas_limit: u64,
    /// The network.
    pub chain_id: u64,
}

/// What running a message led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// How it ended.
    pub status: Status,
    /// Refunds deducted.
    pub gas_used: u64,
    /// What the program returned, or gave as its reason for reverting. For a new program: its code.
    pub output: Vec<u8>,
    /// What it logged, in order; empty unless it succeeded.
    pub logs: Vec<Log>,
    /// What it would change; empty unless it succeeded.
    pub changes: Changes,
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did what it should.
    Succeeded,
    /// The program refused, and gave its reason as output.
    Reverted,
    /// The machine stopped it, and its gas is used up.
    Halted(Halt),
}

/// Why the machine stopped a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// It needed more gas than it declared.
    #[error("out of gas")]
    OutOfGas,
    /// A byte that is no instruction, or the instruction that is never one.
    #[error("not an instruction")]
    InvalidInstruction,
    /// A jump to a place that is no `JUMPDEST`.
    #[error("a jump to where no JUMPDEST is")]
    InvalidJump,
    /// An instruction that needs more values than the stack holds.
    #[error("too few values on the stack")]
    StackUnderflow,
    /// More than 1024 values on the stack.
    #[error("too many values on the stack")]
    StackOverflow,
    /// A read beyond the end of the data that a call returned.
    #[error("a read beyond the returned data")]
    OutOfBounds,
    /// The address of the new program is taken.
    #[error("the address of the new program is taken")]
    AddressTaken,
    /// A built-in program refused its input.
    #[error("a built-in program refused its input")]
    Precompile,
    /// The account has made as many programs as a nonce can count.
    #[error("the nonce is used up")]
    NonceOverflow,
    /// The code of the new program is too long.
    #[error("the new program's code is too long")]
    CodeTooLong,
    /// The code of the new program begins with the byte that is reserved.
    #[error("the new program's code begins with 0xef")]
    ReservedCode,
    /// A write inside a call that may only read.
    #[error("a write inside a call that may only read")]
    ReadOnly,
    /// More value sent than the account holds.
    #[error("too little money for the value that is sent")]
    Balance,
    /// Calls within calls, deeper than 1024.
    #[error("calls are nested too deeply")]
    TooDeep,
}

impl Status {
    /// How it ended in one word, stable: the outcome of a block and receipts name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Reverted => "reverted",
            Self::Halted(halt) => halt.name(),
        }
    }
}

impl Halt {
    /// The reason in one word, stable: the outcome of a block and receipts name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfGas => "out-of-gas",
            Self::InvalidInstruction => "invalid-instruction",
            Self::InvalidJump => "invalid-jump",
            Self::StackUnderflow => "stack-underflow",
            Self::StackOverflow => "stack-overflow",
            Self::OutOfBounds => "out-of-bounds",
            Self::AddressTaken => "address-taken",
            Self::Precompile => "precompile",
            Self::NonceOverflow => "nonce-overflow",
            Self::CodeTooLong => "code-too-long",
            Self::ReservedCode => "reserved-code",
            Self::ReadOnly => "read-only",
            Self::Balance => "balance",
            Self::TooDeep => "too-deep",
        }
    }
}

/// What a program wrote for readers outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The program.
    pub address: AccountId,
    /// At most four; by convention the first names the event.
    pub topics: Vec<Word>,
    /// The rest.
    pub data: Vec<u8>,
}

/// Why a message did not run to an end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The message cannot begin: too little or too much gas, too little money, or init code that is too long.
    #[error("the message cannot run: {0}")]
    Refused(String),
    /// The tracer stopped it.
    #[error("the tracer stopped the run")]
    Stopped,
    /// We failed to read the state.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The machine failed: our own fault, whatever the message says.
    #[error("the engine failed: {0}")]
    Failed(String),
}

/// Sees each step of a run before it is taken, and where calls and deployments within the run begin and end.
pub trait Tracer {
    /// Looks at one step, and says whether to go on.
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()>;

    /// A call or deployment begins: first that of the message itself, then those within it.
    fn enter(&mut self, _frame: &Frame<'_>) {}

    /// The innermost of those that have begun ends.
    fn leave(&mut self, _end: &FrameEnd<'_>) {}
}

/// One instruction that is about to run.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Where in the code.
    pub pc: usize,
    /// The instruction's byte.
    pub opcode: u8,
    /// Gas that is left before it.
    pub gas: u64,
    /// How many calls this one is inside; 0 for the message's own.
    pub depth: usize,
    /// Whose storage it reads and writes.
    pub account: AccountId,
    /// Stack and memory, read only when a tracer wants them.
    pub machine: &'a dyn MachineView,
}

/// Stack and memory at a step.
pub trait MachineView {
    /// How many values the stack holds.
    fn stack_length(&self) -> usize;
    /// A value of the stack; 0 is the top.
    fn stack(&self, from_top: usize) -> Option<Word>;
    /// How many bytes the memory has.
    fn memory_length(&self) -> usize;
    /// Bytes of the memory, as far as it reaches.
    fn memory(&self, range: Range<usize>) -> Vec<u8>;
}
