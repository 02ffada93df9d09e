//! Watches every node from outside, as any client could: its event stream, and once a second its `/info`, which gives
//! the hash rate and makes up for events that were missed. Reconnects for ever. Decides nothing.

use crate::ledger::BlockPayments;
use crate::network::{NodeList, RunningNetwork};
use futures_util::StreamExt;
use runtime::client::Client;
use shared::block::BlockId;
use shared::chain::Tip;
use shared::wire::NodeEvent;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Observations that may wait to be narrated.
const QUEUE: usize = 4096;
/// Time between two requests for a node's `/info`.
const INFO: Duration = Duration::from_secs(1);
/// Time before a broken stream is opened again.
const RETRY: Duration = Duration::from_millis(500);

/// An observation of one node, by the node's number.
#[derive(Debug)]
pub struct NodeObservation {
    pub node: usize,
    pub observation: Observation,
}

/// What a node does, and what the inspector finds out about the blocks that the node reported.
#[derive(Debug)]
pub enum Observation {
    /// From the node's event stream.
    Event(NodeEvent),
    /// The node's state when it was asked.
    Info {
        tip: Tip,
        /// Hashes per second.
        hashrate: u64,
        /// The address that the node mines to, where there is money.
        miner: Option<String>,
    },
    /// The event stream broke, for this reason.
    Silent(String),
    /// The event stream is open again.
    Back,
    /// The payments in a block, and its reward in grains.
    Payments(BlockId, BlockPayments, u64),
    /// A block breaks a rule, for this reason.
    BadBlock(BlockId, String),
    /// No node gave the block, for this reason.
    Unfetched(BlockId, String),
    /// A block that was reported as unfetched was fetched later.
    Fetched,
}

/// Runs two tasks for each node that is watched. They end with the node's own token, or all together.
#[derive(Debug)]
pub struct NodeObserver {
    client: Client,
    nodes: NodeList,
    observations: Sender<NodeObservation>,
    stop: CancellationToken,
}

impl NodeObserver {
    /// Watches every node that the network has now, until `stop` is cancelled. Returns the queue of observations, too.
    pub fn start(network: &RunningNetwork, stop: CancellationToken) -> (Self, Receiver<NodeObservation>) {
        let (observations, queue) = channel(QUEUE);
        let observer = Self { client: network.client.clone(), nodes: network.nodes.clone(), observations, stop };
        (0..observer.nodes.all().len()).for_each(|node| observer.watch(node));
        (observer, queue)
    }

    /// Where observations go.
    pub fn sender(&self) -> Sender<NodeObservation> {
        self.observations.clone()
    }

    /// Watches a node until its token, `NetworkNode::watch`, is cancelled.
    pub fn watch(&self, node: usize) {
        let Some(address) = self.nodes.get(node).map(|node| node.address) else { return };
        let stop = self.stop.child_token();
        self.nodes.update(node, |node| node.watch = stop.clone());
        let events = follow_events(self.client.clone(), address.clone(), node, self.sender());
        let infos = request_infos(self.client.clone(), address, node, self.sender());
        tokio::spawn(stop.clone().run_until_cancelled_owned(events));
        tokio::spawn(stop.run_until_cancelled_owned(infos));
    }
}

async fn follow_events(client: Client, address: String, node: usize, observations: Sender<NodeObservation>) {
    // Sending fails only after the run has ended.
    let send = async |observation| drop(observations.send(NodeObservation { node, observation }).await);
    let mut is_silent = false;
    loop {
        let reason = match client.events(&address).await {
            Err(error) => error.to_string(),
            Ok(events) => {
                let mut events = std::pin::pin!(events);
                if std::mem::take(&mut is_silent) {
                    send(Observation::Back).await;
                }
                loop {
                    match events.next().await {
                        Some(Ok(event)) => send(Observation::Event(event)).await,
                        Some(Err(error)) => break error.to_string(),
                        None => break "its event stream ended".to_owned(),
                    }
                }
            }
        };
        if !std::mem::replace(&mut is_silent, true) {
            send(Observation::Silent(reason)).await;
        }
        sleep(RETRY).await;
    }
}

async fn request_infos(client: Client, address: String, node: usize, observations: Sender<NodeObservation>) {
    loop {
        sleep(INFO).await;
        let Ok(info) = client.info(&address).await else { continue };
        let (Some(tip), Some(mining)) = (info.tip, info.mining) else { continue };
        let observation = Observation::Info { tip, hashrate: mining.hashrate, miner: mining.address };
        let _ = observations.send(NodeObservation { node, observation }).await;
    }
}
