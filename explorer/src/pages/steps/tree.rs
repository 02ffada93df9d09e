//! The calls within a call as a tree: who calls whom, with how much money, and how it ended. Each line leads to the
//! first step of its call.

use super::{StepView, calls};
use crate::view::{self, explained};
use maud::{Markup, html};
use runtime::sanitize;
use shared::ledger::Amount;
use shared::program::{Word, revert_reason};
use shared::wire::TraceCall;

/// Most calls that are shown, besides those that the current step is inside.
const MAX_CALLS: usize = 100;
/// Deepest level that is indented.
const MAX_INDENT: usize = 12;

pub(super) fn render(shown: &StepView<'_>) -> Markup {
    let StepView { number, calls: all, .. } = shown;
    let is_inside = |call: &TraceCall| (call.first_step..call.end_step).contains(number);
    let innermost = all.iter().rposition(is_inside);
    let listed = all.iter().enumerate().filter(|(place, call)| *place < MAX_CALLS || is_inside(call));
    html! {
        @if !all.is_empty() {
            section.step-calls aria-labelledby="step-calls" {
                h2 #step-calls { (explained("Calls", "Who calls whom: a call within another stands below it, further \
                    to the right. Each line leads to its first step.")) }
                ol.calls {
                    @for (place, call) in listed {
                        li aria-current=[(Some(place) == innermost).then_some("step")] { (line(call, shown)) }
                    }
                }
                @if all.len() > MAX_CALLS {
                    p.muted { "These are the first " (MAX_CALLS) " of " (all.len()) " calls, and those that this \
                        step is inside. A trace has at most the first 1,000." }
                }
            }
        }
    }
}

fn line(call: &TraceCall, StepView { count, link, .. }: &StepView<'_>) -> Markup {
    let depth = usize::try_from(call.depth).unwrap_or(usize::MAX);
    // A call at the end without steps has the number of a step that is not there.
    let first = call.first_step.min(count.saturating_sub(1));
    let kind = sanitize::line(&call.kind);
    let name = calls::function(&call.input.0).filter(|_| !call.kind.starts_with("CREATE"));
    html! {
        span.indent aria-hidden="true" { @if depth > 0 { ("│ ".repeat(depth.min(MAX_INDENT) - 1)) "└ " } }
        @if *count == 0 { (kind) } @else { a href={ (link(first)) "#step" } { (kind) } }
        " " (calls::account(&call.from)) " → "
        @match &call.to { Some(to) => (calls::account(to)), None => { "no new program" } }
        @if let Some(name) = name { " " code { (name) } }
        @if call.value != Word::ZERO { " with " b { (value(&call.value)) } }
        ": " (calls::status(&call.status, reason(call).as_deref()))
        span.muted { ", " (view::number(call.gas_used)) " gas" }
        @if depth > 0 { span.muted { ", depth " (depth) } }
    }
}

fn reason(call: &TraceCall) -> Option<String> {
    revert_reason(&call.output.0).filter(|_| call.status == "reverted")
}

/// Money; a number if it is more than there can be, since a call may ask for that.
fn value(word: &Word) -> Markup {
    match word.to_u64().and_then(Amount::new) {
        Some(amount) => view::amount(amount),
        None => html! { (calls::word(word)) " grains" },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::steps;
    use super::*;
    use crate::pages::samples::{HOSTILE, address, assert_harmless};
    use crate::view::snapshot;
    use shared::program::{AccountId, HexBytes};

    fn call(depth: u64, steps: std::ops::Range<u64>) -> TraceCall {
        TraceCall {
            kind: "CALL".to_owned(),
            depth,
            from: AccountId([depth.min(9) as u8 + 1; 20]),
            to: Some(AccountId([depth.min(9) as u8 + 2; 20])),
            value: Word::ZERO,
            gas: 50_000,
            gas_used: 2_300,
            status: "succeeded".to_owned(),
            input: HexBytes::default(),
            input_bytes: 0,
            output: HexBytes::default(),
            output_bytes: 0,
            first_step: steps.start,
            end_step: steps.end,
        }
    }

    fn shown(number: u64, calls: &[TraceCall]) -> Markup {
        let steps = steps();
        render(&StepView {
            number,
            count: 5,
            step: &steps[0],
            next: None,
            before: &[],
            calls,
            code: None,
            link: &|step| format!("/t?step={step}"),
        })
    }

    /// The output of a call that reverts with this reason.
    fn reverted(reason: &str) -> HexBytes {
        let words = [Word::from(32), Word::from(reason.len() as u64)].map(|word| word.0).concat();
        HexBytes([&[0x08, 0xc3, 0x79, 0xa0][..], &words, reason.as_bytes()].concat())
    }

    #[test]
    fn a_call_stands_below_its_caller_with_its_money_and_its_end() {
        let outer = TraceCall { from: address("alice").account(), ..call(0, 0..5) };
        let transfer = [&[0xa9, 0x05, 0x9c, 0xbb][..], &[0; 64]].concat();
        let inner = TraceCall { input: HexBytes(transfer), ..call(1, 1..3) };
        let paid = TraceCall { value: Word::from(50_000_000), ..call(2, 2..2) };
        let failed = TraceCall { status: "reverted".to_owned(), output: reverted("too poor"), ..call(1, 5..5) };
        snapshot("step_calls", &shown(2, &[outer, inner, paid, failed]));
    }

    #[test]
    fn the_innermost_call_of_the_step_is_marked_also_beyond_those_that_are_shown() {
        let mut calls = vec![call(0, 0..5)];
        calls.extend(std::iter::repeat_n(call(1, 1..1), 200));
        calls.push(call(1, 2..4));
        let page = shown(3, &calls).into_string();
        assert_eq!(page.matches("<li").count(), MAX_CALLS + 1);
        assert!(page.split("aria-current").nth(1).unwrap().contains("/t?step=2#step"), "{page}");
        assert!(page.contains("first 100 of 202 calls"), "{page}");
        assert!(shown(0, &[]).into_string().is_empty());
    }

    #[test]
    fn strange_calls_are_shown_too() {
        let mut strange = call(1023, 7..7);
        (strange.kind, strange.status) = (HOSTILE.to_owned(), "reverted".to_owned());
        (strange.to, strange.value, strange.output) = (None, Word([0xff; 32]), reverted(HOSTILE));
        let page = shown(0, &[strange]).into_string();
        assert_harmless(&page);
        assert!(page.contains("/t?step=4#step") && page.contains("no new program"), "{page}");
    }
}
