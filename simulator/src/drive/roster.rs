//! Follows the tracker's list: who comes, who goes, and where the mempool is. While the tracker is away, everybody stays.

use crate::run::RosterChange;
use runtime::client::Client;
use shared::block::BlockHash;
use shared::wire::{Member, Role};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// How often it is asked for.
const ASK: Duration = Duration::from_secs(2);
/// Tries in a row that the tracker may miss before it is told of.
const MISSES: u32 = 2;

/// The members of one network, as the tracker lists them.
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
    /// Tells the mempool's address, all nodes', and what changes.
    ///
    /// # Errors
    /// If no client can be had.
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

    /// Follows the list for ever.
    pub(super) async fn run(mut self) {
        loop {
            match self.client.members(&self.tracker).await {
                Ok(members) => {
                    if std::mem::take(&mut self.misses) >= MISSES {
                        self.tell(RosterChange::Tracker(None)).await;
                    }
                    self.take(&members).await;
                }
                Err(error) => {
                    self.misses = self.misses.saturating_add(1);
                    if self.misses == MISSES {
                        self.tell(RosterChange::Tracker(Some(error.to_string()))).await;
                    }
                }
            }
            sleep(ASK).await;
        }
    }

    async fn take(&self, members: &[Member]) {
        let of = |role| {
            let ours = members.iter().filter(move |member| member.role == role && member.network_id == self.network);
            ours.map(|member| member.address.clone()).collect::<BTreeSet<String>>()
        };
        let (before, now): (BTreeSet<String>, _) = (self.nodes.borrow().iter().cloned().collect(), of(Role::Node));
        for address in now.difference(&before) {
            self.tell(RosterChange::Listed(address.clone())).await;
        }
        for address in before.difference(&now) {
            self.tell(RosterChange::Unlisted(address.clone())).await;
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

    async fn tell(&self, change: RosterChange) {
        // Whoever listens is gone only when the run is over.
        let _ = self.changes.send(change).await;
    }
}
