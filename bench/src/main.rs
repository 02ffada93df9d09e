//! Measures Chainlab's speed, each row against a limit that is measured in the same run.
//!
//! Machines are shared and noisy, so the ratio of a row counts, not its seconds. No measurement fails;
//! docs/performance.md records the results. Build it for release.

mod chains;
mod connect;
mod growth;
mod http_speed;
mod lab;
mod laboratory;
mod long_chain;
mod payments;
mod peers;
mod programs;
mod propagation;
mod pushtx;
mod report;
mod search;
mod startup;
mod sync;
mod template;

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Print our figure, the limit and the ratio for each row of docs/performance.md.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = EXAMPLES)]
struct Args {
    /// What to measure
    #[arg(value_enum, default_values_t = [
        Measurement::Search, Measurement::Http, Measurement::Sync, Measurement::Connect, Measurement::Template,
        Measurement::Pushtx, Measurement::Programs, Measurement::Propagation, Measurement::Startup,
        Measurement::Laboratory, Measurement::Peers,
    ])]
    rows: Vec<Measurement>,
    /// Blocks of the chain to sync
    #[arg(long, default_value_t = 100_000)]
    sync_blocks: u64,
    /// Blocks of the long chain
    #[arg(long, default_value_t = 1_000_000)]
    long_blocks: u64,
    /// Most blocks and addresses that growth is measured at; the other sizes are a tenth and a hundredth of it
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100_000..))]
    growth: u64,
    /// Folder for temporary chains [default: the system's temporary folder]
    #[arg(long)]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p bench                      all rows but long-chain and growth; a minute or two
  cargo run --release -p bench -- search sync       two rows
  cargo run --release -p bench -- long-chain        first makes a chain of a million blocks; needs 2 GB of disk
  cargo run --release -p bench -- growth            how costs grow, at up to a million blocks; needs 3 GB of disk";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Measurement {
    /// Nonce search with one thread and with all threads
    Search,
    /// `/chainlength` and `/block/<n>` under wrk
    Http,
    /// Syncing a long chain from node to node
    Sync,
    /// Connecting blocks of 2000 transactions, unseen and seen
    Connect,
    /// Building a block from 100,000 pending transactions
    Template,
    /// Durable pushes to a mempool
    Pushtx,
    /// Token transfers on the engine and in blocks, the worst block, calls and traces
    Programs,
    /// Start-up, memory and `/blockchain` of a very long chain
    LongChain,
    /// How costs grow with blocks, addresses and what waits
    Growth,
    /// Side by side with a node as small Python systems of this kind write it
    Peers,
    /// Propagation of a block to 20 nodes
    Propagation,
    /// Time from starting the simulator until every node mines
    Startup,
    /// Experiments in virtual time
    Laboratory,
}

fn main() -> anyhow::Result<()> {
    let args = runtime::flags::parse::<Args>();
    let dir = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    println!("{}", report::Row::HEAD);
    for row in &args.rows {
        match row {
            Measurement::Search => search::measure(),
            Measurement::Http => lab::block_on(http_speed::measure(&dir))?,
            Measurement::Sync => lab::block_on(sync::measure(&dir, args.sync_blocks))?,
            Measurement::Connect => connect::measure()?,
            Measurement::Template => template::measure()?,
            Measurement::Pushtx => lab::block_on(pushtx::measure(&dir))?,
            Measurement::Programs => lab::block_on(programs::measure(&dir))?,
            Measurement::LongChain => lab::block_on(long_chain::measure(&dir, args.long_blocks))?,
            Measurement::Growth => lab::block_on(growth::measure(&dir, args.growth))?,
            Measurement::Peers => lab::block_on(peers::measure(&dir))?,
            Measurement::Propagation => lab::block_on(propagation::measure(&dir))?,
            Measurement::Startup => startup::measure()?,
            Measurement::Laboratory => laboratory::measure(),
        }
    }
    Ok(())
}
