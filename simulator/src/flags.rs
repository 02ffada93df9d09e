//! The command line, which makes the options of a run together with the configuration.

use crate::attacker_options::AttackerOptions;
use crate::network::topology::least_open_files;
use crate::options::{
    Partition, RunOptions, check_attacker, check_layer, check_members, fresh_seed, layer_text, seconds,
};
use crate::parameters;
use anyhow::bail;
use clap::Parser;
use runtime::config::{CommonArgs, Overrides};
use runtime::open_files;
use shared::config::Hashrate;
use shared::random::Random;
use std::path::PathBuf;
use std::time::Duration;

const MAX_NODES: usize = 100;

/// A whole Chainlab network in one process, narrated: a tracker, a mempool and nodes as real services on real ports.
#[derive(Debug, Parser)]
#[command(name = "simulator", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Number of nodes; all of them mine [default: 4]
    #[arg(short, long)]
    nodes: Option<usize>,
    /// Number of members who do not mine, in addition to one miner per node [default: 4]
    #[arg(short, long)]
    members: Option<usize>,
    /// Payments per second by all members together; 0 for none [default: 1]
    #[arg(short, long)]
    rate: Option<u32>,
    /// Stop after this many seconds
    #[arg(long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Stop once the chain has grown by this many blocks
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    blocks: Option<u64>,
    /// Cut the network into two halves AFTER seconds from the start, and heal it FOR seconds later, to see a fork
    /// and its end; can be given several times
    #[arg(long, value_name = "AFTER:FOR")]
    partition: Vec<Partition>,
    /// An attacker with a strategy of the laboratory and its share of all hash rate: selfish:0.35,
    /// double-spend:0.6,confirmations=2 and others; see `laboratory list`
    #[arg(long, value_name = "STRATEGY:SHARE")]
    attacker: Option<AttackerOptions>,
    /// Milliseconds between blocks, on average [default: 5000]
    #[arg(long, value_name = "MS")]
    interval: Option<u64>,
    /// Hashes per second of each node, or unlimited [default: 50000]
    #[arg(long)]
    hashrate: Option<Hashrate>,
    /// Number that decides the simulator's own random choices: who pays whom and in which order (members without money
    /// are passed over), which node is in which half, the network's name. Which node finds a block is real chance in
    /// every run
    #[arg(long)]
    seed: Option<u64>,
    /// Folder for the chains; the next run with the same folder continues them [default: a temporary one]
    #[arg(short, long)]
    data_dir: Option<PathBuf>,
    /// Host name or IP address to listen on; 0.0.0.0 opens the network to other machines [default: 127.0.0.1]
    #[arg(short = 'H', long)]
    host: Option<String>,
    /// First port to try for the tracker; the mempool's is 1 higher, the explorer's 2 higher, and those of the nodes
    /// begin 10 higher. 0 for any free ports [default: 8090, and 8080 for the explorer]
    #[arg(short, long)]
    port: Option<u16>,
    /// Leave out the explorer, the web pages of the network
    #[arg(long)]
    no_explorer: bool,
    /// Print blocks, forks and cuts, but no payments and not who received what
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print one JSON object per line for each event, and nothing else
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make members pay one another on a network that already runs
    Drive(crate::drive::Args),
}

const EXAMPLES: &str = "\
Without --config, every run makes a new network, with a name and a genesis time of its own and a first difficulty that \
fits its hash rate.

Exit code: 0 if at the end all nodes agreed, every block was valid and all money was accounted for; 1 if not; 2 for \
wrong usage.

