//! Events about cut links as lines for people.

use super::LineFormatter;
use crate::event::{Partitioned, RunEvent};
use crate::numbers::plural;

impl LineFormatter {
    /// The line of an event about cut links; empty for other events.
    pub(super) fn cuts(&self, event: &RunEvent) -> String {
        match event {
            RunEvent::Partitioned(partitioned) => self.partitioned(partitioned),
            RunEvent::CutOff { nodes, from } => {
                format!("{} {} joined and cannot reach {}", self.strong("cut:"), self.list(nodes), self.list(from))
            }
            RunEvent::CutFromOutside { sides: [first, second] } => {
                let cut = self.strong("cut (from the browser or by hand):");
                format!("{cut} {} cannot reach {}", self.list(first), self.list(second))
            }
            RunEvent::OpenedFromOutside { sides: [first, second] } => {
                format!("{} {} can reach {} again", self.strong("healed:"), self.list(first), self.list(second))
            }
            RunEvent::Healed { halves, found } => self.healed(halves, *found),
            _ => String::new(),
        }
    }

    fn partitioned(&self, Partitioned { halves, for_ms, mempool }: &Partitioned) -> String {
        let [first, second] = halves;
        let half = mempool.and_then(|half| halves.get(half));
        let mempool = half.map_or(String::new(), |half| format!("; only {} get new payments", self.list(half)));
        let seconds = *for_ms as f64 / 1000.0;
        let (cut, first, second) = (self.strong("cut:"), self.list(first), self.list(second));
        format!("{cut} {first} cannot reach {second} for {seconds:.1} s{mempool}")
    }

    fn healed(&self, halves: &[Vec<String>; 2], found: [u64; 2]) -> String {
        let outcome = match found {
            [0, 0] => "no fork, since neither half found a block",
            [0, _] | [_, 0] => "no fork, since one half found none and only has to catch up",
            _ => "all nodes will follow the branch with more work",
        };
        let [first, second] = [0, 1].map(|half| {
            let blocks = plural(found[half], "block");
            format!("{} found {blocks}", self.list(&halves[half]))
        });
        format!("{} {first} in the meantime, {second}; {outcome}", self.strong("healed:"))
    }
}
