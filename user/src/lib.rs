//! The command line of Chainlab's users: keys, payments, balances (docs/protocol.md §12).
//!
//! A thin client: it makes keys and signs payments, and asks a mempool or a node for everything else. It holds no chain
//! and decides no rule: before it sends a payment it checks only the rules that every node and mempool checks.

mod address_arg;
mod answers;
mod args;
mod as_of;
mod coins;
pub mod commands;
mod confirmation_wait;
mod console;
mod error;
mod keys;
mod names;
mod push;
mod random;
mod services;
mod spendable;
mod tx_arg;

pub use address_arg::{AddressArg, AddressSelector, BadAddressArg};
pub use args::{Args, Command};
pub use console::{Console, Output, Style};
pub use error::Error;
pub use services::{Context, RemoteService};

use runtime::config::Overrides;

/// Carries out a command.
///
/// # Errors
/// Returns why the command failed; [`Error::exit_code`] is the exit code for it.
pub async fn run(args: Args, console: &mut Console) -> Result<(), Error> {
    let Args { command, tracker, mempool, json: _, common } = args;
    let config = common.load(Overrides::new().set("user.tracker", "--tracker", tracker))?;
    let context = Context { config, mempool };
    match command {
        Command::New(args) => commands::new::run(args, console),
        Command::Address(args) => commands::address::run(args, console),
        Command::Send(args) => commands::send::run(args, &context, console).await,
        Command::Coins(args) => commands::coins::run(args, &context, console).await,
        Command::Bump(args) => commands::bump::run(args, &context, console).await,
        Command::Balance(args) => commands::balance::run(args, &context, console).await,
        Command::History(args) => commands::history::run(args, &context, console).await,
        Command::Confirmations(args) => commands::confirmations::run(args, &context, console).await,
        Command::Tx(args) => commands::tx::run(args, &context, console).await,
        Command::Rnd(args) => commands::rnd::run(args, &context, console).await,
        Command::Verify(args) => commands::verify::run(args, &context, console).await,
        Command::Explain(args) => commands::explain::run(args, &context, console).await,
        Command::Health(args) => commands::health::run(args, &context, console).await,
        Command::Watch(args) => commands::watch::run(args, &context, console).await,
        Command::Mine(args) => commands::mine::run(args, &context, console).await,
        Command::Network(args) => commands::network::run(args, &context, console).await,
        Command::Deploy(args) => commands::programs::send::deploy(args, &context, console).await,
        Command::Call(args) => commands::programs::send::call(args, &context, console).await,
        Command::Read(args) => commands::programs::read::read(args, &context, console).await,
        Command::Run(args) => commands::programs::read::run(args, &context, console).await,
        Command::Receipt(args) => commands::programs::inspect::receipt(args, &context, console).await,
        Command::Program(args) => commands::programs::inspect::program(args, &context, console).await,
        Command::Storage(args) => commands::programs::inspect::storage(args, &context, console).await,
        Command::Logs(args) => commands::programs::inspect::logs(args, &context, console).await,
        Command::Trace(args) => commands::programs::inspect::trace(args, &context, console).await,
        Command::Rpc(args) => commands::rpc::run(args, &context, console).await,
        Command::Asm(args) => commands::programs::assembly::asm(args, console),
        Command::Disasm(args) => commands::programs::assembly::disasm(args, console),
        Command::Completions(args) => commands::completions::run(args, console),
        Command::Man(args) => commands::man::run(args, console),
    }
}