Examples:
  simulator                                runs until Ctrl-C
  simulator --nodes 8 --seconds 60         eight nodes, for one minute
  simulator --interval 1000 --blocks 20    twenty blocks, one per second
  simulator --members 20 --rate 50         more members, and 50 payments per second
  simulator --layer data                   blocks of plain text: no money, no mempool
  simulator --layer utxo                   members pay with coins, split them and get change
  simulator --layer program                members make and call programs (built with --features programs)
  simulator --partition 10:20              a fork, and its end
  simulator --attacker double-spend:0.4,confirmations=2   a thief with 40 % of the hash rate
  simulator --quiet                        blocks, forks and cuts only
  simulator --no-explorer                  without the web pages
  simulator --data-dir my-network          keeps the chains, and continues them next time
  simulator --json --blocks 5 | jq .event  output for programs
  simulator drive --tracker host:8090      members pay on a network that already runs
  curl http://127.0.0.1:8100/block/1       in another terminal, while it runs";

impl Args {
    /// Loads the configuration and combines it with the flags.
    ///
    /// # Errors
    /// If the configuration is not valid, or flags contradict each other.
    pub fn options(self) -> anyhow::Result<RunOptions> {
        let Self { nodes, members, rate, seconds, blocks, partition: mut partitions, interval, hashrate, seed, .. } =
            self;
        let overrides = Overrides::new()
            .set("simulator.host", "--host", self.host)
            .set("simulator.nodes", "--nodes", nodes)
            .set("simulator.hashrate", "--hashrate", hashrate)
            .set("simulator.members", "--members", members)
            .set("simulator.rate", "--rate", rate)
            .set("network.block_interval_ms", "--interval", interval);
        let mut config = self.common.load(overrides)?;
        check_members(&config)?;
        check_layer(config.network.layer, cfg!(feature = "programs"))?;
        let nodes = config.simulator.nodes;
        if !(1..=MAX_NODES).contains(&nodes) {
            bail!("{nodes} nodes: expected 1 to {MAX_NODES}");
        }
        check_open_files(nodes)?;
        partitions.sort_by_key(|partition| partition.after);
        if !partitions.is_empty() && nodes < 2 {
            bail!("--partition needs at least 2 nodes");
        }
        if let Some([first, second]) =
            partitions.windows(2).find_map(|two| (two[0].end() > two[1].after).then_some([two[0], two[1]]))
        {
            let (end, begin) = (first.end().as_secs_f64(), second.after.as_secs_f64());
            bail!("--partition: one lasts until {end} s, the next begins at {begin} s; expected one after another");
        }
        let seed = fresh_seed(seed)?;
        if self.common.config.is_none() {
            let saved =
                self.data_dir.as_deref().map(|folder| Ok::<_, anyhow::Error>((folder, parameters::saved(folder)?)));
            match saved.transpose()? {
                Some((folder, Some(saved))) => {
                    parameters::check_flag("--interval", interval, &saved.block_interval_ms, folder)?;
                    let layer = self.common.layer.is_some().then_some(config.network.layer);
                    let texts = (layer.map(layer_text), layer_text(saved.layer));
                    parameters::check_flag("--layer", texts.0, &texts.1, folder)?;
                    config.network = saved;
                    check_layer(config.network.layer, cfg!(feature = "programs"))?;
                }
                _ => parameters::make_fresh(&mut config, &mut Random::new(seed)),
            }
        }
        if !config.network.layer.has_money() && (members.is_some() || rate.is_some()) {
            bail!("--members and --rate need layer transaction: there is no money on layer data");
        }
        check_attacker(
            self.attacker.as_ref(),
            config.network.layer,
            config.simulator.nodes + config.simulator.members,
        )?;
        Ok(RunOptions {
            attacker: self.attacker,
            config,
            data_dir: self.data_dir,
            port: self.port,
            no_explorer: self.no_explorer,
            quiet: self.quiet,
            seconds,
            blocks,
            seed,
            partitions,
        })
    }
}

