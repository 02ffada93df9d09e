//! Who takes part: in a network that was found, nodes come and go. Whoever is away is on no branch, and is not waited for.

use super::{Narrator, View};
use crate::tale::Tale;
use shared::block::{BlockId, Height};
use shared::work::Work;

impl Narrator {
    /// One more node of this name, which gets the next number.
    pub fn join(&mut self, at_ms: u64, name: String, address: String) {
        let tip = BlockId { index: Height::GENESIS, hash: self.genesis };
        self.views.push(View { tip, work: Work(0), found: 0, catching_up: None, is_there: true });
        self.names.push(name.clone());
        self.tell(at_ms, Tale::Joined { node: name, address });
    }

    /// Whether a node takes part from now on.
    pub fn set_there(&mut self, node: usize, is_there: bool) {
        self.views[node].is_there = is_there;
    }

    /// Those who take part, by number.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &View)> {
        self.views.iter().enumerate().filter(|(_, view)| view.is_there)
    }
}
