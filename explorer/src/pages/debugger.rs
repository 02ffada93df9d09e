//! The step debugger: what the machine did in a transaction, one page a step.

use super::steps::{self, StepView};
use super::{calls, errors};
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, transaction_link};
use maud::{Markup, html};
use runtime::client::Error;
use runtime::server::{Number, Request, Response};
use serde::Deserialize;
use shared::ledger::{Address, CallKind, TransactionId};
use shared::wire::{Problem, Trace};
use std::sync::Arc;

/// Steps before the shown one that are read to show the storage.
const BEFORE: u64 = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceQuery {
    /// The step, from 0 on.
    #[param(inline, nullable = false)]
    step: Option<Number>,
}

struct TracePage {
    id: TransactionId,
    number: u64,
    /// Where the steps of the trace begin.
    from: u64,
    trace: Trace,
    code: Option<Vec<u8>>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [id] = request.params()?;
    let TraceQuery { step } = request.query()?;
    if !explorer.params.layer.has_programs() {
        return Ok(errors::no_programs("Steps", "/transactions", explorer.params.layer));
    }
    let Ok(id) = id.to_ascii_lowercase().parse::<TransactionId>() else {
        return Ok(errors::not_found(html! {
            (view::sanitized(&view::short(id))) " is not the id of a transaction, which has 64 digits from 0 to f."
        }));
    };
    let number = step.map_or(0, |Number(step)| step);
    match fetch(&explorer, id, number).await {
        Ok(shown) => Ok(Page {
            title: &format!("Step {}", number.saturating_add(1)),
            place: "/programs",
            scripts: &["steps-keys.js"],
            main: render(&shown),
        }
        .response()),
        Err(error) if error.is_not_found() => Ok(errors::not_found(html! {
            "Transaction " code { (id) } " has no steps: it is not in a block of the best chain yet, or it called no \
                program."
        })),
        // Too deep, or too many steps.
        Err(UpstreamError::Failed { error: Error::Refused(problem), .. }) if problem.status == 422 => {
            let reason = &problem.detail;
            let main = html! {
                h1 { "Steps" }
                p { "The steps of transaction " (transaction_link(id)) " cannot be shown: "
                    (view::sanitized(reason)) "." }
            };
            Ok(Page { title: "Steps", place: "/programs", scripts: &[], main }.response())
        }
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

async fn fetch(explorer: &ExplorerState, id: TransactionId, number: u64) -> Result<TracePage, UpstreamError> {
    let from = number.saturating_sub(BEFORE);
    // The step itself, and the one after it.
    let limit = usize::try_from(number - from).unwrap_or_default() + 2;
    let upstream = &explorer.upstream;
    let trace = upstream.mempool(async move |client, mempool| client.trace(mempool, &id, from, limit).await).await?;
    let step = usize::try_from(number - from).ok().and_then(|place| trace.steps.get(place));
    let code = match step {
        // The outermost code of a deployment is in the transaction.
        Some(step) if step.depth == 0 => match upstream.transaction(id).await?.transaction {
            sent if sent.call_kind() == Some(CallKind::Deploy) => {
                sent.as_payment().and_then(|sent| sent.call().ok().flatten()).map(|call| call.input)
            }
            _ => code_of(explorer, Address::of_program(step.account)).await?,
        },
        Some(step) => code_of(explorer, Address::of_program(step.account)).await?,
        None => None,
    };
    Ok(TracePage { id, number, from, trace, code })
}

async fn code_of(explorer: &ExplorerState, program: Address) -> Result<Option<Vec<u8>>, UpstreamError> {
    let code = explorer.upstream.mempool(async move |client, mempool| client.code(mempool, &program).await).await;
    match code {
        Ok(code) => Ok(Some(code.0)),
        // Perhaps it was destroyed, or is being made.
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn render(shown: &TracePage) -> Markup {
    let TracePage { id, number, from, trace, code } = shown;
    let result = &trace.result;
    let place = usize::try_from(number - from).unwrap_or(usize::MAX);
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        h1 { "Step by step" }
        p { "What the machine did in transaction " (transaction_link(*id)) ": it "
            (calls::status(&result.status, result.reason.as_deref())) ", with " (view::number(result.gas_used))
            " gas. 21,000 gas is what every transaction costs before its first instruction. "
            span.muted { "The arrow keys go from step to step." } }
        @match trace.steps.get(place) {
            Some(step) => (steps::render(&StepView {
                number: *number,
                count: trace.steps_in_all,
                step,
                next: trace.steps.get(place + 1),
                before: &trace.steps[..place],
                calls: &trace.calls,
                code: code.as_deref(),
                link: &|step| format!("/transaction/{id}/trace?step={step}"),
            })),
            None if trace.steps_in_all == 0 => p { "It has no steps: no code ran." },
            None => p { "It has only " (view::number(trace.steps_in_all)) " steps. "
                a href={ "/transaction/" (id) "/trace" } { "Go to the first" } "." },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::samples::{COUNTER, account, id};
    use super::*;
    use crate::pages::samples::{HOSTILE, assert_harmless};
    use shared::program::HexBytes;
    use shared::wire::{CallResult, TraceStep};

    fn shown(number: u64, steps_in_all: u64, steps: Vec<TraceStep>) -> String {
        let result = CallResult {
            status: "reverted".to_owned(),
            reason: Some(HOSTILE.to_owned()),
            output: HexBytes(Vec::new()),
            gas_used: 23_000,
            logs: Vec::new(),
        };
        let trace = Trace { result, steps_in_all, steps, calls: Vec::new(), storage: Vec::new() };
        let from = number.saturating_sub(BEFORE);
        render(&TracePage { id: id(), number, from, trace, code: Some(COUNTER.to_vec()) }).into_string()
    }

    fn step() -> TraceStep {
        TraceStep {
            pc: 0,
            opcode: 0x5f,
            gas: 100,
            depth: 2,
            account: account(),
            stack: Vec::new(),
            memory_bytes: 0,
            memory: HexBytes(Vec::new()),
            cost: None,
            slot: None,
        }
    }

    #[test]
    fn a_step_has_its_own_link_and_a_hostile_reason_is_text() {
        let page = shown(0, 2, vec![step(), step()]);
        assert_harmless(&page);
        assert!(page.contains(&format!("/transaction/{}/trace?step=1#step", id())), "{page}");
        assert!(page.contains("inside 2 calls"), "{page}");
    }

    #[test]
    fn steps_that_are_not_there_are_no_error() {
        assert!(shown(7, 2, Vec::new()).contains("only 2 steps"));
        assert!(shown(u64::MAX, 2, Vec::new()).contains("only 2 steps"));
        assert!(shown(0, 0, Vec::new()).contains("no code ran"));
    }
}
