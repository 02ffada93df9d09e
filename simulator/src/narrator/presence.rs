//! Who takes part: in a network that was found, nodes come and go. Whoever is away is on no branch, and is not waited for.

use super::{Narrator, NodeState};
use crate::event::RunEvent;
use shared::block::Height;
use shared::wire::BlockId;
use shared::work::Work;

impl Narrator {
    /// One more node of this name, which gets the next number.
    pub fn join(&mut self, at_ms: u64, name: String, address: String) {
        let tip = BlockId { index: Height::GENESIS, hash: self.genesis };
        self.nodes.push(NodeState { tip, work: Work(0), found: 0, catching_up: None, is_present: true });
        self.names.push(name.clone());
        self.push(at_ms, RunEvent::Joined { node: name, address });
    }

    /// Whether a node takes part from now on.
    pub fn set_present(&mut self, node: usize, is_present: bool) {
        self.nodes[node].is_present = is_present;
    }

    /// Those who take part, by number.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &NodeState)> {
        self.nodes.iter().enumerate().filter(|(_, node_state)| node_state.is_present)
    }
}
