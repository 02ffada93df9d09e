//! Nodes that come and go in a network that was found: a new one is watched from then on, one that left no longer. In a
//! network that was started here every node belongs to the run for good, even while it is silent.

use super::LiveRun;
use crate::event::RunEvent;
use std::io::Write;

/// Most nodes that a run watches; further ones are ignored.
const MAX_NODES: usize = 100;

/// A change of the tracker's list.
#[derive(Debug)]
pub(crate) enum RosterChange {
    /// A node was added, at `host:port`.
    Listed(String),
    /// A node was removed, at `host:port`.
    Unlisted(String),
    /// The tracker fails to respond, for this reason, or responds again.
    Tracker(Option<String>),
}

impl<W: Write> LiveRun<W> {
    pub(super) fn apply_roster_change(&mut self, change: RosterChange) {
        match change {
            RosterChange::Listed(address) => self.node_listed(address),
            RosterChange::Unlisted(address) => self.node_unlisted(&address),
            RosterChange::Tracker(reason) => self.narrator.push(self.at_ms(), RunEvent::Tracker { reason }),
        }
    }

    fn node_listed(&mut self, address: String) {
        let number = match self.nodes.number_of(&address) {
            Some(number) => {
                let Some(node) = self.nodes.get(number).filter(|node| node.watch.is_cancelled()) else { return };
                self.narrator.push(self.at_ms(), RunEvent::Joined { node: node.name, address });
                number
            }
            None if self.nodes.all().len() >= MAX_NODES => return,
            None => {
                let number = self.nodes.add(address.clone(), None);
                self.screen.add_node(self.nodes.name(number));
                self.narrator.add_node(self.at_ms(), self.nodes.name(number), address);
                number
            }
        };
        // Assumed until its event stream fails.
        self.set_present(number, true);
        self.observer.watch(number);
    }

    /// A node that is no longer listed still takes part as long as it responds.
    fn node_unlisted(&mut self, address: &str) {
        let node = self.nodes.number_of(address).and_then(|number| self.nodes.get(number));
        let Some(node) = node.filter(|node| !node.is_present) else { return };
        node.watch.cancel();
        self.narrator.push(self.at_ms(), RunEvent::Left { node: node.name });
    }

    /// Records whether a node takes part.
    pub(super) fn set_present(&mut self, number: usize, is_present: bool) {
        if !self.is_found {
            return;
        }
        self.nodes.update(number, |node| node.is_present = is_present);
        self.narrator.set_present(number, is_present);
        self.screen.set_present(self.nodes.present().len());
    }
}
