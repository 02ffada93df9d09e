//! Links between nodes that somebody else cut or opened again, for example with the explorer's button. Each node
//! reports its own end of each link; people want one line.

use crate::event::RunEvent;
use std::collections::BTreeSet;

/// How long changes are collected for one line.
const GATHER_MS: u64 = 400;
/// Most links that are remembered: as many as between two halves of 64 nodes.
const MAX_LINKS: usize = 1024;

/// Two nodes by number, the smaller one first.
type Link = (usize, usize);

#[derive(Debug, Default)]
pub(super) struct ForeignCuts {
    /// The links that are cut.
    cut: BTreeSet<Link>,
    /// What the next line is about, and since when it is collected.
    gathered: Option<(u64, Change)>,
}

#[derive(Debug)]
struct Change {
    is_cut: bool,
    links: BTreeSet<Link>,
}

impl ForeignCuts {
    /// Takes a node's report that one of its links was cut or opened. Reports of links that were not cut from outside
    /// are no news, nor are those of the other end.
    pub(super) fn observe(&mut self, at_ms: u64, one: usize, other: usize, is_cut: bool) {
        let link = (one.min(other), one.max(other));
        let is_news = if is_cut { self.cut.len() < MAX_LINKS && self.cut.insert(link) } else { self.cut.remove(&link) };
        if !is_news {
            return;
        }
        let (_, change) = self.gathered.get_or_insert((at_ms, Change { is_cut, links: BTreeSet::new() }));
        if change.is_cut == is_cut {
            change.links.insert(link);
        } else {
            // It was cut and opened at once: what is left to tell is the last word.
            change.links.remove(&link);
        }
    }

    /// The line that is due by now; `name` names a node.
    pub(super) fn due(&mut self, at_ms: u64, name: impl Fn(usize) -> String) -> Option<RunEvent> {
        let (_, change) = self.gathered.take_if(|(since_ms, _)| at_ms >= *since_ms + GATHER_MS)?;
        let [first, second] = change.sides()?;
        let names = |side: BTreeSet<usize>| side.into_iter().map(&name).collect();
        let sides = [names(first), names(second)];
        Some(if change.is_cut { RunEvent::CutFromOutside { sides } } else { RunEvent::OpenedFromOutside { sides } })
    }
}

impl Change {
    /// The ends of the links: the two halves of a split, or else the nodes of lower and of higher number.
    fn sides(&self) -> Option<[BTreeSet<usize>; 2]> {
        let (first, _) = self.links.first()?;
        let linked_with = |node: usize| -> BTreeSet<usize> {
            let ends = self.links.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
            ends.filter(|(end, _)| *end == node).map(|(_, other)| other).collect()
        };
        let second = linked_with(*first);
        let own = linked_with(*second.first()?);
        let are_halves = own.is_disjoint(&second) && self.links.len() == own.len() * second.len();
        if are_halves {
            return Some([own, second]);
        }
        let (lower, higher) = self.links.iter().copied().unzip();
        Some([lower, higher])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(node: usize) -> String {
        ["A", "B", "C", "D"][node].to_owned()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_split_is_one_line_and_its_healing_another() {
        let mut cuts = ForeignCuts::default();
        let ends = [(0, 2), (0, 3), (1, 2), (1, 3), (2, 0), (2, 1), (3, 0), (3, 1)];
        for (one, other) in ends {
            cuts.observe(1000, one, other, true);
        }
        assert_eq!(cuts.due(1100, name), None);
        let sides = [names(&["A", "B"]), names(&["C", "D"])];
        assert_eq!(cuts.due(1400, name), Some(RunEvent::CutFromOutside { sides: sides.clone() }));
        for (one, other) in ends {
            cuts.observe(9000, one, other, false);
        }
        assert_eq!(cuts.due(9400, name), Some(RunEvent::OpenedFromOutside { sides }));
        assert_eq!(cuts.due(99_000, name), None);
    }

    #[test]
    fn links_that_nobody_cut_from_outside_are_no_news() {
        let mut cuts = ForeignCuts::default();
        cuts.observe(0, 0, 1, false);
        assert_eq!(cuts.due(5000, name), None);
        cuts.observe(6000, 1, 0, true);
        cuts.observe(6000, 0, 1, true);
        let one = |sides: [&[&str]; 2]| Some(RunEvent::CutFromOutside { sides: sides.map(names) });
        assert_eq!(cuts.due(7000, name), one([&["A"], &["B"]]));
    }
}
