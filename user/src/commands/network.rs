//! `user network`: makes the configuration of a new network, and shows the parameters of an existing one.

use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use crate::{Error, random};
use runtime::clock::Clock;
use runtime::config::DEFAULTS;
use serde::Serialize;
use serde_json::Value;
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::ledger::Amount;
use shared::params::Params;
use shared::sync::PeerAddress;

/// Make a network of your own, or show an existing one
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print a new [network] section for Config.toml: a random name, genesis now, the rest as configured
    #[command(after_help = EXAMPLES)]
    New {
        /// Its name, 1 to 32 characters of a-z, 0-9 and - [default: a random one]
        #[arg(long)]
        name: Option<String>,
    },
    /// Show the id and the parameters of the network
    Show {
        /// The node to ask, host:port [default: a service that the tracker lists]
        #[arg(long, value_name = "HOST:PORT")]
        node: Option<PeerAddress>,
    },
}

const EXAMPLES: &str = "\
Examples:
  user network new > Config.toml   programs that start with this file join the new network
  CHAINLAB__NETWORK__RETARGET=epoch user network new --name my-lab";

/// A new network without members.
#[derive(Debug, Serialize)]
struct NewNetwork {
    network_id: BlockHash,
    network: Params,
    toml: String,
}

impl Output for NewNetwork {
    fn text(&self, _: Style) -> String {
        self.toml.clone()
    }
}

/// The network that a service is on.
#[derive(Debug, Serialize)]
struct NetworkInfo {
    service: String,
    network_id: BlockHash,
    network: Params,
    tip: Option<Tip>,
}

impl Output for NetworkInfo {
    fn text(&self, style: Style) -> String {
        let mut lines = vec![
            format!("{:<20}  {}", "network id", style.strong(self.network_id)),
            format!("{:<20}  {}", "service", self.service),
        ];
        if let Some(tip) = &self.tip {
            lines.push(format!("{:<20}  {} ({}), {}", "tip", tip.index, tip.hash, tip.timestamp));
        }
        for (name, value) in pairs(&self.network) {
            let lab = match name.as_str() {
                "reward" | "new_address_balance" => value.as_u64().and_then(Amount::new),
                _ => None,
            };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let lab = lab.map_or(String::new(), |amount| style.faint(format!(" grains, {amount} LAB")));
            lines.push(format!("{name:<20}  {value}{lab}"));
        }
        lines.join("\n")
    }
}

/// # Errors
/// Fails if the name is not allowed, or if no service answers.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    match args.action {
        Action::New { name } => console.print(&new_network(name, &context.config.network)?),
        Action::Show { node } => {
            let RemoteService { address, network_id, params, tip, .. } = match (&node, &context.mempool) {
                (None, Some(_)) => context.mempool().await?,
                _ => context.node(node.as_ref()).await?,
            };
            console.print(&NetworkInfo { service: address, network_id, network: params, tip })
        }
    }
}

fn new_network(name: Option<String>, base: &Params) -> Result<NewNetwork, Error> {
    let name = match name {
        Some(name) => name,
        None => format!("lab-{:08x}", u32::from_be_bytes(random::bytes()?)),
    };
    let max_future_ms = if base.max_future_ms == Params::default().max_future_ms {
        Params::sound_future_ms(base.block_interval_ms)
    } else {
        base.max_future_ms
    };
    let network = Params { name, genesis_time: Clock::new(0).time(), max_future_ms, ..base.clone() };
    network.check().map_err(|error| Error::Usage(error.to_string()))?;
    Ok(NewNetwork { network_id: network.network_id(), toml: section(&network), network })
}

/// The section `[network]` of the defaults with these values; comments are kept.
fn section(network: &Params) -> String {
    let values = pairs(network);
    let mut lines = vec![format!("# Network id {}", network.network_id())];
    let section = DEFAULTS.lines().skip_while(|line| *line != "[network]").take_while(|line| !line.is_empty());
    for line in section {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        let value = values.iter().find(|(name, _)| name == key);
        // TOML and JSON write strings and whole numbers alike.
        lines.push(value.map_or_else(|| line.to_owned(), |(name, value)| format!("{name} = {value}")));
    }
    lines.join("\n")
}

fn pairs(network: &Params) -> Vec<(String, Value)> {
    match serde_json::to_value(network) {
        Ok(Value::Object(values)) => values.into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::config::{Overrides, load_from};

    #[test]
    fn a_fresh_section_is_read_back_as_the_same_network() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Config.toml");
        let base = Params { reward: 7, max_msg_bytes: 9, ..Params::default() };
        let made = new_network(None, &base).unwrap();
        std::fs::write(&file, made.text(Style::default())).unwrap();
        let read = load_from(Some(&file), [], Overrides::new()).unwrap().network;
        assert_eq!(read, made.network);
        assert_eq!((read.reward, read.max_msg_bytes, read.network_id()), (7, 9, made.network_id));
        assert!(made.toml.contains("# Money that each of the first blocks creates, in grains"), "{}", made.toml);
        for (name, _) in pairs(&base) {
            assert!(made.toml.contains(&format!("\n{name} = ")), "{name} is missing: {}", made.toml);
        }
    }

    #[test]
    fn the_largest_future_fits_the_interval_unless_it_is_configured() {
        let fast = Params { block_interval_ms: 500, ..Params::default() };
        assert_eq!(new_network(None, &fast).unwrap().network.max_future_ms, 1500);
        let chosen = Params { max_future_ms: 9000, ..fast };
        assert_eq!(new_network(None, &chosen).unwrap().network.max_future_ms, 9000);
    }

    #[test]
    fn two_fresh_networks_differ() {
        let [a, b] = [(); 2].map(|()| new_network(None, &Params::default()).unwrap().network.name);
        assert_ne!(a, b);
    }

    #[test]
    fn a_name_that_may_not_be_is_refused() {
        let error = new_network(Some("Our Lab".to_owned()), &Params::default()).unwrap_err();
        assert!(error.to_string().contains("a-z") && error.exit_code() == 2, "{error}");
    }
}
