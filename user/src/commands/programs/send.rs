//! `user deploy` and `user call`: make a transaction that deploys or calls a program, sign it, and send it.

use super::{InputArgs, ProgramArg, hex_file};
use crate::address_arg::account;
use crate::console::{Console, Output, Style};
use crate::keys::KeyArgs;
use crate::push::{PushResult, push};
use crate::services::{Context, RemoteService};
use crate::spendable::Spendable;
use crate::{Error, confirmation_wait, random};
use abi::Signature;
use serde::Serialize;
use shared::keys::{KeyPair, PlainVerifier};
use shared::layer::program::new_program;
use shared::ledger::{Address, Amount, Transaction, TransactionRules, Unsigned, Uuid};
use shared::program::{Call, CallKind, HexBytes, MAX_CALL_GAS};
use shared::wire::CallRequest;
use std::path::PathBuf;
use std::time::Duration;

/// Deploy a program
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  user deploy counter.hex -s alice --wait 1
  user deploy token.hex \"constructor(string,uint256)\" Token 1000000 -s alice
  user asm --deploy counter.asm | user deploy - -s alice")]
pub struct DeployArgs {
    /// File with the hex of the init code, or - for standard input
    #[arg(value_name = "FILE")]
    code: PathBuf,
    /// The types of what the constructor takes, such as "constructor(string,uint256)"
    #[arg(value_name = "SIGNATURE")]
    constructor: Option<Signature>,
    /// What it takes; an address may be lab1…, 0x… or the seed of a key
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true)]
    arguments: Vec<String>,
    #[command(flatten)]
    options: SendOptions,
}

/// Call a program, with a transaction
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  user call lab1qqq… -s alice --wait 1
  user call lab1qqq… \"transfer(address,uint256)\" bob 500 -s alice
  user call lab1qqq… 0xa9059cbb… -s alice --amount 0.5")]
pub struct CallArgs {
    /// The program: its address (lab1qqq…), or 0x and its account
    #[arg(value_name = "PROGRAM")]
    program: ProgramArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    options: SendOptions,
}

/// What both take.
#[derive(Debug, clap::Args)]
struct SendOptions {
    #[command(flatten)]
    key: KeyArgs,
    /// Money that goes with it, in LAB
    #[arg(long, value_name = "LAB", value_parser = Amount::from_lab, default_value = "0")]
    amount: Amount,
    /// The fee for the miner, in LAB [default: mempool.min_fee of the configuration, 0.00001]
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab)]
    fee: Option<Amount>,
    /// Gas that it may use [default: a quarter more than it needs now]
    #[arg(long)]
    gas: Option<u64>,
    /// Wait for N confirmations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    wait: Option<u64>,
    /// Wait at most this long
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "wait")]
    timeout: u64,
}

/// A call or deployment that a mempool has accepted.
#[derive(Debug, Serialize)]
struct Sent {
    #[serde(flatten)]
    push: PushResult,
    transaction: Transaction,
    /// The program that is called, or the new one.
    program: Address,
    gas: u64,
    mempool: String,
}

impl Output for Sent {
    fn text(&self, style: Style) -> String {
        let Self { transaction, program, gas, .. } = self;
        let what = if transaction.call_kind() == Some(CallKind::Deploy) { "deployment" } else { "call" };
        format!(
            "{} {what} with {gas} gas and a fee of {} LAB\nid: {}\nprogram: {program}\nnext: user receipt {}",
            style.good("sent"),
            transaction.fee(),
            style.strong(transaction.id()),
            transaction.id(),
        )
    }
}

/// # Errors
/// Fails if the deployment breaks a rule, is not covered or is refused, or if it leaves the mempool during the wait.
pub async fn deploy(args: DeployArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mut code = hex_file(&args.code)?;
    if let Some(constructor) = &args.constructor {
        let arguments = constructor.encode_constructor(&args.arguments, &account);
        code.0.extend(arguments.map_err(|error| Error::Usage(error.to_string()))?);
    }
    send(args.options, None, code, context, console).await
}

/// # Errors
/// Fails if the call breaks a rule, is not covered or is refused, or if it leaves the mempool during the wait.
pub async fn call(args: CallArgs, context: &Context, console: &mut Console) -> Result<(), Error> {
    let (data, _) = args.input.encode()?;
    send(args.options, Some(args.program.0), data, context, console).await
}

async fn send(
    options: SendOptions,
    program: Option<Address>,
    data: HexBytes,
    context: &Context,
    console: &mut Console,
) -> Result<(), Error> {
    let SendOptions { key, amount, fee, gas, wait, timeout } = options;
    let (pair, who) = key.load(console)?;
    let mempool = context.mempool().await?;
    context.note_foreign_network(&mempool, console);
    let from = pair.address();
    let fee = fee.unwrap_or(context.config.mempool.min_fee);
    let request = CallRequest { from: Some(from), to: program, data, amount, gas: None, confirmations: None };
    let gas = match gas {
        Some(gas) => gas,
        None => wanted_gas(&mempool, &request).await?,
    };
    let call = Call { gas, input: request.data.0 };
    let transaction = sign_call(&pair, &mempool, program, amount, fee, &call)?;
    Spendable::of(&mempool, &from).await?.check_covers(&who, amount, fee)?;
    console.note("the fee is spent even if the call fails; other calls before it may make it need more gas");
    let events = match wait {
        Some(_) => confirmation_wait::subscribe(&mempool).await,
        None => None,
    };
    let push = push(&mempool, &transaction).await?;
    push.note_refusals(console);
    let id = transaction.id();
    let program = program.unwrap_or_else(|| Address::of_program(new_program(&id)));
    console.print(&Sent { push, transaction, program, gas, mempool: mempool.address.clone() })?;
    match wait {
        Some(wanted) => {
            let timeout = Duration::from_secs(timeout);
            confirmation_wait::wait(&mempool, id, wanted, timeout, events, console).await
        }
        None => Ok(()),
    }
}

/// A signed call of a program, or the deployment of a new one, with a number of its own.
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn sign_call(
    pair: &KeyPair,
    mempool: &RemoteService,
    program: Option<Address>,
    amount: Amount,
    fee: Amount,
    call: &Call,
) -> Result<Transaction, Error> {
    let kind = if program.is_some() { CallKind::Call } else { CallKind::Deploy };
    let (from, to, msg) = (pair.address(), program.unwrap_or_else(Address::nobody), call.to_msg(kind));
    let unsigned = Unsigned { uuid: Uuid(random::bytes()?), from, to, amount, fee, msg };
    let transaction = pair.sign_transaction(unsigned, mempool.network_id);
    transaction.check(&TransactionRules::of(&mempool.params), &PlainVerifier)?;
    Ok(transaction)
}

/// A quarter more gas than a call needs now: by the time that it runs, others may have run before it.
pub(crate) fn with_margin(gas: u64) -> u64 {
    gas.saturating_add(gas / 4).min(MAX_CALL_GAS)
}

/// A quarter more gas than the call needs now.
async fn wanted_gas(mempool: &RemoteService, request: &CallRequest) -> Result<u64, Error> {
    let estimate = mempool.client.estimate_gas(&mempool.address, request).await;
    let gas = estimate.map_err(mempool.request_error("find out how much gas it needs"))?.gas;
    Ok(with_margin(gas))
}
