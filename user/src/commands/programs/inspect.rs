//! `user receipt`, `user program`, `user storage`, `user logs` and `user trace`: what is there, and what calls did.

use super::ProgramArg;
use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use runtime::sanitize;
use serde::Serialize;
use shared::ledger::TransactionId;
use shared::program::{Word, disassemble, instruction_name};
use shared::wire::{PlacedLogEntry, ProgramInfo, ReceiptStatus, StorageSlot, TouchedSlot, Trace, TraceCall, TraceStep};

/// Entries that are asked for at most.
const MAX_ENTRIES: usize = 200;
/// Steps of one request: the most that a mempool returns.
const MAX_STEPS: usize = 1000;

/// Show what a call or deployment led to
#[derive(Debug, clap::Args)]
pub struct ReceiptArgs {
    /// The transaction's id
    id: TransactionId,
}

/// Show a program and its code; without an address, the newest programs
#[derive(Debug, clap::Args)]
pub struct ProgramArgs {
    /// The program: its address (lab1qqq…), or 0x and its account
    #[arg(value_name = "PROGRAM")]
    program: Option<ProgramArg>,
}

/// Show the storage of a program
#[derive(Debug, clap::Args)]
pub struct StorageArgs {
    /// The program: its address (lab1qqq…), or 0x and its account
    #[arg(value_name = "PROGRAM")]
    program: ProgramArg,
    /// The first slot: 0x and 64 hex digits
    #[arg(long)]
    from: Option<Word>,
}

/// Show what a program logged, newest first
#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    /// The program: its address (lab1qqq…), or 0x and its account
    #[arg(value_name = "PROGRAM")]
    program: ProgramArg,
    /// Only logs with this first topic: 0x and 64 hex digits
    #[arg(long)]
    topic: Option<Word>,
}

/// Show the steps of a call
#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// The transaction's id
    id: TransactionId,
    /// The first step
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Most steps, at most 1000
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

#[derive(Debug, Serialize)]
struct Receipt(ReceiptStatus);

impl Output for Receipt {
    fn text(&self, style: Style) -> String {
        let ReceiptStatus { receipt, reason, block, confirmations } = &self.0;
        let reason = reason.as_ref().map(|reason| format!(": {}", sanitize::line(reason))).unwrap_or_default();
        let status = format!("{}{reason}", sanitize::line(&receipt.status));
        let mut lines = vec![
            format!("id       {}", receipt.id),
            format!("status   {}", style.strong(status)),
            format!("block    {} ({}), confirmations: {confirmations}", block.index, block.hash),
            format!("program  {}", receipt.program),
            format!("gas      {} of {}", receipt.gas_used, receipt.gas),
            format!("output   {}", receipt.output),
        ];
        lines.extend(receipt.logs.iter().map(|log| format!("log      {} {:?} {}", log.address, log.topics, log.data)));
        let moved = |one: &shared::layer::program::Move| {
            format!("moved    {}: {} LAB, before {} LAB", one.address, one.after, one.before)
        };
        lines.extend(receipt.moved.iter().map(moved));
        lines.join("\n")
    }
}

#[derive(Debug, Serialize)]
struct Programs(Vec<ProgramInfo>);

impl Output for Programs {
    fn text(&self, _: Style) -> String {
        let line = |one: &ProgramInfo| format!("{}  block {}, {} LAB", one.address, one.index, one.balance);
        if self.0.is_empty() { "no programs yet".to_owned() } else { lines(&self.0, line) }
    }
}

#[derive(Debug, Serialize)]
struct ProgramWithCode {
    #[serde(flatten)]
    info: ProgramInfo,
    code: shared::program::HexBytes,
}

impl Output for ProgramWithCode {
    fn text(&self, style: Style) -> String {
        let ProgramInfo { address, account, balance, code_bytes, maker, transaction, index, .. } = &self.info;
        let mut all = vec![
            format!("program  {}", style.strong(address)),
            format!("account  {account}"),
            format!("balance  {balance} LAB"),
            format!("made by  {maker}"),
            format!("in       block {index}, transaction {transaction}"),
            format!("code     {code_bytes} bytes:"),
        ];
        all.extend(disassemble(&self.code.0).iter().map(|one| format!("  {:04x}  {one}", one.pc)));
        all.join("\n")
    }
}

#[derive(Debug, Serialize)]
struct Storage(Vec<StorageSlot>);

impl Output for Storage {
    fn text(&self, _: Style) -> String {
        let line = |one: &StorageSlot| format!("{}  {}", one.slot, one.value);
        if self.0.is_empty() { "no slots".to_owned() } else { lines(&self.0, line) }
    }
}

#[derive(Debug, Serialize)]
struct Logs(Vec<PlacedLogEntry>);

