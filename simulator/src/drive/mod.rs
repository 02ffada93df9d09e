//! `simulator drive`: members who pay one another on a network that runs already, on this machine or anywhere else.
//!
//! `discovery` waits until there is a network, `roster` follows the tracker's list, and `miner` earns the members money
//! to pay with. Everything else is the code for a network that was started here: the network is watched, checked,
//! narrated and proven. Nodes are not changed in any way, since their tokens are not known.

mod discovery;
mod flags;
mod miner;
mod roster;

pub use flags::{Args, DriveOptions};

use crate::event::Income;
use crate::network::{MempoolAndWallets, RunningNetwork};
use crate::observer::NodeObserver;
use crate::options::{RunOptions, check_attacker};
use crate::payers::wallets::MemberWallets;
use crate::report::RunReport;
use crate::run::{RunStart, narrate};
use crate::screen::{OutputFormat, Screen};
use anyhow::bail;
use discovery::FoundNetwork;
use roster::Roster;
use shared::params::Params;
use std::io::Write;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Hashes per second for members who would otherwise have no money, unless `--hashrate` is given.
const HASHRATE: u64 = 20_000;
/// Changes of the tracker's list that may wait to be narrated.
const QUEUE: usize = 64;

/// Drives the tracker's network until it is done or `stop` is cancelled, and writes what happens to `out`.
///
/// # Errors
/// If the tracker knows several networks and none is chosen, if `stop` is cancelled before there is a network, or if
/// `out` cannot be written.
pub async fn drive<W: Write>(
    options: &DriveOptions,
    format: OutputFormat,
    mut out: W,
    stop: CancellationToken,
) -> anyhow::Result<RunReport> {
    let DriveOptions { config, tracker, seconds, blocks, seed, .. } = options;
    let mut screen = Screen::new(&mut out, format, &[], &[]);
    let found = tokio::select! {
        found = discovery::find(tracker, config.network.network_id(), &mut screen) => found?,
        () = stop.cancelled() => bail!("stopped before there was a network at the tracker {tracker}"),
    };
    drop(screen);
    let FoundNetwork { params, nodes, mempool } = found;
    let (mempool_sender, mempool) = watch::channel(mempool.unwrap_or_default());
    let wallets = Arc::new(MemberWallets::new(0, config.simulator.members));
    let money = params.layer.has_money().then(|| MempoolAndWallets { mempool, wallets: wallets.clone() });
    let mut network = RunningNetwork::found(tracker.clone(), &params, money)?;
    let (addresses, tips): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
    for address in &addresses {
        network.nodes.add(address.clone(), None);
    }
    let watching = CancellationToken::new();
    let (observer, observations) = NodeObserver::start(&network, watching.clone());

    let (nodes_sender, nodes) = watch::channel(addresses);
    let (change_sender, roster_changes) = mpsc::channel(QUEUE);
    let roster = Roster::new(tracker.clone(), network.id, mempool_sender, nodes_sender, change_sender)?;
    tokio::spawn(watching.clone().run_until_cancelled_owned(roster.run()));
    let hashrate = hashrate(options, &params);
    if hashrate > 0 && !wallets.list.is_empty() {
        let mining = miner::mine(network.client.clone(), nodes, wallets, hashrate);
        tokio::spawn(watching.clone().run_until_cancelled_owned(mining));
    }

    check_attacker(options.attacker.as_ref(), params.layer, config.simulator.members)?;
    let mut config = config.clone();
    let attacker = options.attacker.clone();
    let income = params.layer.has_money().then(|| income(hashrate, &params));
    config.network = params;
    let (seconds, blocks, seed, quiet) = (*seconds, *blocks, *seed, options.quiet);
    let options = RunOptions { config, seconds, blocks, seed, quiet, attacker, ..RunOptions::default() };
    let start = RunStart { started: Instant::now(), tips, income, roster_changes, observer, observations };
    let result = narrate(&options, format, out, &mut network, start, stop).await;
    watching.cancel();
    result
}

/// Hashes per second to mine for the members.
fn hashrate(options: &DriveOptions, params: &Params) -> u64 {
    let wanted = options.hashrate.unwrap_or(if params.new_address_balance == 0 { HASHRATE } else { 0 });
    if params.layer.has_money() { wanted } else { 0 }
}

fn income(hashrate: u64, params: &Params) -> Income {
    match (hashrate, params.new_address_balance) {
        (0, 0) => Income::None,
        (0, given) => Income::Given(given),
        (hashrate, _) => Income::Mined(hashrate),
    }
}
