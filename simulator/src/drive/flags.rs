//! The command line of `simulator drive`.

use crate::attacker_options::AttackerOptions;
use crate::options::{check_members, fresh_seed, seconds};
use runtime::config::{CommonArgs, Overrides};
use shared::config::Config;
use std::time::Duration;

/// Most hashes per second for the members; for more, there are nodes.
const MAX_HASHRATE: u64 = 10_000_000;

/// Make members pay one another on a network that already runs, here or on other machines, and narrate it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The tracker of the network, host:port [default: 127.0.0.1:8090]
    #[arg(short, long)]
    tracker: Option<String>,
    /// Number of members [default: 4]
    #[arg(short, long)]
    members: Option<usize>,
    /// Payments per second by all members together; 0 for none [default: 1]
    #[arg(short, long)]
    rate: Option<u32>,
    /// Hashes per second to mine for the members, so that they have money to pay with; 0 for no mining
    /// [default: 20000, or 0 on a network that gives money to new addresses]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=MAX_HASHRATE))]
    hashrate: Option<u64>,
    /// An attacker with a strategy of the laboratory and its share of all hash rate: selfish:0.35,
    /// double-spend:0.4,confirmations=2 and others. It uses only what every client may
    #[arg(long, value_name = "STRATEGY:SHARE")]
    attacker: Option<AttackerOptions>,
    /// Stop this many seconds after the network was found
    #[arg(long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Stop once the chain has grown by this many blocks
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    blocks: Option<u64>,
    /// Number that decides who pays whom
    #[arg(long)]
    seed: Option<u64>,
    /// Print blocks, forks and cuts, but no payments and not who received what
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print one JSON object per line for each event, and nothing else
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

const EXAMPLES: &str = "\
It waits until there is a network, and goes on when services go away and come back. The members' keys are made from \
their names: ada, ben, cleo and so on. If the tracker knows several networks, --config chooses one.

Exit code: 0 if at the end all nodes that answer agreed, every block was valid and all money was accounted for; 1 if \
not; 2 for wrong usage.

Examples:
  simulator drive                              the network of the tracker on this machine
  simulator drive --tracker tracker-host:8090  a network on other machines
  simulator drive --rate 20 --blocks 50        20 payments per second, for 50 blocks
  simulator drive --hashrate 0                 without mining for the members: pay one of them, or run node --miner
  simulator drive --attacker selfish:0.35      with a selfish miner among the miners
  simulator drive --json --seconds 60          output for programs";

#[derive(Debug, Clone, Default)]
pub struct DriveOptions {
    /// Of its network only the id counts: it chooses among several networks.
    pub config: Config,
    /// `host:port` of the tracker.
    pub tracker: String,
    /// Hashes per second for the members; `None` for the default.
    pub hashrate: Option<u64>,
    /// Mines against the nodes.
    pub attacker: Option<AttackerOptions>,
    /// Time after which the run stops.
    pub seconds: Option<Duration>,
    /// Growth of the chain after which the run stops.
    pub blocks: Option<u64>,
    pub seed: u64,
    /// Leaves payments and receptions out of the narration.
    pub quiet: bool,
}

impl Args {
    /// Loads the configuration and combines it with the flags.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn options(self) -> anyhow::Result<DriveOptions> {
        let Self { tracker, members, rate, hashrate, attacker, seconds, blocks, seed, quiet, common, .. } = self;
        let overrides = Overrides::new()
            .set("user.tracker", "--tracker", tracker)
            .set("simulator.members", "--members", members)
            .set("simulator.rate", "--rate", rate);
        let config = common.load(overrides)?;
        check_members(&config)?;
        let tracker = config.user.tracker.clone();
        let seed = fresh_seed(seed)?;
        Ok(DriveOptions { config, tracker, hashrate, attacker, seconds, blocks, seed, quiet })
    }
}

#[cfg(test)]
mod tests {
    use crate::flags::{Args, Command};
    use clap::Parser;

    fn options(flags: &[&str]) -> anyhow::Result<super::DriveOptions> {
        let args = Args::try_parse_from(["simulator", "drive"].iter().chain(flags))?;
        let Some(Command::Drive(args)) = args.command else { anyhow::bail!("the command must be drive") };
        args.options()
    }

    #[test]
    fn flags_become_options() {
        let flags = ["--tracker", "tracker:1", "--members", "7", "--rate", "9", "--hashrate", "0", "--blocks", "3"];
        let options = options(&flags).unwrap();
        assert_eq!((options.tracker.as_str(), options.hashrate, options.blocks), ("tracker:1", Some(0), Some(3)));
        assert_eq!((options.config.simulator.members, options.config.simulator.rate), (7, 9));
    }

    #[test]
    fn values_out_of_bounds_are_refused_with_what_is_expected() {
        for (flags, expected) in [
            (&["--members", "101"][..], "expected 0 to 100"),
            (&["--rate", "1001"], "expected 0 to 1000"),
            (&["--hashrate", "10000001"], "10000000"),
            (&["--blocks", "0"], "1.."),
            (&["--nodes", "3"], "--nodes"),
        ] {
            let error = format!("{:#}", options(flags).unwrap_err());
            assert!(error.contains(expected), "{flags:?}: {error}");
        }
        assert!(
            Args::try_parse_from(["simulator", "--nodes", "3", "drive"]).is_err(),
            "a network of its own and drive exclude each other"
        );
    }
}
