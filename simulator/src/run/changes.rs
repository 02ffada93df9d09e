//! Who comes and goes in a network that was found: watched from then on, or left alone. In a network that was started
//! here, whoever is silent is still waited for.

use super::Run;
use crate::network::Network;
use crate::observer;
use crate::tale::Tale;
use std::io::Write;
use std::sync::atomic::Ordering;

/// Most nodes that are watched in a run; others take part without a word of them.
const MAX_NODES: usize = 100;

/// Something that the tracker's list shows.
#[derive(Debug)]
pub(crate) enum Change {
    /// A node is listed, at `host:port`.
    Listed(String),
    /// It is not any more.
    Unlisted(String),
    /// The tracker does not answer, for this reason, or does again.
    Tracker(Option<String>),
}

impl<W: Write> Run<W> {
    pub(super) fn change(&mut self, network: &mut Network, change: Change) {
        match change {
            Change::Listed(address) => self.listed(network, address),
            Change::Unlisted(address) => self.unlisted(network, &address),
            Change::Tracker(reason) => self.narrator.tell(self.at_ms(), Tale::Tracker { reason }),
        }
    }

    fn listed(&mut self, network: &mut Network, address: String) {
        let known = network.nodes.iter().position(|node| node.contact.address == address);
        let node = match known {
            Some(node) if !self.watches[node].is_cancelled() => return,
            Some(node) => {
                let name = self.names[node].clone();
                self.narrator.tell(self.at_ms(), Tale::Joined { node: name, address });
                node
            }
            None if network.nodes.len() >= MAX_NODES => return,
            None => self.join(network, address),
        };
        // Before it is asked for the first time, nobody knows better.
        self.set_there(node, true);
        let watch = observer::watch_node(network, node, &self.sender, &self.watching);
        if node < self.watches.len() {
            self.watches[node] = watch;
        } else {
            self.watches.push(watch);
        }
    }

    /// One more node; its number.
    fn join(&mut self, network: &mut Network, address: String) -> usize {
        network.add(address.clone());
        let node = network.nodes.len() - 1;
        let new = &network.nodes[node];
        self.names.push(new.contact.name.clone());
        self.presence.push(new.is_there.clone());
        self.hashrates.push(0);
        self.inspector.add(address.clone());
        self.screen.join(new.contact.name.clone());
        self.narrator.join(self.at_ms(), new.contact.name.clone(), address);
        node
    }

    /// Whoever is not listed, but answers, still takes part.
    fn unlisted(&mut self, network: &Network, address: &str) {
        let Some(node) = network.nodes.iter().position(|node| node.contact.address == address) else { return };
        if !self.presence[node].load(Ordering::Relaxed) {
            self.watches[node].cancel();
            self.narrator.tell(self.at_ms(), Tale::Left { node: self.names[node].clone() });
        }
    }

    /// Whether a node takes part from now on.
    pub(super) fn set_there(&mut self, node: usize, is_there: bool) {
        if !self.is_found {
            return;
        }
        self.presence[node].store(is_there, Ordering::Relaxed);
        if !is_there {
            self.hashrates[node] = 0;
        }
        self.narrator.set_there(node, is_there);
        self.screen.set_present(self.presence.iter().filter(|there| there.load(Ordering::Relaxed)).count());
    }

    /// The number of somebody who can be asked.
    pub(super) fn somebody(&self) -> usize {
        self.presence.iter().position(|there| there.load(Ordering::Relaxed)).unwrap_or(0)
    }
}
