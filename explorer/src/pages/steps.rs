//! One step of the machine, for the debugger of a transaction and for the machine of the exercises: the code around it,
//! the stack, the memory and the storage, with links to the other steps. `assets/steps-keys.js` follows these links
//! with the arrow keys; without scripts they are links.

mod instructions;
mod tree;

use super::calls;
use crate::view::{self, explained};
use maud::{Markup, html};
use shared::program::{HexBytes, Instruction, Word, disassemble, instruction_name};
use shared::wire::{TraceCall, TraceStep};
use std::collections::BTreeMap;

/// Instructions shown before and after the current one.
const AROUND: usize = 8;
/// Bytes in a row of the memory.
const ROW: usize = 32;
/// Rows of memory that are shown.
const MAX_ROWS: usize = 32;

/// A step and what is around it.
pub(super) struct StepView<'a> {
    /// The number of the step, from 0 on.
    pub(super) number: u64,
    pub(super) count: u64,
    pub(super) step: &'a TraceStep,
    /// The step after it, if there is one.
    pub(super) next: Option<&'a TraceStep>,
    /// Steps before it, oldest first: what they did to the storage is shown.
    pub(super) before: &'a [TraceStep],
    /// The calls within the call, in the order in which they began; none if they are not to be shown.
    pub(super) calls: &'a [TraceCall],
    /// The code that runs, if it is known.
    pub(super) code: Option<&'a [u8]>,
    /// The link to a step.
    pub(super) link: &'a dyn Fn(u64) -> String,
}

pub(super) fn render(shown: &StepView<'_>) -> Markup {
    let StepView { number, count, step, next, .. } = shown;
    html! {
        (links(shown))
        div.step #step data-step=(number) {
            div.step-now {
                p.step-place { "Step " (view::number(number + 1)) " of " (view::number(*count)) ", at byte " (step.pc)
                    @if step.depth > 0 { ", inside " (step.depth) @if step.depth == 1 { " call" } @else { " calls" } } }
                p.step-name { (name(step)) }
                p { (instructions::meaning(step.opcode)) }
                dl.fields {
                    dt { (explained("gas", "What is left before this step. Each instruction costs some; when it is \
                        used up, the call fails.")) }
                    dd { (view::number(step.gas)) @if let Some(cost) = cost(step, *next) { ", and this step costs "
                        b { (view::number(cost)) } } }
                    dt { (explained("account", "Whose storage the code reads and writes.")) }
                    dd { (calls::account(&step.account)) }
                }
            }
            (tree::render(shown))
            (code(shown))
            (stack(step, *next))
            (storage(shown))
            (memory(step))
        }
    }
}

/// The gas of a step; unknown where the next step is inside or outside of another call.
fn cost(step: &TraceStep, next: Option<&TraceStep>) -> Option<u64> {
    let next = next.filter(|next| next.depth == step.depth)?;
    step.gas.checked_sub(next.gas)
}

fn name(step: &TraceStep) -> String {
    instruction_name(step.opcode).map_or_else(|| format!("0x{:02x}, no instruction", step.opcode), str::to_owned)
}

fn links(StepView { number, count, link, .. }: &StepView<'_>) -> Markup {
    let last = count.saturating_sub(1);
    let go = |to: u64, words: &str, rel: Option<&str>| {
        html! {
            @if to == *number || to > last { span.button.off aria-disabled="true" { (words) } }
            @else { a.button rel=[rel] href={ (link(to)) "#step" } { (words) } }
        }
    };
    html! {
        nav.paging.step-links aria-label="Steps" {
            (go(0, "First", Some("first")))
            (go(number.saturating_sub(10), "−10", None))
            (go(number.saturating_sub(1), "← Previous", Some("prev")))
            (go(number + 1, "Next →", Some("next")))
            (go((number + 10).min(last), "+10", None))
            (go(last, "Last", Some("last")))
        }
        progress.step-progress max=(count) value=(number + 1) aria-label="How far the call has come" {}
    }
}

fn code(StepView { step, code, .. }: &StepView<'_>) -> Markup {
    let instructions: Vec<Instruction> = code.map(disassemble).unwrap_or_default();
    let here = instructions.iter().position(|one| one.pc as u64 == step.pc && one.byte == step.opcode);
    html! {
        section.step-code aria-labelledby="step-code" {
            h2 #step-code { "Code" }
            @if let Some(here) = here {
                ol.listing {
                    @for one in &instructions[here.saturating_sub(AROUND)..instructions.len().min(here + AROUND + 1)] {
                        @let is_here = one.pc as u64 == step.pc;
                        li aria-current=[is_here.then_some("step")] { span.pc { (one.pc) } " " (one) }
                    }
                }
            } @else {
                p.muted { "This code is not in the account above: it is init code, or it runs by DELEGATECALL." }
            }
        }
    }
}

/// The stack before the step, the top first, and marks what the step takes and leaves.
fn stack(step: &TraceStep, next: Option<&TraceStep>) -> Markup {
    let kept = next
        .filter(|next| next.depth == step.depth)
        .map(|next| step.stack.iter().zip(&next.stack).take_while(|(one, other)| one == other).count());
    html! {
        section.step-stack aria-labelledby="step-stack" {
            h2 #step-stack { (explained("Stack", "The numbers at hand. Instructions take from the top and put back \
                there.")) }
            @if step.stack.is_empty() { p.muted { "empty" } }
            @else {
                ol.stack {
                    @for (place, word) in step.stack.iter().enumerate().rev() {
                        @let is_taken = kept.is_some_and(|kept| place >= kept);
                        li.taken[is_taken] { (calls::word(word)) }
                    }
                }
            }
            @if let (Some(next), Some(kept)) = (next, kept) {
                @if next.stack.len() > kept {
                    p.muted { "After it, on top: " @for word in next.stack[kept..].iter().rev().take(4) {
                        b { (calls::word(word)) } " " } }
                }
            }
        }
    }
}