/// Refuses more nodes than the limit of open files allows, before anything is started.
fn check_open_files(nodes: usize) -> anyhow::Result<()> {
    open_files::check_limit(least_open_files(nodes)).map_err(|error| {
        let most = (1..nodes).rev().find(|fewer| least_open_files(*fewer) <= error.allowed).unwrap_or(1);
        let hint = format!("start at most {most} nodes (--nodes {most}), or raise the hard limit (ulimit -Hn)");
        anyhow::Error::new(error).context(format!("too many nodes: {nodes}; {hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(flags: &[&str]) -> anyhow::Result<RunOptions> {
        Args::try_parse_from(["simulator"].iter().chain(flags))?.options()
    }

    #[test]
    fn flags_become_options() {
        let flags = [
            "--nodes",
            "3",
            "--interval",
            "300",
            "--hashrate",
            "1000",
            "--seed",
            "7",
            "--partition",
            "1:2",
            "--members",
            "2",
            "--rate",
            "9",
        ];
        let RunOptions { config, seed, partitions, .. } = options(&flags).unwrap();
        assert_eq!((config.simulator.nodes, config.network.block_interval_ms, seed), (3, 300, 7));
        assert_eq!(config.simulator.hashrate, Hashrate::PerSecond(1000));
        assert_eq!((partitions.len(), config.simulator.members, config.simulator.rate), (1, 2, 9));
        assert_eq!(config.network.initial_difficulty.value(), 450);
    }

    #[test]
    fn every_run_has_a_network_of_its_own() {
        let id = |flags: &[&str]| options(flags).unwrap().config.network.network_id();
        assert_ne!(id(&["--seed", "1"]), id(&["--seed", "2"]));
    }

    #[test]
    fn wrong_and_contradicting_flags_are_refused_with_what_is_expected() {
        for (flags, expected) in [
            (&["--nodes", "0"][..], "expected 1 to 100"),
            (&["--nodes", "101"], "expected 1 to 100"),
            (&["--members", "101"], "expected 0 to 100"),
            (&["--rate", "1001"], "expected 0 to 1000"),
            (&["--layer", "data", "--members", "3"], "no money on layer data"),
            (&["--layer", "data", "--rate", "3"], "no money on layer data"),
            (&["--nodes", "1", "--partition", "1:2"], "at least 2 nodes"),
            (&["--partition", "1:5", "--partition", "3:1"], "one after another"),
            (&["--layer", "dta"], "data"),
            (&["--interval", "1"], "4 to 86400000"),
            (&["--seconds", "soon"], "number of seconds"),
            (&["--blocks", "0"], "1.."),
            (&["--partition", "10"], "10:20"),
            (&["--attacker", "slefish:0.3"], "Did you mean `selfish`?"),
            (&["--attacker", "double-spend:0.3", "--layer", "data"], "no money on layer data"),
            (&["--attacker", "double-spend:0.3", "--layer", "utxo"], "pays from an account"),
        ] {
            let error = format!("{:#}", options(flags).unwrap_err());
            assert!(error.contains(expected), "{flags:?}: {error}");
        }
    }

    #[test]
    fn more_nodes_than_open_files_allow_are_refused_with_how_many_can_be_started() {
        // The limit of tests is far higher, so the count is what is wrong here.
        let error = format!("{:#}", check_open_files(100_000).unwrap_err());
        for part in ["too many nodes: 100000; start at most ", "(--nodes ", "open files"] {
            assert!(error.contains(part), "no {part} in {error}");
        }
        assert!(least_open_files(24) < 1024 && least_open_files(100) < 4096, "the hard limits of usual machines");
    }

    #[test]
    fn a_data_folder_keeps_its_network_and_refuses_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let first = options(&["--data-dir", &path, "--interval", "700"]).unwrap();
        parameters::save(&first.config.network, folder.path()).unwrap();
        let second = options(&["--data-dir", &path]).unwrap();
        assert_eq!(second.config.network, first.config.network);
        let error = options(&["--data-dir", &path, "--interval", "800"]).unwrap_err().to_string();
        assert!(error.contains("--interval 800") && error.contains("has 700"), "{error}");
    }
}
