//! `user read` and `user run`: calls that are run by the mempool and forgotten.

use super::inspect::step_line;
use super::{InputArgs, ProgramArg, hex};
use crate::Error;
use crate::address_arg::AddressArg;
use crate::console::{Console, Output, Style};
use crate::services::Context;
use abi::value_text;
use runtime::sanitize;
use serde::Serialize;
use serde_json::Value;
use shared::ledger::Amount;
use shared::program::HexBytes;
use shared::wire::{CallRequest, CallResult, RunRequest, Trace};

/// Call a program without a transaction: nothing changes, nothing is paid
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  user read lab1qqq… \"balanceOf(address)(uint256)\" alice
  user read lab1qqq… \"transfer(address,uint256)(bool)\" bob 500 --from alice")]
pub struct ReadArgs {
    /// The program: its address (lab1qqq…), or 0x and its account
    #[arg(value_name = "PROGRAM")]
    program: ProgramArg,
    #[command(flatten)]
    input: InputArgs,
    /// Who calls: an address (lab1…), or the seed of a key
    #[arg(long, value_name = "ADDRESS OR SEED")]
    from: Option<AddressArg>,
    /// Money that goes with it, in LAB
    #[arg(long, value_name = "LAB", value_parser = Amount::from_lab, default_value = "0")]
    amount: Amount,
    /// Run it on the newest block with N confirmations, at most 1000 [default: the newest block]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    confirmations: Option<u64>,
}

/// Run code that no program has, and show its steps
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  user run 0x6001600201                  adds 1 and 2
  user run $(user asm add.asm)")]
pub struct RunArgs {
    /// The code: 0x and hex
    #[arg(value_name = "CODE", value_parser = hex)]
    code: HexBytes,
    /// What it is called with: 0x and hex
    #[arg(value_name = "DATA", default_value = "0x", value_parser = hex)]
    data: HexBytes,
    /// Gas that it may use [default: 1000000]
    #[arg(long)]
    gas: Option<u64>,
}

/// What a call led to.
#[derive(Debug, Serialize)]
struct ReadResult {
    #[serde(flatten)]
    result: CallResult,
    /// The output by the types of the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Value>>,
}

impl Output for ReadResult {
    fn text(&self, style: Style) -> String {
        let mut text = result_text(&self.result, style);
        for value in self.values.iter().flatten() {
            text += &format!("\nreturns {}", style.strong(value_text(value)));
        }
        text
    }
}

/// What loose code did.
#[derive(Debug, Serialize)]
struct Ran(Trace);

impl Output for Ran {
    fn text(&self, style: Style) -> String {
        let Trace { result, steps, .. } = &self.0;
        let mut lines: Vec<_> = steps.iter().map(|step| step_line(step, style)).collect();
        lines.push(result_text(result, style));
        lines.join("\n")
    }
}

fn result_text(result: &CallResult, style: Style) -> String {
    let CallResult { status, reason, output, gas_used, logs } = result;
    let reason = reason.as_ref().map(|reason| format!(": {}", sanitize::line(reason))).unwrap_or_default();
    let mut lines = vec![format!("{} {gas_used} gas", style.strong(format!("{}{reason}", sanitize::line(status))))];
    lines.push(format!("output {output}"));
    lines.extend(logs.iter().map(|log| format!("log {} {:?} {}", log.address, log.topics, log.data)));
    lines.join("\n")
}

/// # Errors
/// Fails if an argument has another type than the signature says, or the call cannot begin.
pub async fn read(args: ReadArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let ReadArgs { program, input, from, amount, confirmations } = args;
    let (data, signature) = input.encode()?;
    let mempool = context.mempool().await?;
    let from = from.map(|from| from.address);
    let request = CallRequest { from, to: Some(program.0), data, amount, gas: None, confirmations };
    let result = mempool.client.call_program(&mempool.address, &request).await;
    let result = result.map_err(mempool.request_error("call the program"))?;
    let signature = signature.filter(|signature| signature.has_results() && result.status == "succeeded");
    let values = signature.as_ref().and_then(|signature| signature.decode(&result.output.0));
    if signature.is_some() && values.is_none() {
        console.note("the output does not have the types that the signature names");
    }
    console.print(&ReadResult { result, values })
}

/// # Errors
/// Fails if the code cannot be run.
pub async fn run(args: RunArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let RunArgs { code, data, gas } = args;
    let mempool = context.mempool().await?;
    let trace = mempool.client.run_code(&mempool.address, &RunRequest { code, data, gas }).await;
    console.print(&Ran(trace.map_err(mempool.request_error("run the code"))?))
}
