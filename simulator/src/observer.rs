//! Watches every node from outside, as any client could: its event stream, and its `/info` once a second, which heals
//! what the stream missed and tells the hash rate. Reconnects for ever; decides nothing.

use crate::network::RunningNetwork;
use crate::replayed_ledger::BlockPayments;
use futures_util::StreamExt;
use runtime::client::Client;
use shared::wire::{BlockId, Event, Tip};
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often a node is asked how it is.
const INFO: Duration = Duration::from_secs(1);
/// How soon a broken stream is opened again.
const RETRY: Duration = Duration::from_millis(500);

/// Something that was seen of one node.
#[derive(Debug)]
pub struct NodeObservation {
    /// The node's number.
    pub node: usize,
    /// What was seen.
    pub what: Observation,
}

/// What was seen.
#[derive(Debug)]
pub enum Observation {
    /// It told an event.
    Event(Event),
    /// It answered how it is.
    Info {
        /// Its best block.
        tip: Tip,
        /// Its hashes per second.
        hashrate: u64,
        /// The address that it mines to, where there is money.
        miner: Option<String>,
    },
    /// Its events ended.
    Silent(String),
    /// Its events came back.
    Back,
    /// The payments of a block, and what it created.
    Payments(BlockId, BlockPayments, u64),
    /// A block that it served is not what it says.
    BadBlock(BlockId, String),
    /// A block could not be fetched.
    Unfetched(BlockId, String),
    /// A block that could not be fetched was given after all.
    Fetched,
}

/// Starts to watch every node until `stop` is cancelled; what is seen goes to `seen`. Each watch ends by its own token, too.
pub fn watch(
    network: &RunningNetwork,
    seen: &Sender<NodeObservation>,
    stop: &CancellationToken,
) -> Vec<CancellationToken> {
    (0..network.nodes.len()).map(|node| watch_node(network, node, seen, stop)).collect()
}

/// The same for the node of that number.
pub fn watch_node(
    network: &RunningNetwork,
    node: usize,
    seen: &Sender<NodeObservation>,
    stop: &CancellationToken,
) -> CancellationToken {
    let stop = stop.child_token();
    let (client, address) = (&network.client, &network.nodes[node].contact.address);
    let events = follow_events(client.clone(), address.clone(), node, seen.clone());
    let infos = ask_infos(client.clone(), address.clone(), node, seen.clone());
    tokio::spawn(stop.clone().run_until_cancelled_owned(events));
    tokio::spawn(stop.clone().run_until_cancelled_owned(infos));
    stop
}

async fn follow_events(client: Client, address: String, node: usize, seen: Sender<NodeObservation>) {
    let mut is_silent = false;
    loop {
        let ended = match client.events(&address).await {
            Err(error) => error.to_string(),
            Ok(events) => {
                let mut events = std::pin::pin!(events);
                if std::mem::take(&mut is_silent) {
                    // Whoever listens is gone only when the run is over.
                    let _ = seen.send(NodeObservation { node, what: Observation::Back }).await;
                }
                loop {
                    match events.next().await {
                        Some(Ok(event)) => {
                            let _ = seen.send(NodeObservation { node, what: Observation::Event(event) }).await;
                        }
                        Some(Err(error)) => break error.to_string(),
                        None => break "its event stream ended".to_owned(),
                    }
                }
            }
        };
        if !std::mem::replace(&mut is_silent, true) {
            let _ = seen.send(NodeObservation { node, what: Observation::Silent(ended) }).await;
        }
        sleep(RETRY).await;
    }
}

async fn ask_infos(client: Client, address: String, node: usize, seen: Sender<NodeObservation>) {
    loop {
        sleep(INFO).await;
        let Ok(info) = client.info(&address).await else { continue };
        let (Some(tip), Some(mining)) = (info.tip, info.mining) else { continue };
        let what = Observation::Info { tip, hashrate: mining.hashrate, miner: mining.address };
        let _ = seen.send(NodeObservation { node, what }).await;
    }
}
