//! Collects one page of the steps of a run, the calls within it, and the slots that it touched; each bounded.

use crate::machine::{Deadline, result};
use shared::program::{AccountId, EngineError, Execution, Frame, FrameEnd, HexBytes, Step, Tracer, Word};
use shared::wire::{StorageSlot, TouchedSlot, Trace, TraceCall, TraceStep};
use std::collections::HashMap;
use std::ops::ControlFlow;

const SLOAD: u8 = 0x54;
const SSTORE: u8 = 0x55;
/// Most steps that a trace counts.
pub(crate) const MAX_STEPS: u64 = 2_000_000;
/// Most values of the stack in a step.
const MAX_STACK: usize = 32;
/// Most bytes of the memory in a step, and of the input and output of a call.
const MAX_BYTES: usize = 1024;
/// Most calls, and most slots.
const MAX_ENTRIES: usize = 1000;

/// Keeps the steps of one page, and counts all.
pub(crate) struct Page {
    from: u64,
    limit: usize,
    seen: u64,
    steps: Vec<TraceStep>,
    /// The step before, if it is on the page: its cost and what it read are known one step later.
    last: Option<LastStep>,
    calls: Vec<TraceCall>,
    /// The calls that have begun and not ended, by their number in `calls`; `None` for one beyond the limit.
    open: Vec<Option<usize>>,
    storage: Vec<TouchedSlot>,
    /// Where each slot is in `storage`.
    slots: HashMap<(AccountId, Word), usize>,
    deadline: Deadline,
}

struct LastStep {
    is_on_page: bool,
    gas: u64,
    depth: usize,
    /// The slot that an `SLOAD` reads.
    loads: Option<(AccountId, Word)>,
}

impl Page {
    pub(crate) fn new(from: u64, limit: usize) -> Self {
        Self {
            from,
            limit,
            seen: 0,
            steps: Vec::new(),
            last: None,
            calls: Vec::new(),
            open: Vec::new(),
            storage: Vec::new(),
            slots: HashMap::new(),
            deadline: Deadline::default(),
        }
    }

    pub(crate) fn finish(self, ended: Result<Execution, EngineError>) -> Result<Trace, EngineError> {
        let Self { seen, steps, calls, storage, .. } = self;
        Ok(Trace { result: result(ended?), steps_in_all: seen, steps, calls, storage })
    }

    /// Completes the step before this one.
    fn complete(&mut self, step: &Step<'_>) {
        let Some(last) = self.last.take().filter(|last| last.depth == step.depth) else { return };
        let value = last.loads.and_then(|_| step.machine.stack(0));
        if let (Some((account, slot)), Some(value)) = (last.loads, value)
            && let Some(touched) = self.touch(account, slot)
            && touched.read.is_none()
            && touched.written.is_none()
        {
            touched.read = Some(value);
        }
        if let Some(shown) = self.steps.last_mut().filter(|_| last.is_on_page) {
            shown.cost = last.gas.checked_sub(step.gas);
            if let (Some(read), Some(value)) = (&mut shown.slot, value) {
                read.value = value;
            }
        }
    }

    fn touch(&mut self, account: AccountId, slot: Word) -> Option<&mut TouchedSlot> {
        let place = match self.slots.get(&(account, slot)) {
            Some(place) => *place,
            None if self.storage.len() == MAX_ENTRIES => return None,
            None => {
                self.slots.insert((account, slot), self.storage.len());
                self.storage.push(TouchedSlot { account, slot, read: None, written: None });
                self.storage.len() - 1
            }
        };
        self.storage.get_mut(place)
    }
}

impl Tracer for Page {
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        self.complete(step);
        let (mut loads, mut slot) = (None, None);
        match (step.opcode, step.machine.stack(0)) {
            (SLOAD, Some(key)) => {
                loads = Some((step.account, key));
                slot = Some(StorageSlot { slot: key, value: Word::ZERO });
            }
            (SSTORE, Some(key)) => {
                let value = step.machine.stack(1).unwrap_or_default();
                if let Some(touched) = self.touch(step.account, key) {
                    touched.written = Some(value);
                }
                slot = Some(StorageSlot { slot: key, value });
            }
            _ => {}
        }
        let is_on_page = self.seen >= self.from && self.steps.len() < self.limit;
        if is_on_page {
            self.steps.push(shown(step, slot));
        }
        self.last = Some(LastStep { is_on_page, gas: step.gas, depth: step.depth, loads });
        self.seen += 1;
        if self.seen > MAX_STEPS { ControlFlow::Break(()) } else { self.deadline.step(step) }
    }

    fn enter(&mut self, frame: &Frame<'_>) {
        let Frame { kind, caller, code, value, gas, input } = *frame;
        let place = (self.calls.len() < MAX_ENTRIES).then_some(self.calls.len());
        if place.is_some() {
            self.calls.push(TraceCall {
                kind: kind.name().to_owned(),
                depth: self.open.len() as u64,
                from: caller,
                to: code,
                value,
                gas,
                gas_used: 0,
                status: String::new(),
                input: HexBytes(input[..input.len().min(MAX_BYTES)].to_vec()),
                input_bytes: input.len() as u64,
                output: HexBytes::default(),
                output_bytes: 0,
                first_step: self.seen,
                end_step: self.seen,
            });
        }
        self.open.push(place);
    }

    fn leave(&mut self, end: &FrameEnd<'_>) {
        let FrameEnd { status, gas_used, output, made } = *end;
        let call = self.open.pop().flatten().and_then(|place| self.calls.get_mut(place));
        if let Some(call) = call {
            call.status = status.name().to_owned();
            call.gas_used = gas_used;
            call.output = HexBytes(output[..output.len().min(MAX_BYTES)].to_vec());
            call.output_bytes = output.len() as u64;
            call.end_step = self.seen;
            call.to = call.to.or(made);
        }
    }
}

fn shown(step: &Step<'_>, slot: Option<StorageSlot>) -> TraceStep {
    let Step { pc, opcode, gas, depth, account, machine } = *step;
    let count = machine.stack_length().min(MAX_STACK);
    let length = machine.memory_length();
    TraceStep {
        pc: pc as u64,
        opcode,
        gas,
        depth: depth as u64,
        account,
        stack: (0..count).rev().filter_map(|place| machine.stack(place)).collect(),
        memory_bytes: length as u64,
        memory: HexBytes(machine.memory(0..length.min(MAX_BYTES))),
        cost: None,
        slot,
    }
}