/// The slots that the steps before touched, of the account whose turn it is, and what this step does.
fn storage(StepView { step, before, .. }: &StepView<'_>) -> Markup {
    const SLOAD: u8 = 0x54;
    const SSTORE: u8 = 0x55;
    let mut slots: BTreeMap<Word, Word> = BTreeMap::new();
    let all = || before.iter().chain([*step]);
    for (one, after) in all().zip(all().skip(1)) {
        if one.account != step.account {
            continue;
        }
        match (one.opcode, &one.stack[..], after.stack.last()) {
            (SSTORE, [.., value, slot], _) => drop(slots.insert(*slot, *value)),
            (SLOAD, [.., slot], Some(value)) if after.depth == one.depth => drop(slots.insert(*slot, *value)),
            _ => {}
        }
    }
    let now = match (step.opcode, &step.stack[..]) {
        (SSTORE, [.., value, slot]) => Some((slot, Some(value))),
        (SLOAD, [.., slot]) => Some((slot, None)),
        _ => None,
    };
    html! {
        section.step-storage aria-labelledby="step-storage" {
            h2 #step-storage { (explained("Storage touched", "Slots that the steps before this one read or wrote. They \
                stay when the call has succeeded.")) }
            @if slots.is_empty() { p.muted { "none so far" } }
            @else { dl.fields { @for (slot, value) in &slots {
                dt { "slot " (calls::word(slot)) } dd { (calls::word(value)) } } } }
            @match now {
                Some((slot, Some(value))) => p { "This step writes " b { (calls::word(value)) } " to slot "
                    (calls::word(slot)) "." },
                Some((slot, None)) => p { "This step reads slot " (calls::word(slot)) "." },
                None => {},
            }
        }
    }
}

fn memory(step: &TraceStep) -> Markup {
    html! {
        section.step-memory aria-labelledby="step-memory" {
            @let heading = format!("Memory, {} bytes", view::number(step.memory_bytes).into_string());
            h2 #step-memory { (explained(&heading, "Bytes that last until this call ends. More of it costs more \
                gas.")) }
            @if step.memory.0.is_empty() { p.muted { "empty" } }
            @else {
                ol.listing { @for (place, row) in step.memory.0.chunks(ROW).take(MAX_ROWS).enumerate() {
                    li { span.pc { (place * ROW) } " " (HexBytes(row.to_vec())) }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::samples::{COUNTER, account};
    use super::*;
    use crate::view::snapshot;

    fn step(pc: u64, opcode: u8, gas: u64, stack: &[u64]) -> TraceStep {
        TraceStep {
            pc,
            opcode,
            gas,
            depth: 0,
            account: account(),
            stack: stack.iter().map(|number| Word::from(*number)).collect(),
            memory_bytes: 32,
            memory: HexBytes(vec![0; 32]),
            cost: None,
            slot: None,
        }
    }

    /// The counter's slot 0 holds 41.
    pub(super) fn steps() -> Vec<TraceStep> {
        vec![
            step(0, 0x5f, 1000, &[]),
            step(1, 0x54, 998, &[0]),
            step(2, 0x60, 898, &[41]),
            step(4, 0x01, 895, &[41, 1]),
            step(5, 0x80, 892, &[42]),
        ]
    }

    fn shown(number: usize, code: Option<&[u8]>) -> String {
        let steps = steps();
        let view = StepView {
            number: number as u64,
            count: steps.len() as u64,
            step: &steps[number],
            next: steps.get(number + 1),
            before: &steps[..number],
            calls: &[],
            code,
            link: &|step| format!("/t?step={step}"),
        };
        render(&view).into_string()
    }

    #[test]
    fn a_step_in_the_middle() {
        snapshot("step", &maud::PreEscaped(shown(3, Some(&COUNTER))));
    }

    #[test]
    fn the_first_and_the_last_step_have_no_neighbours_beyond() {
        let [first, last] = [shown(0, None), shown(4, None)];
        assert!(!first.contains("rel=\"prev\"") && first.contains("rel=\"next\""), "{first}");
        assert!(last.contains("rel=\"prev\"") && !last.contains("rel=\"next\""), "{last}");
        assert!(first.contains("/t?step=1#step") && last.contains("/t?step=3#step"));
    }

    #[test]
    fn what_a_step_read_is_storage_from_then_on() {
        assert!(shown(1, None).contains("This step reads slot"), "{}", shown(1, None));
        let after = shown(2, None);
        assert!(
            after.contains("title=\"0x0000000000000000000000000000000000000000000000000000000000000029\""),
            "{after}"
        );
    }

    #[test]
    fn code_that_is_not_the_one_that_runs_is_not_shown() {
        assert!(shown(3, Some(&[0; 14])).contains("This code is not in the account above"));
        assert!(shown(3, Some(&COUNTER)).contains("aria-current=\"step\""));
    }
}
