//! What callers of the engine rely on, each with the smallest program that shows it.

use super::*;
use revm::bytecode::opcode as op;
use shared::program::{
    Account, AccountId, Changes, Frame, FrameEnd, FrameKind, Halt, Log, MachineView, Status, Step, Word,
    write_block_hash,
};
use shared::state::{Overlay, StateView, Value, Writes};
use shared::store::StoreError;
use std::ops::ControlFlow;

const SENDER: AccountId = AccountId([1; 20]);
const PROGRAM: AccountId = AccountId([2; 20]);
const MINER: AccountId = AccountId([3; 20]);
const GAS: u64 = 200_000;

#[derive(Default)]
struct Memory(Writes);

impl StateRead for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.0.get(key).cloned().flatten())
    }

    fn keeps_history(&self) -> bool {
        false
    }
}

impl Memory {
    /// A sender with 1000 grains, and a program with this code.
    fn with(code: &[u8]) -> Self {
        let mut state = Self::default();
        let hash = Word(revm::primitives::keccak256(code).0);
        let mut changes = Changes::default();
        let account = |balance: u64, code_hash| Some(Account { balance: Word::from(balance), nonce: 0, code_hash });
        changes.accounts.insert(SENDER, account(1000, None));
        changes.accounts.insert(PROGRAM, account(0, Some(hash)));
        changes.codes.insert(hash, code.into());
        state.apply(|overlay| changes.apply(overlay));
        state
    }

    fn apply(&mut self, write: impl FnOnce(&mut dyn StateView)) {
        let mut overlay = Overlay::new(self);
        write(&mut overlay);
        let writes = overlay.into_writes();
        self.0.extend(writes);
        self.0.retain(|_, value| value.is_some());
    }
}

fn environment() -> Environment {
    Environment {
        number: 300,
        timestamp: 1_700_000_000,
        randomness: Word([7; 32]),
        miner: MINER,
        gas_limit: 15_000_000,
        chain_id: 0x1234_5678_9abc,
    }
}

fn call<'a>(input: &'a [u8]) -> Message<'a> {
    Message { caller: SENDER, target: Target::Call(PROGRAM), value: 0, gas: GAS, input }
}

fn run(message: &Message<'_>, state: &Memory) -> Result<Execution, EngineError> {
    RevmEngine::default().run(message, &environment(), state)
}

/// Init code that returns `code`, of at most 32 bytes, as the new program's.
fn init_code(code: &[u8]) -> Vec<u8> {
    let length = code.len() as u8;
    let mut init = vec![op::PUSH1 + length - 1];
    init.extend(code);
    init.extend([op::PUSH0, op::MSTORE, op::PUSH1, length, op::PUSH1, 32 - length, op::RETURN]);
    init
}

#[test]
fn a_new_program_is_where_the_message_says() {
    let state = Memory::with(&[]);
    let (place, code) = (AccountId([9; 20]), [op::PUSH0, op::STOP]);
    let message = Message { target: Target::Create(place), value: 5, input: &init_code(&code), ..call(&[]) };
    let ended = run(&message, &state).unwrap();
    assert_eq!((ended.status, ended.output.as_slice()), (Status::Succeeded, code.as_slice()));
    let hash = Word(revm::primitives::keccak256(code).0);
    let made = Account { balance: Word::from(5), nonce: 1, code_hash: Some(hash) };
    assert_eq!(ended.changes.accounts[&place], Some(made));
    let paid = Account { balance: Word::from(995), nonce: 1, code_hash: None };
    assert_eq!(ended.changes.accounts[&SENDER], Some(paid));
    assert_eq!(ended.changes.codes[&hash].as_ref(), code);
}

#[test]
fn an_address_that_is_taken_is_not_made_again() {
    let message = Message { target: Target::Create(PROGRAM), input: &init_code(&[op::STOP]), ..call(&[]) };
    let ended = run(&message, &Memory::with(&[op::STOP])).unwrap();
    assert_eq!(ended.status, Status::Halted(Halt::AddressTaken));
}

/// Stores the input's first word in slot 1, logs it under the topic 8, and returns it.
const STORE: [u8; 20] = [
    op::PUSH0,
    op::CALLDATALOAD,
    op::PUSH1,
    1,
    op::SSTORE,
    op::PUSH0,
    op::CALLDATALOAD,
    op::PUSH0,
    op::MSTORE,
    op::PUSH1,
    8,
    op::PUSH1,
    32,
    op::PUSH0,
    op::LOG1,
    op::PUSH1,
    32,
    op::PUSH0,
    op::RETURN,
    op::STOP,
];

#[test]
fn what_a_call_stores_is_there_for_the_next_one() {
    let mut state = Memory::with(&STORE);
    let ended = run(&call(&Word::from(42).0), &state).unwrap();
    let log = Log { address: PROGRAM, topics: vec![Word::from(8)], data: Word::from(42).0.to_vec() };
    assert_eq!((ended.status, ended.logs), (Status::Succeeded, vec![log]));
    assert_eq!(ended.output, Word::from(42).0);
    state.apply(|overlay| ended.changes.apply(overlay));
    let slot = (PROGRAM, Word::from(1));
    assert_eq!(shared::program::read_slot(&state, &slot.0, &slot.1), Ok(Word::from(42)));
    // The same value again changes no slot, and zero is to be deleted.
    assert!(run(&call(&Word::from(42).0), &state).unwrap().changes.slots.is_empty());
    assert_eq!(run(&call(&[]), &state).unwrap().changes.slots[&slot], Word::ZERO);
}

