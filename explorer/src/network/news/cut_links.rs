//! Links between nodes that were cut, or allowed again, at about the same time. A network that is split in two loses
//! many links, and each node reports its own; people want one sentence.

use crate::network::words::Words;
use shared::block::Timestamp;
use shared::wire::PeerChange;
use std::collections::BTreeSet;

/// Changes within this time belong together, so a report of the same change from the other side is no news.
const TOGETHER_MS: i64 = 10_000;
/// Most links that are remembered: as many as between two halves of 64 nodes.
const MAX_LINKS: usize = 1024;
/// Most nodes of one side that are named.
const NAMED: usize = 4;

#[derive(Debug, Clone)]
pub(super) struct LinkChanges {
    change: PeerChange,
    since: Timestamp,
    /// The two ends of each link, the smaller name first.
    pairs: BTreeSet<[String; 2]>,
}

impl LinkChanges {
    pub(super) const fn new(change: PeerChange, since: Timestamp) -> Self {
        Self { change, since, pairs: BTreeSet::new() }
    }

    /// Whether a change at `now` belongs to these.
    pub(super) fn continues(&self, change: PeerChange, now: Timestamp) -> bool {
        self.change == change && now.ms_since(self.since) < TOGETHER_MS
    }

    /// Adds a link; returns whether it is new.
    pub(super) fn add(&mut self, one: &str, other: &str) -> bool {
        let (small, large) = if one < other { (one, other) } else { (other, one) };
        self.pairs.len() < MAX_LINKS && self.pairs.insert([small.to_owned(), large.to_owned()])
    }

    pub(super) fn sentence(&self) -> Words {
        let is_cut = self.change == PeerChange::Blocked;
        let listed = |words: Words, nodes: BTreeSet<&str>| words.nodes(nodes.into_iter(), NAMED);
        match self.sides() {
            Some([left, right]) if is_cut => listed(listed(Words::new(), left).text(" can no longer talk to "), right),
            Some([left, right]) => {
                let were = if left.len() == 1 { " is reconnected to " } else { " are reconnected to " };
                listed(listed(Words::new(), left).text(were), right)
            }
            None if is_cut => Words::new().text(format!("{} links between nodes were cut", self.pairs.len())),
            None => Words::new().text(format!("{} links between nodes are open again", self.pairs.len())),
        }
    }

    /// The two sides, if the links are all those between two sides.
    fn sides(&self) -> Option<[BTreeSet<&str>; 2]> {
        let right = self.linked_with(&self.pairs.first()?[0]);
        let left = self.linked_with(right.first()?);
        let is_between = |[one, other]: &[String; 2]| {
            let has = |side: &BTreeSet<&str>, name: &String| side.contains(name.as_str());
            (has(&left, one) && has(&right, other)) || (has(&right, one) && has(&left, other))
        };
        let are_all = self.pairs.len() == left.len() * right.len() && self.pairs.iter().all(is_between);
        are_all.then_some([left, right])
    }

    fn linked_with(&self, name: &str) -> BTreeSet<&str> {
        let ends = self.pairs.iter().flat_map(|[one, other]| [(one, other), (other, one)]);
        ends.filter(|(end, _)| *end == name).map(|(_, other)| other.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(change: PeerChange, pairs: &[(&str, &str)]) -> String {
        let mut links = LinkChanges::new(change, Timestamp::from_ms(0));
        for (one, other) in pairs {
            assert!(links.add(one, other) && !links.add(other, one));
        }
        links.sentence().to_string()
    }

    #[test]
    fn two_halves_are_named_and_anything_else_is_counted() {
        let cut = |pairs: &[(&str, &str)]| sentence(PeerChange::Blocked, pairs);
        assert_eq!(cut(&[("b", "a")]), "a can no longer talk to b");
        assert_eq!(cut(&[("a", "b"), ("a", "c")]), "a can no longer talk to b, c");
        let halves = [("a", "c"), ("d", "a"), ("c", "b"), ("b", "d")];
        assert_eq!(cut(&halves), "a, b can no longer talk to c, d");
        assert_eq!(sentence(PeerChange::Unblocked, &halves), "a, b are reconnected to c, d");
        assert_eq!(cut(&halves[..3]), "3 links between nodes were cut");
        assert_eq!(cut(&[("a", "b"), ("b", "c"), ("c", "a")]), "3 links between nodes were cut");
        assert_eq!(cut(&[("a", "b"), ("c", "d")]), "2 links between nodes were cut");
        let many: Vec<String> = (0..9).map(|number| format!("n{number}")).collect();
        let of_one: Vec<_> = many.iter().map(|name| ("a", name.as_str())).collect();
        assert_eq!(cut(&of_one), "a can no longer talk to n0, n1, n2, n3 and 5 more");
    }

    #[test]
    fn links_are_bounded_and_late_changes_do_not_belong() {
        let at = Timestamp::from_ms;
        let mut links = LinkChanges::new(PeerChange::Blocked, at(0));
        let added = (0..2 * MAX_LINKS).filter(|number| links.add("a", &number.to_string())).count();
        assert_eq!((added, links.pairs.len()), (MAX_LINKS, MAX_LINKS));
        assert!(links.continues(PeerChange::Blocked, at(9_999)));
        assert!(!links.continues(PeerChange::Unblocked, at(0)) && !links.continues(PeerChange::Blocked, at(10_000)));
    }
}
