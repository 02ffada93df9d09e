//! `simulator drive`: members who transact on a network that runs already, on this machine or anywhere, and its story.
//!
//! `finding` waits until there is a network, `roster` follows who takes part, `miner` earns the members something to
//! pay with. All else is that of a network which was started here: it is watched, checked, told of and proven by the same
//! code. Nothing is steered, since nobody gives away tokens.

mod discovery;
mod flags;
mod miner;
mod roster;

pub use flags::{Args, DriveOptions};

use crate::event::Income;
use crate::flags::Options;
use crate::network::{MempoolAndWallets, RunningNetwork};
use crate::payers::wallets::Wallets;
use crate::report::RunReport;
use crate::run::{Eyes, RunStart, narrate};
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

/// Hashes a second that are made for members who would have nothing, unless the flag says otherwise.
const HASHRATE: u64 = 20_000;
/// Changes that may wait to be told.
const CHANGES: usize = 64;

/// Drives the network that the tracker knows until it is done or `stop` is cancelled, and tells of it on `out`.
///
/// # Errors
/// If the tracker knows several networks and none is chosen, if it is stopped before there is one, or nobody takes the
/// output.
pub async fn drive<W: Write>(
    options: &DriveOptions,
    look: OutputFormat,
    mut out: W,
    stop: CancellationToken,
) -> anyhow::Result<RunReport> {
    let DriveOptions { config, tracker, seconds, blocks, seed, .. } = options;
    let mut screen = Screen::new(&mut out, look, Vec::new(), Vec::new());
    let found = tokio::select! {
        found = discovery::find(tracker, config.network.network_id(), &mut screen) => found?,
        () = stop.cancelled() => bail!("stopped before there was a network at the tracker {tracker}"),
    };
    drop(screen);
    let FoundNetwork { params, nodes, mempool } = found;
    let (tell_mempool, at) = watch::channel(mempool.unwrap_or_default());
    let wallets = Arc::new(Wallets::new(0, config.simulator.members));
    let money = params.layer.has_money().then(|| MempoolAndWallets { mempool: at, wallets: wallets.clone() });
    let mut network = RunningNetwork::found(tracker.clone(), &params, money)?;
    let (addresses, tips): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
    addresses.iter().for_each(|address| network.add(address.clone()));
    let eyes = Eyes::open(&network);
    let watching = eyes.watching.clone();

    let (tell_nodes, nodes) = watch::channel(addresses);
    let (tell_changes, changes) = mpsc::channel(CHANGES);
    let roster = Roster::new(tracker.clone(), network.id, tell_mempool, tell_nodes, tell_changes)?;
    tokio::spawn(watching.clone().run_until_cancelled_owned(roster.run()));
    let hashrate = hashrate(options, &params);
    if hashrate > 0 && !wallets.list.is_empty() {
        let mining = miner::mine(network.client.clone(), nodes, wallets, hashrate);
        tokio::spawn(watching.clone().run_until_cancelled_owned(mining));
    }

    let mut config = config.clone();
    let income = params.layer.has_money().then(|| income(hashrate, &params));
    config.network = params;
    let options = Options { config, seconds: *seconds, blocks: *blocks, seed: *seed, ..Options::default() };
    let begin = RunStart { started: Instant::now(), tips, income, changes };
    let result = narrate(&options, look, out, &mut network, begin, eyes, stop).await;
    watching.cancel();
    result
}

/// How hard to mine for the members.
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
