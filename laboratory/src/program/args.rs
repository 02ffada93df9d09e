//! Flags.

use super::Usage;
use clap::{Parser, Subcommand};
use laboratory::plan::{Plan, Shard};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Experiments with proof-of-work chains in virtual time.
#[derive(Debug, Parser)]
#[command(
    name = "laboratory",
    version,
    after_help = "Examples:
  laboratory new first.toml           write a commented experiment
  laboratory new what-if.toml --from http://127.0.0.1:8100
                                      freeze a live network: its nodes, links, hash rates and chain
  laboratory check first.toml         what it means and costs
  laboratory run first.toml           run it; results in out/first
  laboratory run first.toml --set repeat=40 --out out/longer
                                      the same with a change, in a folder of its own
  laboratory replay out/first 17      run 17 again; --trace shows every step
  laboratory report out/first         its table and reports again
  laboratory reproduce all            published results, computed and simulated again

Exit codes: 0 all expectations hold, 1 one does not, 2 wrong usage or a wrong scenario."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run an experiment; an interrupted one goes on where it stopped
    Run(RunArgs),
    /// Say what an experiment means and costs, without running it
    Check(ScenarioArgs),
    /// Compute and simulate published results again
    Reproduce(ReproduceArgs),
    /// Carry out one run again, from its seed
    Replay(ReplayArgs),
    /// Write the reports of a folder of results again, and print them
    Report(ReportArgs),
    /// Show models, strategies, quantities, curves and publications
    List(ListArgs),
    /// Write a commented experiment to start from
    New(NewArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ScenarioArgs {
    /// The scenario, a TOML file
    pub(super) file: PathBuf,
    /// Change a key, as in --set miner.pool.share=0.3; may be repeated; with `run`, name another --out, too
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) settings: Vec<String>,
    /// Another seed than the scenario's
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

impl ScenarioArgs {
    /// Reads the scenario; nothing has run yet.
    pub(super) fn plan(&self) -> anyhow::Result<Plan> {
        let name = self.file.display();
        if self.file.is_dir() {
            return Err(Usage(format!("{name} is a folder; name one of the scenarios in it, a TOML file")).into());
        }
        let text = std::fs::read_to_string(&self.file).map_err(|error| {
            let example = format!("; `laboratory new {name}` writes an example");
            let hint = if error.kind() == ErrorKind::NotFound { example } else { String::new() };
            Usage(format!("{name}: {error}{hint}"))
        })?;
        let settings = self.settings.iter().map(|setting| {
            let pair = setting.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            pair.ok_or_else(|| Usage(format!("--set {setting}: expected KEY=VALUE")))
        });
        let settings = settings.collect::<Result<Vec<_>, _>>()?;
        let folder = self.file.parent().unwrap_or_else(|| Path::new(""));
        let open = |file: &str| {
            std::fs::read_to_string(folder.join(file)).map_err(|error| format!("cannot read \"{file}\": {error}"))
        };
        let plan = Plan::read_with_files(&text, &settings, self.seed, &open);
        Ok(plan.map_err(|error| Usage(format!("{name}: {error}")))?)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) scenario: ScenarioArgs,
    /// Folder of results; out/NAME without it
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    /// Threads; all processors without it
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,
    /// Record run 0 into a file (core); `explorer --recording FILE` shows it
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Run only every n-th run, the first one being i: shards of one experiment can run anywhere
    #[arg(long, value_name = "i/n", default_value = "0/1", value_parser = shard)]
    pub(super) shard: Shard,
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((index, of)) if index < of && of <= 100_000 => Ok(Shard { index, of }),
        _ => Err("expected i/n with i below n, for example 0/4".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct ReproduceArgs {
    /// A publication, or all
    #[arg(default_value = "all")]
    pub(super) name: String,
    /// The seed of the simulations
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// The folder of results
    pub(super) out: PathBuf,
    /// The run: its number, the first column of runs.csv; or POINT:REPLICATION, both from 0
    pub(super) run: String,
    /// Print every step as a JSON object: blocks found, published and received, scheduled events
    #[arg(long)]
    pub(super) trace: bool,
    /// Write the network of the run as GraphML into a file (relay and core)
    #[arg(long, value_name = "FILE", conflicts_with = "trace")]
    pub(super) graph: Option<PathBuf>,
    /// Record what the nodes tell into a file (core); `explorer --recording FILE` shows it
    #[arg(long, value_name = "FILE", conflicts_with = "trace")]
    pub(super) record: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The folder of results
    pub(super) out: PathBuf,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    /// The file to write, which must not exist; standard output without it
    pub(super) file: Option<PathBuf>,
    /// Freeze the network of this node, as in http://127.0.0.1:8100, into the file, and its chain into another one
    /// beside it
    #[arg(long, value_name = "URL", requires = "file")]
    pub(super) from: Option<String>,
}
