//! The program `tracker`: reads flags and configuration, binds a port, and calls [`tracker::run`].

use anyhow::Context;
use clap::Parser;
use runtime::config::{CommonArgs, Overrides};
use runtime::{exit, ports, server, telemetry};
use std::process::ExitCode;

/// Lists Chainlab's nodes and mempools, so that they find one another.
#[derive(Debug, Parser)]
#[command(name = "tracker", version, after_help = EXAMPLES)]
struct Args {
    /// Name or address to listen on; 0.0.0.0 opens it to other machines [default: 127.0.0.1]
    #[arg(short = 'H', long)]
    host: Option<String>,
    /// Port to listen on [default: the first from 8090 up that is free]
    #[arg(short, long)]
    port: Option<u16>,
    #[command(flatten)]
    common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  tracker                          for nodes on this machine
  tracker -H 0.0.0.0 -p 8090       for a classroom
  curl http://127.0.0.1:8090/members
  CHAINLAB__TRACKER__ALLOW_FOREIGN=true tracker -H 0.0.0.0
                                   members may register other addresses than their own (behind NAT, in containers)";

#[tokio::main]
async fn main() -> ExitCode {
    exit::code_of(run(runtime::flags::parse::<Args>()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    let Args { host, port, common } = args;
    telemetry::init_log(common.log_format)?;
    let config = common.load(Overrides::new().set("tracker.host", "--host", host))?;
    let request =
        ports::PortRequest { service: "tracker", host: &config.tracker.host, port, first: config.tracker.port };
    let listener = tokio::net::TcpListener::from_std(ports::bind(request)?).context("cannot use the port")?;
    if port.is_none() && listener.local_addr()?.port() != config.tracker.port {
        let (taken, got) = (config.tracker.port, listener.local_addr()?.port());
        tracing::warn!(
            "port {taken} is in use, maybe by another tracker; start nodes with -t {}:{got} to use this one",
            config.tracker.host
        );
    }
    let metrics = Some(telemetry::metrics()?);
    let settings = tracker::Settings {
        explorer: config.explorer.address(),
        tracker: config.tracker,
        http: config.http,
        network: config.network,
        metrics,
    };
    tracker::run(listener, settings, server::stop_on_signal()).await.context("the tracker stopped")
}
