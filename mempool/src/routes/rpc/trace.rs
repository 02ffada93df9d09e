//! The steps of a call, and the calls within it, in the forms that Ethereum's tools read.

use super::Reader;
use super::failure::{self, Failure, RpcError};
use super::params::{Params, hash, number, wrong};
use super::view::{large_quantity, quantity};
use crate::routes::calls::{engine_problem, run_again};
use crate::trace_page::Page;
use serde_json::{Value, json};
use shared::program::instruction_name;
use shared::wire::{StorageSlot, Trace, TraceCall, TraceStep};

/// Most steps of an answer.
const MAX_STEPS: usize = 10_000;
/// Most bytes of an answer, nearly.
const MAX_BYTES: usize = 8 << 20;

impl Reader<'_> {
    pub(super) fn trace(&self, params: &Params) -> Result<Value, Failure> {
        let id = hash("transaction", params.need(0, "transaction")?)?;
        let nothing = json!({});
        let options = params.get(1).unwrap_or(&nothing);
        let is_set = |name: &str| options.get(name).is_some_and(|value| *value == json!(true));
        let wants_calls = match options.get("tracer").and_then(Value::as_str) {
            None | Some("") => false,
            Some("callTracer") => true,
            Some(_) => return Err(wrong("tracer", "only \"callTracer\" is offered, and steps without a tracer").into()),
        };
        let wanted = options.get("limit").map(|value| number("limit", value)).transpose()?.filter(|limit| *limit > 0);
        let limit = wanted.map_or(MAX_STEPS, |limit| usize::try_from(limit).unwrap_or(MAX_STEPS).min(MAX_STEPS));
        let mut page = Page::new(0, if wants_calls { 0 } else { limit });
        let ended = run_again(self.pool_state, self.snapshot, self.engine, &id, &mut page)?;
        let trace = page.finish(Ok(ended)).map_err(|error| engine_problem(self.pool_state, &error))?;
        if wants_calls {
            return Ok(call_tree(&trace.calls));
        }
        if wanted.is_none() && trace.steps_in_all > MAX_STEPS as u64 {
            let steps = trace.steps_in_all;
            let detail = format!("the call has {steps} steps, more than {MAX_STEPS}; GET /trace shows them in pages");
            return Err(RpcError::new(failure::LIMIT, detail).into());
        }
        Ok(steps(&trace, !is_set("disableStack"), is_set("enableMemory"), !is_set("disableStorage"))?)
    }
}

fn steps(trace: &Trace, has_stack: bool, has_memory: bool, has_storage: bool) -> Result<Value, RpcError> {
    let (mut logs, mut bytes) = (Vec::with_capacity(trace.steps.len()), 0);
    for step in &trace.steps {
        let TraceStep { pc, opcode, gas, depth, stack, memory, cost, slot, .. } = step;
        let name = instruction_name(*opcode).map_or(format!("opcode {opcode:#04x}"), str::to_owned);
        let mut log = json!({
            "pc": pc, "op": name, "gas": gas, "gasCost": cost.unwrap_or(0), "depth": depth + 1,
        });
        if has_stack {
            log["stack"] = stack.iter().map(large_quantity).collect();
            bytes += stack.len() * 70;
        }
        if has_memory {
            let words = memory.0.chunks(32).map(|word| shared::program::HexBytes(word.to_vec()).to_string());
            log["memory"] = words.map(|word| word.trim_start_matches("0x").to_owned()).collect();
            bytes += memory.0.len() * 3;
        }
        if let Some(StorageSlot { slot, value }) = slot.as_ref().filter(|_| has_storage) {
            let digits = |word: &shared::program::Word| word.to_string().trim_start_matches("0x").to_owned();
            log["storage"] = json!({ digits(slot): digits(value) });
        }
        bytes += 100;
        if bytes > MAX_BYTES {
            let detail = "the steps are too long for one answer; leave out the stack or the memory, or set a limit";
            return Err(RpcError::new(failure::LIMIT, detail));
        }
        logs.push(log);
    }
    Ok(json!({
        "gas": trace.result.gas_used,
        "failed": trace.result.status != "succeeded",
        "returnValue": trace.result.output,
        "structLogs": logs,
    }))
}

/// The calls as a tree; they come in the order in which they began.
fn call_tree(calls: &[TraceCall]) -> Value {
    let mut open: Vec<Value> = Vec::new();
    for call in calls {
        close(&mut open, call.depth as usize);
        open.push(call_json(call));
    }
    close(&mut open, 1);
    open.pop().unwrap_or(Value::Null)
}

/// Puts each call into the one that it is inside of, down to `depth` open ones.
fn close(open: &mut Vec<Value>, depth: usize) {
    while open.len() > depth.max(1) {
        let inner = open.pop();
        if let (Some(inner), Some(outer)) = (inner, open.last_mut()) {
            match outer["calls"].as_array_mut() {
                Some(calls) => calls.push(inner),
                None => outer["calls"] = json!([inner]),
            }
        }
    }
}

fn call_json(call: &TraceCall) -> Value {
    let TraceCall { kind, from, to, value, gas, gas_used, status, input, output, .. } = call;
    let mut json = json!({
        "type": kind, "from": from, "to": to, "value": large_quantity(value), "gas": quantity(*gas),
        "gasUsed": quantity(*gas_used), "input": input, "output": output,
    });
    if status != "succeeded" {
        let is_revert = status == "reverted";
        json["error"] = json!(if is_revert { "execution reverted" } else { status.as_str() });
        if let Some(reason) = shared::program::revert_reason(&output.0).filter(|_| is_revert) {
            json["revertReason"] = json!(reason);
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::program::{AccountId, HexBytes, Word};

    fn call(number: u64, depth: u64) -> TraceCall {
        TraceCall {
            kind: "CALL".to_owned(),
            depth,
            from: AccountId::default(),
            to: None,
            value: Word::ZERO,
            gas: number,
            gas_used: 0,
            status: "succeeded".to_owned(),
            input: HexBytes::default(),
            input_bytes: 0,
            output: HexBytes::default(),
            output_bytes: 0,
            first_step: 0,
            end_step: 0,
        }
    }

    #[test]
    fn calls_become_a_tree() {
        let calls = [call(0, 0), call(1, 1), call(2, 2), call(3, 1), call(4, 2), call(5, 2)];
        let tree = call_tree(&calls);
        assert_eq!((&tree["gas"], tree["calls"].as_array().unwrap().len()), (&json!("0x0"), 2));
        assert_eq!(tree["calls"][0]["calls"][0]["gas"], json!("0x2"));
        assert_eq!(tree["calls"][1]["calls"][1]["gas"], json!("0x5"));
        assert_eq!(call_tree(&[]), Value::Null);
    }
}
