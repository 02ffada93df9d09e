//! The program `mempool`: reads flags and configuration, finds a port and its data folder, and calls [`mempool::run`].

use anyhow::Context;
use clap::Parser;
use runtime::config::{CommonArgs, Overrides};
use runtime::data_dir::DataDir;
use runtime::{exit, ports, server, telemetry};
use shared::sync::PeerAddress;
use std::path::PathBuf;
use std::process::ExitCode;

/// A mempool of a Chainlab network: accepts transactions, and serves balances, histories and confirmations.
#[derive(Debug, Parser)]
#[command(name = "mempool", version, after_help = EXAMPLES)]
struct Args {
    /// Name or address to listen on; 0.0.0.0 opens it to other machines [default: 127.0.0.1]
    #[arg(short = 'H', long)]
    host: Option<String>,
    /// Port to listen on [default: the first from 8091 up that is free and whose data folder is not in use]
    #[arg(short, long)]
    port: Option<u16>,
    /// The tracker, host:port [default: 127.0.0.1:8090]
    #[arg(short, long)]
    tracker: Option<String>,
    /// Folder for chains and pools, with a subfolder for each network and port [default: chaindata]
    #[arg(short, long)]
    data_dir: Option<PathBuf>,
    /// host:port at which others reach this mempool, if that is not where it listens
    #[arg(long)]
    advertise: Option<String>,
    /// Nodes to follow besides those that the tracker lists, host:port
    #[arg(value_name = "PEER")]
    peers: Vec<PeerAddress>,
    #[command(flatten)]
    common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  mempool                          registers at the tracker on this machine; waits until there is one
  mempool -t tracker-host:8090 -H 0.0.0.0 --advertise my-host:8091
                                   joins a network of several machines
  mempool 127.0.0.1:8100           follows a node without a tracker
  curl http://127.0.0.1:8091/unprocessed";

#[tokio::main]
async fn main() -> ExitCode {
    exit::code_of(run(runtime::flags::parse::<Args>()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init_log(args.common.log_format)?;
    let overrides = Overrides::new()
        .set("mempool.host", "--host", args.host)
        .set("mempool.tracker", "--tracker", args.tracker)
        .set("mempool.data_dir", "--data-dir", args.data_dir.map(|folder| folder.display().to_string()))
        .set("mempool.advertise", "--advertise", args.advertise);
    let config = args.common.load(overrides)?;
    let request = ports::PortRequest {
        service: "mempool",
        host: &config.mempool.host,
        port: args.port,
        first: config.mempool.port,
    };
    let open = |port| DataDir::open(&config.mempool.data_dir, &config.network, "mempool", port);
    let (listener, data) = ports::bind_with_data(request, open)?;
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot use the port")?;
    let metrics = Some(telemetry::metrics()?);
    let settings = mempool::Settings { config, data, peers: args.peers, metrics };
    Ok(mempool::run(listener, settings, server::stop_on_signal()).await?)
}