#[test]
fn a_run_that_fails_changes_nothing() {
    let mut reverts = STORE[..5].to_vec();
    reverts.splice(..2, [op::PUSH1, 3]);
    reverts.extend([op::PUSH0, op::PUSH0, op::REVERT]);
    let ended = run(&Message { value: 1, ..call(&[]) }, &Memory::with(&reverts)).unwrap();
    assert_eq!((ended.status, ended.changes), (Status::Reverted, Changes::default()));
    assert!(ended.gas_used < GAS);
    let endless = [op::JUMPDEST, op::PUSH0, op::JUMP];
    let ended = run(&call(&[]), &Memory::with(&endless)).unwrap();
    assert_eq!((ended.status, ended.gas_used), (Status::Halted(Halt::OutOfGas), GAS));
    assert_eq!(ended.changes, Changes::default());
}

#[test]
fn a_program_that_destroys_itself_as_it_is_made_leaves_nothing() {
    let place = AccountId([9; 20]);
    let init = [op::CALLER, op::SELFDESTRUCT];
    let message = Message { target: Target::Create(place), value: 5, input: &init, ..call(&[]) };
    let changes = run(&message, &Memory::with(&[])).unwrap().changes;
    assert!(!changes.accounts.contains_key(&place));
    assert_eq!(changes.accounts[&SENDER].as_ref().map(|account| account.balance), Some(Word::from(1000)));
}

#[test]
fn a_message_that_cannot_begin_is_refused() {
    let state = Memory::with(&STORE);
    let engine = RevmEngine::default();
    let refused = |message: &Message<'_>| matches!(run(message, &state), Err(EngineError::Refused(_)));
    for target in [Target::Call(PROGRAM), Target::Create(AccountId([9; 20]))] {
        let message = Message { target, ..call(&[1, 0, 2]) };
        let least = engine.intrinsic_gas(&message);
        assert!(refused(&Message { gas: least - 1, ..message }), "{target:?} with less than {least} gas");
        assert!(!refused(&Message { gas: least, ..message }), "{target:?} with {least} gas");
    }
    assert!(refused(&Message { value: 1001, ..call(&[]) }));
    assert!(refused(&Message { gas: (1 << 24) + 1, ..call(&[]) }));
    let (target, input) = (Target::Create(AccountId([9; 20])), vec![0; 49_153]);
    assert!(refused(&Message { target, gas: 10_000_000, input: &input, ..call(&[]) }));
}

#[test]
fn long_input_costs_its_floor() {
    let message = Message { input: &[1; 1000], ..call(&[]) };
    assert_eq!(RevmEngine::default().intrinsic_gas(&message), 21_000 + 10 * 4 * 1000);
}

#[test]
fn a_program_sees_its_environment() {
    let mut state = Memory::with(&[]);
    state.apply(|overlay| write_block_hash(overlay, 299, &Word([5; 32])));
    let first = 0x1234_5678_9abc;
    let seen = [
        (vec![op::NUMBER], Word::from(300)),
        (vec![op::TIMESTAMP], Word::from(1_700_000_000)),
        (vec![op::DIFFICULTY], Word([7; 32])),
        (vec![op::GASLIMIT], Word::from(15_000_000)),
        (vec![op::CHAINID], Word::from(first)),
        (vec![op::BASEFEE], Word::ZERO),
        (vec![op::GASPRICE], Word::ZERO),
        (vec![op::PUSH2, 1, 43, op::BLOCKHASH], Word([5; 32])),
        (vec![op::PUSH2, 1, 44, op::BLOCKHASH], Word::ZERO),
        (vec![op::COINBASE, op::PUSH1, 96, op::SHL], Word([[3; 20].as_slice(), &[0; 12]].concat().try_into().unwrap())),
    ];
    for (mut code, expected) in seen {
        code.extend([op::PUSH0, op::MSTORE, op::PUSH1, 32, op::PUSH0, op::RETURN]);
        let program = Memory::with(&code);
        state.0.extend(program.0);
        assert_eq!(run(&call(&[]), &state).unwrap().output, expected.0, "{code:02x?}");
    }
}

/// Place, instruction, and length of the stack.
type RecordedStep = (usize, u8, usize);

/// Keeps what it is shown, up to a number of steps.
struct Recorder {
    steps: Vec<RecordedStep>,
    most: usize,
}

impl Tracer for Recorder {
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        if self.steps.len() == self.most {
            return ControlFlow::Break(());
        }
        self.steps.push((step.pc, step.opcode, step.machine.stack_length()));
        ControlFlow::Continue(())
    }
}

