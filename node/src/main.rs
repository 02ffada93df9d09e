//! The program `node`: reads flags and configuration, finds a port and its data folder, and calls [`node::run`].

use anyhow::Context;
use clap::Parser;
use runtime::config::{CommonArgs, Overrides};
use runtime::data_dir::DataDir;
use runtime::{exit, ports, server, telemetry};
use shared::config::Hashrate;
use shared::sync::PeerAddress;
use std::path::PathBuf;
use std::process::ExitCode;

/// A node of a Chainlab network: mines, follows its peers and serves the chain.
#[derive(Debug, Parser)]
#[command(name = "node", version, after_help = EXAMPLES)]
struct Args {
    /// Name or address to listen on; 0.0.0.0 opens it to other machines [default: 127.0.0.1]
    #[arg(short = 'H', long)]
    host: Option<String>,
    /// Port to listen on [default: the first from 8100 up that is free and whose data folder is not in use]
    #[arg(short, long)]
    port: Option<u16>,
    /// The tracker, host:port [default: 127.0.0.1:8090]
    #[arg(short, long)]
    tracker: Option<String>,
    /// Address that mined blocks pay, on networks with money [default: that of the key file miner.pem in the node's
    /// data folder, which the first start makes]
    #[arg(short, long, value_name = "ADDRESS")]
    miner: Option<String>,
    /// The mempool to take transactions from, host:port [default: all that the tracker lists]
    #[arg(long)]
    mempool: Option<String>,
    /// Folder for chains, with a subfolder for each network and port [default: chaindata]
    #[arg(short, long)]
    data_dir: Option<PathBuf>,
    /// host:port at which others reach this node, if that is not where it listens
    #[arg(long)]
    advertise: Option<String>,
    /// Mining threads [default: 1]
    #[arg(long)]
    threads: Option<usize>,
    /// Hashes per second of all threads together, or unlimited [default: 100000]
    #[arg(long)]
    hashrate: Option<Hashrate>,
    /// Text to put into mined blocks
    #[arg(long)]
    message: Option<String>,
    /// Follow and serve, but do not mine
    #[arg(long)]
    no_mine: bool,
    /// Milliseconds by which this node's clock is ahead of the system's, for experiments
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    clock_offset_ms: i64,
    /// Nodes to connect to besides those that the tracker lists, host:port
    #[arg(value_name = "PEER")]
    peers: Vec<PeerAddress>,
    #[command(flatten)]
    common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  node                             registers at the tracker on this machine; works alone until there is one
  node --miner lab1…               mines to this address instead of its own
  node --no-mine --port 8105       only follows the chain
  node -t tracker-host:8090 -H 0.0.0.0 --advertise my-host:8100
                                   joins a network of several machines
  node --hashrate unlimited --threads 4
                                   mines as fast as four threads can
  curl http://127.0.0.1:8100/block/0";

#[tokio::main]
async fn main() -> ExitCode {
    exit::code_of(run(runtime::flags::parse::<Args>()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init_log(args.common.log_format)?;
    let overrides = Overrides::new()
        .set("node.host", "--host", args.host)
        .set("node.tracker", "--tracker", args.tracker)
        .set("node.miner", "--miner", args.miner)
        .set("node.mempool", "--mempool", args.mempool)
        .set("node.data_dir", "--data-dir", args.data_dir.map(|folder| folder.display().to_string()))
        .set("node.advertise", "--advertise", args.advertise)
        .set("node.threads", "--threads", args.threads)
        .set("node.hashrate", "--hashrate", args.hashrate)
        .set("node.message", "--message", args.message)
        .set("node.mine", "--no-mine", args.no_mine.then_some(false));
    let config = args.common.load(overrides)?;
    let request =
        ports::PortRequest { service: "node", host: &config.node.host, port: args.port, first: config.node.port };
    let open = |port| DataDir::open(&config.node.data_dir, &config.network, "node", port);
    let (listener, data) = ports::bind_with_data(request, open)?;
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot use the port")?;
    let metrics = Some(telemetry::metrics()?);
    let settings = node::Settings { config, data, peers: args.peers, clock_offset_ms: args.clock_offset_ms, metrics };
    Ok(node::run(listener, settings, server::stop_on_signal()).await?)
}
