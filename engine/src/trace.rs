//! Shows a tracer each step of a run.

use crate::convert;
use revm::Inspector;
use revm::context_interface::{ContextTr, CreateScheme, JournalTr};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::{Jumps, LoopControl, MemoryTr};
use revm::interpreter::{
    CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
    InterpreterAction, InterpreterResult, SharedMemory, Stack,
};
use shared::program::{AccountId, Frame, FrameEnd, FrameKind, MachineView, Step, Tracer, Word};
use std::ops::Range;

/// Passes revm's steps on to a tracer.
pub(crate) struct StepHook<'a> {
    tracer: &'a mut dyn Tracer,
    is_stopped: bool,
}

impl<'a> StepHook<'a> {
    pub(crate) fn new(tracer: &'a mut dyn Tracer) -> Self {
        Self { tracer, is_stopped: false }
    }

    /// Whether the tracer wanted no more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }
}

impl<C: ContextTr> Inspector<C, EthInterpreter> for StepHook<'_> {
    fn step(&mut self, interpreter: &mut Interpreter, context: &mut C) {
        if !self.is_stopped {
            let step = Step {
                pc: interpreter.bytecode.pc(),
                opcode: interpreter.bytecode.opcode(),
                gas: interpreter.gas.remaining(),
                // revm counts the message's own frame, too.
                depth: context.journal().depth().saturating_sub(1),
                account: convert::account_id(interpreter.input.target_address),
                machine: &View { stack: &interpreter.stack, memory: &interpreter.memory },
            };
            self.is_stopped = self.tracer.step(&step).is_break();
        }
        if self.is_stopped {
            // Every frame ends at its next step, and with the last one the run.
            let action = InterpreterAction::new_halt(InstructionResult::Revert, interpreter.gas);
            interpreter.bytecode.set_action(action);
        }
    }

    fn call(&mut self, context: &mut C, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let kind = match inputs.scheme {
            CallScheme::Call => FrameKind::Call,
            CallScheme::CallCode => FrameKind::CallCode,
            CallScheme::DelegateCall => FrameKind::DelegateCall,
            CallScheme::StaticCall => FrameKind::StaticCall,
        };
        self.tracer.enter(&Frame {
            kind,
            caller: convert::account_id(inputs.caller),
            code: Some(convert::account_id(inputs.bytecode_address)),
            value: convert::word(inputs.value.get()),
            gas: inputs.gas_limit,
            input: &inputs.input.bytes(context),
        });
        None
    }

    fn call_end(&mut self, _: &mut C, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.leave(&outcome.result, inputs.gas_limit, None);
    }

    fn create(&mut self, _: &mut C, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let kind = if matches!(inputs.scheme(), CreateScheme::Create2 { .. }) {
            FrameKind::Create2
        } else {
            FrameKind::Create
        };
        self.tracer.enter(&Frame {
            kind,
            caller: convert::account_id(inputs.caller()),
            code: None,
            value: convert::word(inputs.value()),
            gas: inputs.gas_limit(),
            input: inputs.init_code(),
        });
        None
    }

    fn create_end(&mut self, _: &mut C, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        let made = outcome.address.filter(|_| outcome.result.result.is_ok()).map(convert::account_id);
        self.leave(&outcome.result, inputs.gas_limit(), made);
    }
}

impl StepHook<'_> {
    fn leave(&mut self, result: &InterpreterResult, gas: u64, made: Option<AccountId>) {
        self.tracer.leave(&FrameEnd {
            status: convert::frame_status(result.result),
            gas_used: gas.saturating_sub(result.gas.remaining()),
            output: &result.output,
            made,
        });
    }
}

struct View<'a> {
    stack: &'a Stack,
    memory: &'a SharedMemory,
}

impl MachineView for View<'_> {
    fn stack_length(&self) -> usize {
        self.stack.len()
    }

    fn stack(&self, from_top: usize) -> Option<Word> {
        self.stack.peek(from_top).ok().map(convert::word)
    }

    fn memory_length(&self) -> usize {
        self.memory.size()
    }

    fn memory(&self, range: Range<usize>) -> Vec<u8> {
        let size = self.memory.size();
        let (start, end) = (range.start.min(size), range.end.min(size));
        if start < end { self.memory.slice(start..end).to_vec() } else { Vec::new() }
    }
}