fn trace(state: &Memory, most: usize) -> (Result<Execution, EngineError>, Vec<RecordedStep>) {
    let mut recorder = Recorder { steps: Vec::new(), most };
    let ended = RevmEngine::default().trace(&call(&Word::from(42).0), &environment(), state, &mut recorder);
    (ended, recorder.steps)
}

#[test]
fn a_trace_shows_each_step_and_ends_as_the_run_does() {
    let state = Memory::with(&STORE);
    let (ended, steps) = trace(&state, usize::MAX);
    assert_eq!(ended, run(&call(&Word::from(42).0), &state));
    assert_eq!(steps[..4], [(0, op::PUSH0, 0), (1, op::CALLDATALOAD, 1), (2, op::PUSH1, 1), (4, op::SSTORE, 2)]);
    assert_eq!(steps.last(), Some(&(18, op::RETURN, 2)));
}

#[test]
fn a_trace_ends_where_its_tracer_wants_no_more() {
    let (ended, steps) = trace(&Memory::with(&[op::JUMPDEST, op::PUSH0, op::JUMP]), 10);
    assert_eq!((ended, steps.len()), (Err(EngineError::Stopped), 10));
}

#[test]
fn a_tracer_reads_stack_and_memory() {
    struct AtTheEnd(bool);
    impl Tracer for AtTheEnd {
        fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
            if step.opcode == op::RETURN {
                let machine: &dyn MachineView = step.machine;
                assert_eq!(machine.stack(0), Some(Word::ZERO));
                assert_eq!(machine.stack(1), Some(Word::from(32)));
                assert_eq!(machine.stack(2), None);
                assert_eq!((machine.memory_length(), machine.memory(31..40)), (32, vec![42]));
                assert_eq!((step.depth, step.account), (0, PROGRAM));
                self.0 = true;
            }
            ControlFlow::Continue(())
        }
    }
    let mut tracer = AtTheEnd(false);
    let state = Memory::with(&STORE);
    RevmEngine::default().trace(&call(&Word::from(42).0), &environment(), &state, &mut tracer).unwrap();
    assert!(tracer.0);
}

/// A state whose rows cannot be read, or whose reader has a fault.
struct Broken {
    panics: bool,
}

impl StateRead for Broken {
    fn get(&self, _: &[u8]) -> Result<Option<Value>, StoreError> {
        assert!(!self.panics, "a fault");
        Err(StoreError::Failed("no disk".to_owned()))
    }

    fn keeps_history(&self) -> bool {
        false
    }
}

#[test]
fn our_own_failures_are_told_from_the_message_s() {
    let ended = |panics| RevmEngine::default().run(&call(&[]), &environment(), &Broken { panics });
    assert_eq!(ended(false), Err(EngineError::State(StoreError::Failed("no disk".to_owned()))));
    assert_eq!(ended(true), Err(EngineError::Failed("a fault".to_owned())));
}

/// Notes where calls begin and end.
#[derive(Default)]
struct Frames(Vec<String>);

impl Tracer for Frames {
    fn step(&mut self, _: &Step<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn enter(&mut self, frame: &Frame<'_>) {
        let Frame { kind, caller, code, input, .. } = *frame;
        assert_eq!(code.is_none(), matches!(kind, FrameKind::Create | FrameKind::Create2));
        self.0.push(format!("{} by {} with {} bytes", kind.name(), caller.0[19], input.len()));
    }

    fn leave(&mut self, end: &FrameEnd<'_>) {
        let FrameEnd { status, output, made, .. } = *end;
        let made = if made.is_some() { ", a program" } else { "" };
        self.0.push(format!("{} with {} bytes{made}", status.name(), output.len()));
    }
}

#[test]
fn a_tracer_sees_calls_begin_and_end() {
    // The built-in identity with 3 bytes, itself with a byte, at which it reverts, and an empty program.
    #[rustfmt::skip]
    let code = [
        op::CALLDATASIZE, op::PUSH1, 35, op::JUMPI,
        op::PUSH0, op::PUSH0, op::PUSH1, 3, op::PUSH0, op::PUSH1, 4, op::GAS, op::STATICCALL, op::POP,
        op::PUSH0, op::PUSH0, op::PUSH1, 1, op::PUSH0, op::PUSH0, op::ADDRESS, op::GAS, op::CALL, op::POP,
        op::PUSH0, op::PUSH0, op::PUSH0, op::CREATE, op::POP, op::PUSH1, 2, op::PUSH0, op::RETURN, op::STOP,
        op::STOP, op::JUMPDEST, op::PUSH0, op::PUSH0, op::REVERT,
    ];
    let (state, mut frames) = (Memory::with(&code), Frames::default());
    RevmEngine::default().trace(&call(&[]), &environment(), &state, &mut frames).unwrap();
    let expected = [
        "CALL by 1 with 0 bytes",
        "STATICCALL by 2 with 3 bytes",
        "succeeded with 3 bytes",
        "CALL by 2 with 1 bytes",
        "reverted with 0 bytes",
        "CREATE by 2 with 0 bytes",
        "succeeded with 0 bytes, a program",
        "succeeded with 2 bytes",
    ];
    assert_eq!(frames.0, expected);
}
