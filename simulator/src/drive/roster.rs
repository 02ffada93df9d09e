//! Follows the tracker's list of services: nodes that come and go, and the mempool's address. While the tracker does
//! not answer, the list stays as it was.

use crate::run::RosterChange;
use runtime::client::Client;
use shared::block::BlockHash;
use shared::wire::{Member, Role};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// Time between two requests for the list.
const POLL: Duration = Duration::from_secs(2);
/// Failed requests in a row until the tracker counts as away.
const MAX_MISSES: u32 = 2;

/// Polls the tracker for the services of one network.
pub(super) struct Roster {
    client: Client,
    tracker: String,
    network: BlockHash,
    mempool: watch::Sender<String>,
    nodes: watch::Sender<Vec<String>>,
    changes: mpsc::Sender<RosterChange>,
    misses: u32,
}

impl Roster {
    /// The mempool's address goes to `mempool`, those of all nodes to `nodes`, and changes to `changes`.
    ///
    /// # Errors
    /// If no client is available.
    pub(super) fn new(
        tracker: String,
        network: BlockHash,
        mempool: watch::Sender<String>,
        nodes: watch::Sender<Vec<String>>,
        changes: mpsc::Sender<RosterChange>,
    ) -> anyhow::Result<Self> {
        let client = Client::new(None, None)?;
        Ok(Self { client, tracker, network, mempool, nodes, changes, misses: 0 })
    }

    /// Polls for ever.
    pub(super) async fn run(mut self) {
        loop {
            match self.client.members(&self.tracker).await {
                Ok(members) => {
                    if std::mem::take(&mut self.misses) >= MAX_MISSES {
                        self.send(RosterChange::Tracker(None)).await;
                    }
                    self.update(&members).await;
                }
                Err(error) => {
                    self.misses = self.misses.saturating_add(1);
                    if self.misses == MAX_MISSES {
                        self.send(RosterChange::Tracker(Some(error.to_string()))).await;
                    }
                }
            }
            sleep(POLL).await;
        }
    }

    async fn update(&self, members: &[Member]) {
        let of = |role| {
            let ours = members.iter().filter(move |member| member.role == role && member.network_id == self.network);
            ours.map(|member| member.address.clone()).collect::<BTreeSet<String>>()
        };
        let (before, now): (BTreeSet<String>, _) = (self.nodes.borrow().iter().cloned().collect(), of(Role::Node));
        for address in now.difference(&before) {
            self.send(RosterChange::Listed(address.clone())).await;
        }
        for address in before.difference(&now) {
            self.send(RosterChange::Unlisted(address.clone())).await;
        }
        if now != before {
            self.nodes.send_replace(now.into_iter().collect());
        }
        let mempools = of(Role::Mempool);
        if let Some(other) = mempools.first()
            && !mempools.contains(&*self.mempool.borrow())
        {
            self.mempool.send_replace(other.clone());
        }
    }

    async fn send(&self, change: RosterChange) {
        // Fails only after the run has ended.
        let _ = self.changes.send(change).await;
    }
}
