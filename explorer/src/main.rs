//! The program `explorer`: flags, configuration, a port, and then [`explorer::run`].

use anyhow::Context;
use clap::Parser;
use laboratory::recording::{self, Recording};
use runtime::config::{CommonArgs, Overrides};
use runtime::exit::report_error;
use runtime::{ports, server, telemetry};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Web pages of a Chainlab network: its nodes, blocks, forks and payments, live, and a wallet in the browser.
#[derive(Debug, Parser)]
#[command(name = "explorer", version, after_help = EXAMPLES)]
struct Args {
    /// Name or address to listen on; 0.0.0.0 opens it to other machines [default: 127.0.0.1]
    #[arg(short = 'H', long)]
    host: Option<String>,
    /// Port to listen on [default: the first free one from 8080 up]
    #[arg(short, long)]
    port: Option<u16>,
    /// The tracker, host:port [default: 127.0.0.1:8090]
    #[arg(short, long)]
    tracker: Option<String>,
    /// A file with names of people and nodes
    #[arg(short, long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Show a run that `laboratory run --record FILE` recorded, at any moment; no network is needed
    #[arg(short, long, value_name = "FILE", conflicts_with = "tracker")]
    recording: Option<PathBuf>,
    #[command(flatten)]
    common: CommonArgs,
}

/// Largest file of names.
const MAX_NAMES_BYTES: u64 = 1 << 20;

const EXAMPLES: &str = "\
Examples:
  explorer                          shows the network of the tracker on this machine at http://127.0.0.1:8080
  explorer -t tracker-host:8090     shows another one
  explorer --names class.toml       with the names of people and nodes in a file (docs/tour.md)
  explorer --recording run.jsonl    a run of the laboratory, with a slider (docs/laboratory.md)
  CHAINLAB__EXPLORER__TOKENS=127.0.0.1:8100=$(cat chaindata/*/node-8100/token) explorer
                                    with buttons that steer the node on port 8100";

#[tokio::main]
async fn main() -> ExitCode {
    match run(runtime::flags::parse::<Args>()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_error(error.as_ref(), ExitCode::FAILURE),
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init_log(args.common.log_format)?;
    let overrides =
        Overrides::new().set("explorer.host", "--host", args.host).set("explorer.tracker", "--tracker", args.tracker);
    let config = args.common.load(overrides)?;
    let recording = args.recording.as_deref().map(read_recording).transpose()?;
    let tokens = config.explorer.tokens()?;
    let request = ports::PortRequest {
        service: "explorer",
        host: &config.explorer.host,
        port: args.port,
        first: config.explorer.port,
    };
    let listener = ports::bind(request)?;
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot use the port")?;
    let metrics = Some(telemetry::metrics()?);
    let names = args.names.as_deref().map(read_names).transpose()?.unwrap_or_default();
    if let Some(recording) = recording {
        let settings = explorer::RecordingSettings { config, recording, names, metrics };
        return Ok(explorer::run_recording(listener, settings, server::stop_on_signal()).await?);
    }
    let settings = explorer::Settings { config, tokens, names, thefts: None, metrics };
    Ok(explorer::run(listener, settings, server::stop_on_signal()).await?)
}

fn read_recording(path: &Path) -> anyhow::Result<Recording> {
    let failed = || format!("cannot show the recording {}", path.display());
    let text = runtime::text_file::read(path, recording::MAX_BYTES).with_context(failed)?;
    Recording::read(&text).with_context(failed)
}

fn read_names(path: &Path) -> anyhow::Result<explorer::NameBook> {
    let text = runtime::text_file::read(path, MAX_NAMES_BYTES)?;
    explorer::NameBook::from_toml(&text).with_context(|| format!("cannot use the names in {}", path.display()))
}
