//! The command line of `simulator drive`.

use crate::flags::{check_members, fresh_seed};
use crate::partition::seconds;
use runtime::config::{CommonArgs, Overrides};
use shared::config::Config;
use std::time::Duration;

/// Most hashes a second that are made for the members: whoever wants to mine in earnest starts a node.
const MAX_HASHRATE: u64 = 10_000_000;

/// Make members transact on a network that runs already, here or on other machines, and tell what happens there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The tracker of the network, host:port [default: 127.0.0.1:8090]
    #[arg(short, long)]
    tracker: Option<String>,
    /// How many members there are [default: 4]
    #[arg(short, long)]
    members: Option<usize>,
    /// Payments a second that all members make together; 0 = none [default: 1]
    #[arg(short, long)]
    rate: Option<u32>,
    /// Hashes per second to mine for the members, so that they have something to pay with; 0 = not at all
    /// [default: 20000, and 0 where everybody new is given some]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=MAX_HASHRATE))]
    hashrate: Option<u64>,
    /// Stop after so many seconds, counted from when the network was found
    #[arg(long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Stop once the chain has gained so many blocks
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    blocks: Option<u64>,
    /// Decides who pays whom
    #[arg(long)]
    seed: Option<u64>,
    /// Print one JSON object a line for everything that happens, and nothing else
    #[arg(long)]
    pub json: bool,
    /// What every program takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

const EXAMPLES: &str = "\
It waits until there is a network, and goes on when services are away and come back. The members' keys are made of their \
names: ada, ben, cleo and so on. Of several networks, that of --config is meant. Exit code: 0 if at the end all nodes that \
answer agreed, every block was what it said and every grain was where it must be, 1 if not, 2 for wrong usage.

Examples:
  simulator drive                              the network of the tracker on this machine
  simulator drive --tracker tracker-host:8090  one on other machines
  simulator drive --rate 20 --blocks 50        busier, and for fifty blocks
  simulator drive --hashrate 0                 nothing is mined here: user mine, or node --miner, for a member
  simulator drive --json --seconds 60          for programs";

/// Everything that driving needs to know.
#[derive(Debug, Clone, Default)]
pub struct DriveOptions {
    /// The configuration; of its network only the id counts, where the tracker knows several.
    pub config: Config,
    /// `host:port` of the tracker.
    pub tracker: String,
    /// Hashes a second for the members, if the flag says.
    pub hashrate: Option<u64>,
    /// Stop after so long.
    pub seconds: Option<Duration>,
    /// Stop after so many blocks.
    pub blocks: Option<u64>,
    /// Decides who pays whom.
    pub seed: u64,
}

impl Args {
    /// Loads the configuration and puts everything together.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn options(self) -> anyhow::Result<DriveOptions> {
        let Self { tracker, members, rate, hashrate, seconds, blocks, seed, common, .. } = self;
        let overrides = Overrides::new()
            .set("user.tracker", "--tracker", tracker)
            .set("simulator.members", "--members", members)
            .set("simulator.rate", "--rate", rate);
        let config = common.load(overrides)?;
        check_members(&config)?;
        let tracker = config.user.tracker.clone();
        Ok(DriveOptions { config, tracker, hashrate, seconds, blocks, seed: fresh_seed(seed)? })
    }
}

#[cfg(test)]
mod tests {
    use crate::flags::{Args, Command};
    use clap::Parser;

    fn options(flags: &[&str]) -> anyhow::Result<super::DriveOptions> {
        let args = Args::try_parse_from(["simulator", "drive"].iter().chain(flags))?;
        let Some(Command::Drive(args)) = args.command else { anyhow::bail!("it is to drive") };
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
    fn what_makes_no_sense_is_refused_with_what_is_expected() {
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
            "a network of its own, or drive"
        );
    }
}
