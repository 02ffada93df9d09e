//! The machine to try: a reader writes a few instructions, a mempool runs them and forgets them, and the page shows
//! each step. The address of the page is the whole experiment.

use super::steps::{self, StepView};
use super::{calls, errors};
use crate::functions;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::client::Error;
use runtime::sanitize;
use runtime::server::{Number, Request, Response};
use serde::Deserialize;
use shared::program::{HexBytes, assemble};
use shared::wire::{Problem, RunRequest, Trace};
use std::sync::Arc;

/// Longest text of a program, in bytes: it is a part of the page's address.
const MAX_TEXT: usize = 2000;
/// Longest data, in bytes of hex.
const MAX_DATA: usize = 2000;
/// Gas of a run.
const GAS: u64 = 100_000;

/// Programs to begin with.
const EXAMPLES: [(&str, &str); 5] = [
    (
        "Add two numbers",
        "PUSH 2\nPUSH 3\nADD          ; takes both, puts back 5\nPUSH0 MSTORE  ; into the memory\nPUSH \
        32 PUSH0 RETURN",
    ),
    ("Count down", "PUSH 3\nagain: JUMPDEST\nPUSH 1 SWAP1 SUB\nDUP1 PUSH @again JUMPI\nSTOP"),
    (
        "Keep a number",
        "PUSH0 SLOAD     ; slot 0 is 0 at first\nPUSH 1 ADD\nPUSH0 SSTORE    ; keeps it\nPUSH0 SLOAD     \
        ; cheaper now: the slot is warm\nSTOP",
    ),
    ("Refuse", "PUSH 42 PUSH0 MSTORE\nPUSH 32 PUSH0 REVERT  ; undoes everything"),
    ("Never end", "again: JUMPDEST\nPUSH @again JUMP  ; the gas ends it"),
];

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct MachineQuery {
    /// Instructions, as `user asm` takes them.
    #[param(nullable = false)]
    code: Option<String>,
    /// What the code is called with, as hex.
    #[param(nullable = false)]
    data: Option<String>,
    /// The step, from 0 on.
    #[param(inline, nullable = false)]
    step: Option<Number>,
}

/// What a reader wrote.
struct Written {
    code: String,
    data: String,
}

enum Outcome {
    Wrong(String),
    Ran { code: Vec<u8>, trace: Trace },
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let MachineQuery { code, data, step } = request.query()?;
    if !explorer.params.layer.has_programs() {
        return Ok(errors::no_programs("The machine", "/learn", explorer.params.layer));
    }
    let code = code.unwrap_or_else(|| EXAMPLES[0].1.to_owned());
    let written = Written { code, data: data.unwrap_or_default() };
    let outcome = match run(&explorer, &written).await {
        Ok(outcome) => outcome,
        Err(error) => return Ok(errors::no_answer(&error)),
    };
    let step = step.map_or(0, |Number(step)| step);
    let scripts = &["steps-keys.js"];
    Ok(Page { title: "The machine", place: "/learn", scripts, main: render(&written, step, &outcome) }.response())
}

async fn run(explorer: &ExplorerState, written: &Written) -> Result<Outcome, UpstreamError> {
    let request = match read(written) {
        Ok(request) => request,
        Err(wrong) => return Ok(Outcome::Wrong(wrong)),
    };
    let code = request.code.0.clone();
    let ran = explorer.upstream.mempool(async move |client, mempool| client.run_code(mempool, &request).await).await;
    match ran {
        Ok(trace) => Ok(Outcome::Ran { code, trace }),
        Err(UpstreamError::Failed { error: Error::Refused(problem), .. }) if problem.status == 422 => {
            Ok(Outcome::Wrong(format!("It cannot run: {}.", problem.detail)))
        }
        Err(error) => Err(error),
    }
}

fn read(Written { code, data }: &Written) -> Result<RunRequest, String> {
    if code.len() > MAX_TEXT || data.len() > MAX_DATA {
        return Err(format!("At most {MAX_TEXT} bytes of instructions, and {MAX_DATA} of data."));
    }
    let code = assemble(code).map_err(|error| format!("{error}."))?;
    let data = if data.trim().is_empty() { Vec::new() } else { functions::hex(data)? };
    Ok(RunRequest { code: HexBytes(code), data: HexBytes(data), gas: Some(GAS) })
}

