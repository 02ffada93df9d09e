//! Measures what Chainlab promises, each row against a limit that is measured in the same run.
//!
//! Machines are shared and noisy, so a row's ratio counts and not its seconds. Nothing here is a test and nothing fails;
//! docs/performance.md records what came out. Run it built for release.

mod chains;
mod connect;
mod http_speed;
mod lab;
mod laboratory;
mod long_chain;
mod payments;
mod propagation;
mod pushtx;
mod report;
mod search;
mod startup;
mod sync;
mod template;

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Prints ours, the limit and the ratio for each row of docs/performance.md.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = EXAMPLES)]
struct Args {
    /// What to measure
    #[arg(value_enum, default_values_t = [Row::Search, Row::Http, Row::Sync, Row::Connect, Row::Template, Row::Pushtx, Row::Propagation, Row::Startup, Row::Laboratory])]
    rows: Vec<Row>,
    /// Blocks of the chain that is synced
    #[arg(long, default_value_t = 100_000)]
    sync_blocks: u64,
    /// Blocks of the long chain
    #[arg(long, default_value_t = 1_000_000)]
    long_blocks: u64,
    /// Where to put temporary chains [default: the system's folder for temporary files]
    #[arg(long)]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p bench                      everything but the long chain, a minute or two
  cargo run --release -p bench -- search sync       two rows
  cargo run --release -p bench -- long-chain        makes a chain of a million blocks first; needs 2 GB of disk";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Row {
    /// Nonce search, a thread and all threads
    Search,
    /// `/chainlength` and `/block/<n>` under wrk
    Http,
    /// A long chain from node to node
    Sync,
    /// Blocks of 2000 transactions, unseen and seen
    Connect,
    /// A block's data out of 100,000 pending transactions
    Template,
    /// Pushes to a mempool, each durable when it is answered
    Pushtx,
    /// Start, memory and `/blockchain` of a very long chain
    LongChain,
    /// A mined block to 20 nodes
    Propagation,
    /// From `simulator` to every node mining
    Startup,
    /// Experiments in virtual time
    Laboratory,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let dir = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    println!("{}", report::Line::HEAD);
    for row in &args.rows {
        match row {
            Row::Search => search::measure(),
            Row::Http => lab::block_on(http_speed::measure(&dir))?,
            Row::Sync => lab::block_on(sync::measure(&dir, args.sync_blocks))?,
            Row::Connect => connect::measure()?,
            Row::Template => template::measure()?,
            Row::Pushtx => lab::block_on(pushtx::measure(&dir))?,
            Row::LongChain => lab::block_on(long_chain::measure(&dir, args.long_blocks))?,
            Row::Propagation => lab::block_on(propagation::measure(&dir))?,
            Row::Startup => startup::measure()?,
            Row::Laboratory => laboratory::measure(),
        }
    }
    Ok(())
}
