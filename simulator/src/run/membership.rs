//! Who comes and goes in a network that was found: watched from then on, or left alone. In a network that was started
//! here, whoever is silent is still waited for.

use super::Run;
use crate::event::RunEvent;
use crate::network::RunningNetwork;
use crate::observer;
use std::io::Write;
use std::sync::atomic::Ordering;

/// Most nodes that are watched in a run; others take part without a word of them.
const MAX_NODES: usize = 100;

/// Something that the tracker's list shows.
#[derive(Debug)]
pub(crate) enum RosterChange {
    /// A node is listed, at `host:port`.
    Listed(String),
    /// It is not any more.
    Unlisted(String),
    /// The tracker does not answer, for this reason, or does again.
    Tracker(Option<String>),
}

impl<W: Write> Run<W> {
    pub(super) fn change(&mut self, network: &mut RunningNetwork, change: RosterChange) {
        match change {
            RosterChange::Listed(address) => self.listed(network, address),
            RosterChange::Unlisted(address) => self.unlisted(network, &address),
            RosterChange::Tracker(reason) => self.narrator.push(self.at_ms(), RunEvent::Tracker { reason }),
        }
    }

    fn listed(&mut self, network: &mut RunningNetwork, address: String) {
        let known = network.nodes.iter().position(|node| node.contact.address == address);
        let node = match known {
            Some(node) if !self.watches[node].is_cancelled() => return,
            Some(node) => {
                let name = self.names[node].clone();
                self.narrator.push(self.at_ms(), RunEvent::Joined { node: name, address });
                node
            }
            None if network.nodes.len() >= MAX_NODES => return,
            None => self.join(network, address),
        };
        // Before it is asked for the first time, nobody knows better.
        self.set_present(node, true);
        let watch = observer::watch_node(network, node, &self.sender, &self.watching);
        if node < self.watches.len() {
            self.watches[node] = watch;
        } else {
            self.watches.push(watch);
        }
    }

    /// One more node; its number.
    fn join(&mut self, network: &mut RunningNetwork, address: String) -> usize {
        network.add(address.clone());
        let node = network.nodes.len() - 1;
        let new = &network.nodes[node];
        self.names.push(new.contact.name.clone());
        self.presence.push(new.is_present.clone());
        self.hashrates.push(0);
        self.inspector.add(address.clone());
        self.screen.join(new.contact.name.clone());
        self.narrator.join(self.at_ms(), new.contact.name.clone(), address);
        node
    }

    /// Whoever is not listed, but answers, still takes part.
    fn unlisted(&mut self, network: &RunningNetwork, address: &str) {
        let Some(node) = network.nodes.iter().position(|node| node.contact.address == address) else { return };
        if !self.presence[node].load(Ordering::Relaxed) {
            self.watches[node].cancel();
            self.narrator.push(self.at_ms(), RunEvent::Left { node: self.names[node].clone() });
        }
    }

    /// Whether a node takes part from now on.
    pub(super) fn set_present(&mut self, node: usize, is_present: bool) {
        if !self.is_found {
            return;
        }
        self.presence[node].store(is_present, Ordering::Relaxed);
        if !is_present {
            self.hashrates[node] = 0;
        }
        self.narrator.set_present(node, is_present);
        self.screen.set_present(self.presence.iter().filter(|there| there.load(Ordering::Relaxed)).count());
    }

    /// The number of somebody who can be asked.
    pub(super) fn first_present(&self) -> usize {
        self.presence.iter().position(|there| there.load(Ordering::Relaxed)).unwrap_or(0)
    }
}
