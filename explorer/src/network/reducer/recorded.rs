//! What a recording tells the reducer that a live network does not: cuts of many links at once.

use super::Reducer;
use crate::network::Change;
use shared::block::Timestamp;
use shared::wire::{PeerChange, PeerEvent};

impl Reducer {
    /// Takes over which pairs of nodes are cut, all at once.
    pub(crate) fn set_cut(&mut self, now: Timestamp, is_cut: impl Fn(&str, &str) -> bool) {
        let nodes: Vec<String> = self.state.nodes.keys().cloned().collect();
        for (place, one) in nodes.iter().enumerate() {
            for other in &nodes[place + 1..] {
                let is_cut = is_cut(one, other);
                if is_cut == self.state.is_cut(one, other) {
                    continue;
                }
                let change = if is_cut { PeerChange::Blocked } else { PeerChange::Unblocked };
                let event = PeerEvent { address: other.clone(), change, reason: None };
                self.report(|news| news.peer(now, one, &event));
                for (from, to) in [(one, other), (other, one)] {
                    let Some(service) = self.state.nodes.get_mut(from) else { continue };
                    let _ = if is_cut { service.refused.insert(to.clone()) } else { service.refused.remove(to) };
                }
            }
        }
        self.mark_changed(Change::Nodes);
        self.update_agreement(now);
    }

    /// Whether nodes follow different branches.
    pub(crate) const fn is_forked(&self) -> bool {
        self.was_forked
    }
}