fn link(written: &Written, step: u64) -> String {
    let [code, data] = [&written.code, &written.data].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
    format!("/learn/machine?code={code}&data={data}&step={step}")
}

fn render(written: &Written, step: u64, outcome: &Outcome) -> Markup {
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        h1 { "The machine" }
        p { "Programs are instructions for a small machine. It has a stack of numbers, a memory that lasts for one \
            call, and a storage that stays. Each instruction costs gas, and when the gas is used up, everything that \
            the call did is undone. Change a few instructions, run them, and go from step to step. What happens here \
            is forgotten at once; " a href="/learn/programs" { "the exercises" } " are about programs that stay." }
        p { "Begin with: " @for (place, (name, code)) in EXAMPLES.iter().enumerate() {
            @if place > 0 { ", " }
            a href=(link(&Written { code: (*code).to_owned(), data: String::new() }, 0)) { (name) }
        } }
        form #machine .call-form action="/learn/machine" {
            label { "Instructions. A name with a colon, again:, marks a place. PUSH @again puts that place onto the \
                stack"
                textarea name="code" rows="8" maxlength=(MAX_TEXT) spellcheck="false" autocomplete="off" {
                    (sanitize::text(&written.code)) } }
            label { "What it is called with, as hex" input name="data" value=(sanitize::line(&written.data))
                maxlength=(MAX_DATA) placeholder="0x" spellcheck="false" autocomplete="off"; }
            p { button.primary { "Run" } }
        }
        @match outcome {
            Outcome::Wrong(words) => p #machine-result .bad role="alert" { (view::sanitized(words)) },
            Outcome::Ran { code, trace } => (ran(written, step, code, trace)),
        }
    }
}

fn ran(written: &Written, number: u64, code: &[u8], trace: &Trace) -> Markup {
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    // A mempool sends the first steps only.
    let count = trace.steps_in_all.min(trace.steps.len() as u64);
    html! {
        p #machine-result { "It " (calls::status(&trace.result.status, trace.result.reason.as_deref())) " with "
            (view::number(trace.result.gas_used)) " of " (view::number(GAS)) " gas, in "
            (view::number(trace.steps_in_all)) " steps. 21,000 gas is what every transaction costs before its first \
            instruction."
            @if !trace.result.output.0.is_empty() { " Output: " code.hash { (trace.result.output) } }
            @if count < trace.steps_in_all { " Only the first " (view::number(count)) " are shown." }
        }
        @if let Some(step) = trace.steps.get(place) {
            (steps::render(&StepView {
                number,
                count,
                step,
                next: trace.steps.get(place + 1),
                before: &trace.steps[..place],
                // The first is the whole run.
                calls: if trace.calls.len() > 1 { &trace.calls } else { &[] },
                code: Some(code),
                link: &|step| link(written, step),
            }))
        } @else if count > 0 {
            p { "It has only " (view::number(count)) " steps here. "
                a href=(link(written, 0)) { "Go to the first" } "." }
        } @else {
            p.muted { "No instruction ran." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples::{HOSTILE, assert_harmless};

    fn written(code: &str, data: &str) -> Written {
        Written { code: code.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn examples_are_programs() {
        for (name, code) in EXAMPLES {
            assert!(read(&written(code, "")).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (code, data, words) in [
            ("ADD\nFOO", "", "line 2: FOO is no instruction"),
            ("ADD", "12", "no hex"),
            (&"A ".repeat(MAX_TEXT), "", "At most 2000 bytes"),
        ] {
            let wrong = read(&written(code, data)).unwrap_err();
            assert!(wrong.contains(words), "{wrong}");
        }
        let page = render(&written(HOSTILE, HOSTILE), 0, &Outcome::Wrong(HOSTILE.to_owned()));
        assert_harmless(&page.into_string());
    }

    #[test]
    fn a_link_carries_the_program() {
        assert_eq!(
            link(&written("PUSH 1 ; a&b", "0x1"), 3),
            "/learn/machine?code=PUSH%201%20%3B%20a%26b&data=0x1&step=3"
        );
    }
}