impl Output for Logs {
    fn text(&self, _: Style) -> String {
        let line = |one: &PlacedLogEntry| {
            format!("block {}  {}  {:?}  {}", one.index, one.transaction.short(), one.log.topics, one.log.data)
        };
        if self.0.is_empty() { "no logs".to_owned() } else { lines(&self.0, line) }
    }
}

#[derive(Debug, Serialize)]
struct Steps(Trace);

impl Output for Steps {
    fn text(&self, style: Style) -> String {
        let Trace { result, steps_in_all, steps, calls, storage } = &self.0;
        let mut all: Vec<_> = steps.iter().map(|step| step_line(step, style)).collect();
        // The first is the call of the transaction itself.
        all.extend(calls.iter().skip(1).map(call_line));
        all.extend(storage.iter().map(slot_line));
        let status = sanitize::line(&result.status);
        all.push(format!("{} of {steps_in_all} steps; {status}, {} gas", steps.len(), result.gas_used));
        all.join("\n")
    }
}

/// A step as a line: place, name, gas, and the upper values of the stack.
pub(super) fn step_line(step: &TraceStep, style: Style) -> String {
    let name = instruction_name(step.opcode).map_or(format!("0x{:02x}", step.opcode), str::to_owned);
    let indent = "  ".repeat(usize::try_from(step.depth).unwrap_or(0).min(16));
    let top = step.stack.iter().rev().take(3).map(short).collect::<Vec<_>>().join(" ");
    let start = format!("{indent}{:04x}  {}", step.pc, style.strong(format!("{name:<14}")));
    format!("{start} {:>9} gas  {}", step.gas, style.faint(top)).trim_end().to_owned()
}

/// A call within a call.
fn call_line(call: &TraceCall) -> String {
    let TraceCall { kind, depth, to, gas_used, status, first_step, .. } = call;
    let indent = "  ".repeat(usize::try_from(*depth).unwrap_or(0).min(16));
    let to = to.map_or("a new program".to_owned(), |to| to.to_string());
    format!("{indent}step {first_step}: {} {to}, {gas_used} gas, {}", sanitize::line(kind), sanitize::line(status))
}

/// A slot that was read or written.
fn slot_line(touched: &TouchedSlot) -> String {
    let TouchedSlot { account, slot, read, written } = touched;
    let read = read.as_ref().map(|read| format!(" was {}", short(read))).unwrap_or_default();
    let written = written.as_ref().map(|written| format!(" set to {}", short(written))).unwrap_or_default();
    format!("slot {} of {account}:{read}{written}", short(slot))
}

/// A word without its leading zeros.
fn short(word: &Word) -> String {
    let digits = word.to_string();
    let digits = digits.trim_start_matches("0x").trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { format!("0x{digits}") }
}

fn lines<T>(entries: &[T], line: impl Fn(&T) -> String) -> String {
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// # Errors
/// Fails if the transaction is not in the chain, or called no program.
pub async fn receipt(args: ReceiptArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    let receipt = mempool.client.receipt(&mempool.address, &args.id).await;
    console.print(&Receipt(receipt.map_err(mempool.request_error("ask for the receipt"))?))
}

/// # Errors
/// Fails if there is no program at the address.
pub async fn program(args: ProgramArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    match args.program {
        Some(ProgramArg(address)) => console.print(&with_code(&mempool, &address).await?),
        None => {
            let page = mempool.client.programs(&mempool.address, None, MAX_ENTRIES).await;
            console.print(&Programs(page.map_err(mempool.request_error("ask for programs"))?.entries))
        }
    }
}

async fn with_code(mempool: &RemoteService, address: &shared::ledger::Address) -> Result<ProgramWithCode, Error> {
    let info = mempool.client.program(&mempool.address, address).await;
    let info = info.map_err(mempool.request_error("ask for the program"))?;
    let code = mempool.client.code(&mempool.address, address).await;
    Ok(ProgramWithCode { info, code: code.map_err(mempool.request_error("ask for the code"))? })
}

/// # Errors
/// Fails if the mempool cannot be asked.
pub async fn storage(args: StorageArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    let from = args.from.map(|from| from.to_string());
    let page = mempool.client.storage(&mempool.address, &args.program.0, from.as_deref(), MAX_ENTRIES).await;
    console.print(&Storage(page.map_err(mempool.request_error("ask for the storage"))?.entries))
}

/// # Errors
/// Fails if the mempool cannot be asked.
pub async fn logs(args: LogsArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    let page = mempool.client.logs(&mempool.address, &args.program.0, args.topic.as_ref(), None, MAX_ENTRIES).await;
    console.print(&Logs(page.map_err(mempool.request_error("ask for the logs"))?.entries))
}

/// # Errors
/// Fails if the transaction is not in the chain, or called no program, or lies too deep.
pub async fn trace(args: TraceArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await?;
    let trace = mempool.client.trace(&mempool.address, &args.id, args.from, args.limit.min(MAX_STEPS)).await;
    console.print(&Steps(trace.map_err(mempool.request_error("ask for the steps"))?))
}
