//! Calls that are run and forgotten.

use super::Reader;
use super::failure::{Failure, RpcError};
use super::params::{Params, account, bytes, number, wrong};
use super::view::quantity;
use crate::machine::{Deadline, environment_on, most_gas, result, run};
use crate::routes::calls::{engine_problem, least_gas};
use serde_json::{Value, json};
use shared::ledger::{Address, Amount};
use shared::program::Execution;
use shared::wire::{CallRequest, CallResult};

impl Reader<'_> {
    pub(super) fn call(&self, params: &Params) -> Result<Value, Failure> {
        let (call, gas) = self.request(params)?;
        self.at(params, 1, |state, block| {
            let environment = environment_on(self.pool_state.params(), block);
            let ended = run(self.engine.as_ref(), &environment, state, &call, gas, &mut Deadline::default());
            let CallResult { status, reason, output, .. } =
                result(ended.map_err(|error| engine_problem(self.pool_state, &error))?);
            if status == "succeeded" {
                return Ok(json!(output));
            }
            Err(RpcError::failed(&status, reason.as_deref(), output.0).into())
        })
    }

    pub(super) fn estimate(&self, params: &Params) -> Result<Value, Failure> {
        let (call, gas) = self.request(params)?;
        self.at(params, 1, |state, block| {
            let environment = environment_on(self.pool_state.params(), block);
            match least_gas(self.pool_state, self.engine.as_ref(), &environment, state, &call, gas)? {
                Ok(gas) => Ok(quantity(gas)),
                Err(failed) => Err(refused(failed).into()),
            }
        })
    }

    /// The call that a request describes, and how much gas it may use.
    fn request(&self, params: &Params) -> Result<(CallRequest, u64), RpcError> {
        let fields = params.need(0, "call")?;
        if !fields.is_object() {
            return Err(wrong("call", "expected an object"));
        }
        if params.get(2).is_some_and(|overrides| *overrides != json!({})) {
            return Err(wrong("state overrides", "they are not offered"));
        }
        let field = |name| fields.get(name).filter(|value| !value.is_null());
        let address = |name| field(name).map(|value| account(name, value)).transpose();
        // `input` is the newer name of the two; clients that know both send the same twice.
        let data = field("input").or_else(|| field("data")).map(|value| bytes("data", value)).transpose()?;
        let value = field("value").map(|value| number("value", value)).transpose()?.unwrap_or(0);
        let most = most_gas(self.pool_state.params());
        let gas = field("gas").map(|value| number("gas", value)).transpose()?;
        let call = CallRequest {
            from: address("from")?.map(Address::of_program),
            to: address("to")?.map(Address::of_program),
            data: data.unwrap_or_default(),
            amount: Amount::new(value).ok_or_else(|| wrong("value", "more than there can be"))?,
            gas: None,
            confirmations: None,
        };
        Ok((call, gas.unwrap_or(most).min(most)))
    }
}

fn refused(failed: Execution) -> RpcError {
    let CallResult { status, reason, output, .. } = result(failed);
    RpcError::failed(&status, reason.as_deref(), output.0)
}
