//! The command line: flags that all commands take, and the list of commands.

use crate::commands;
use clap::{Parser, Subcommand};
use runtime::config::CommonArgs;
use shared::sync::PeerAddress;

/// Keys, payments and balances on a Chainlab network. Its coins are worth nothing and must stay so.
#[derive(Debug, Parser)]
#[command(name = "user", version, after_help = EXAMPLES)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// The tracker, which lists mempools and nodes, host:port [default: 127.0.0.1:8090]
    #[arg(short, long, value_name = "HOST:PORT", global = true)]
    pub tracker: Option<PeerAddress>,
    /// The mempool to ask, host:port [default: one that the tracker lists]
    #[arg(long, value_name = "HOST:PORT", global = true)]
    pub mempool: Option<PeerAddress>,
    /// Print JSON, one value a line, with money in grains; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Flags that all programs take
    #[command(flatten)]
    pub common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  user new                         makes a key, in wallet.pem
  user balance alice               the balance of the address of the seed alice
  user send 1.5 bob -s alice       pays 1.5 LAB from the seed alice to the seed bob
  user send 1.5 lab1… -f wallet.pem -M \"for lunch\" --wait 3
  user history -f wallet.pem       payments and rewards
  user explain block 5             how to recheck a block with sha256sum
  user network new > Config.toml   a network of your own

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    New(commands::new::Args),
    Address(commands::address::Args),
    Send(commands::send::Args),
    #[command(visible_alias = "balances")]
    Balance(commands::balance::Args),
    Coins(commands::coins::Args),
    Bump(commands::bump::Args),
    History(commands::history::Args),
    Confirmations(commands::confirmations::Args),
    Tx(commands::tx::Args),
    Rnd(commands::rnd::Args),
    Verify(commands::verify::Args),
    Explain(commands::explain::Args),
    Watch(commands::watch::Args),
    Health(commands::health::Args),
    Mine(commands::mine::Args),
    Network(commands::network::Args),
    Deploy(commands::programs::send::DeployArgs),
    Call(commands::programs::send::CallArgs),
    Read(commands::programs::read::ReadArgs),
    Run(commands::programs::read::RunArgs),
    Receipt(commands::programs::inspect::ReceiptArgs),
    #[command(visible_alias = "programs")]
    Program(commands::programs::inspect::ProgramArgs),
    Storage(commands::programs::inspect::StorageArgs),
    Logs(commands::programs::inspect::LogsArgs),
    Trace(commands::programs::inspect::TraceArgs),
    Rpc(commands::rpc::Args),
    Asm(commands::programs::assembly::AsmArgs),
    Disasm(commands::programs::assembly::DisasmArgs),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}
