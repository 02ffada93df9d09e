//! The one truth that the headline says: whether the nodes agree, and if not, why.

use crate::network::{Agreement, NetworkState, Split, in_order, sides};
use crate::steering::{self, SplitEnd};
use shared::block::{BlockId, Height, Timestamp};

/// How long the result of a split stays in the headline.
const HEALED_MS: i64 = 60_000;
/// How long a new block is the headline.
const FOUND_MS: i64 = 3_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No node answers.
    Nobody,
    /// There is no block but the first.
    Empty { nodes: usize },
    /// One chain; some nodes may be behind.
    Agreed { tip: BlockId, at_tip: Vec<String>, behind: Vec<String>, phase: Phase, cut: Option<CutLinks> },
    /// Several branches, though all nodes reach each other.
    Forked { branches: Vec<Vec<String>>, since: Option<Height> },
    /// Sides that cannot reach each other. `until`: when the explorer heals its own split.
    Parted { sides: Vec<Vec<String>>, until: Option<SplitEnd> },
    /// They can, but some nodes are still on a branch that loses.
    Switching { sides: Vec<Vec<String>> },
    /// The result of a split.
    Healed { split: Split, tip: BlockId },
}

/// How long ago the newest block was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Found,
    Usual,
    /// Longer than twice the usual time.
    Long,
}

/// Links that are cut, though all nodes still reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CutLinks {
    pub(crate) cut: usize,
    pub(crate) all: usize,
    pub(crate) example: [String; 2],
}

impl Standing {
    /// `steered` is the split that the explorer itself makes: it counts from the moment of the order.
    pub(crate) fn of(state: &NetworkState, steered: Option<&steering::Split>, usual_ms: u64, now: Timestamp) -> Self {
        let groups = sides(state);
        if let Some(split) = steered {
            return Self::Parted { sides: in_order(state, split.halves.to_vec()), until: Some(split.until) };
        }
        if groups.len() > 1 {
            return Self::Parted { sides: groups, until: None };
        }
        let Some(tip) = state.tip().map(|tip| tip.id()) else { return Self::Nobody };
        let record = state.split.as_ref();
        if let Some(split) = record.filter(|split| split.outcome.is_none()) {
            return Self::Switching { sides: split.sides.iter().map(|side| side.nodes.clone()).collect() };
        }
        let agreement = Agreement::of(state);
        let [branch] = &*agreement.branches else {
            let nodes = agreement.branches.iter().map(|branch| [&*branch.at_tip, &*branch.behind].concat());
            return Self::Forked {
                branches: in_order(state, nodes.collect()),
                since: agreement.fork.map(|fork| fork.index),
            };
        };
        let is_recent = |split: &&Split| split.outcome.is_some_and(|(at, _)| now.ms_since(at) < HEALED_MS);
        if let Some(split) = record.filter(is_recent) {
            return Self::Healed { split: split.clone(), tip };
        }
        if tip.index == Height::GENESIS {
            return Self::Empty { nodes: branch.at_tip.len() + branch.behind.len() };
        }
        Self::Agreed {
            tip,
            at_tip: branch.at_tip.clone(),
            behind: branch.behind.clone(),
            phase: phase(state, &tip, usual_ms, now),
            cut: cut_links(state),
        }
    }

    /// Whether the headline is amber.
    #[cfg(test)]
    const fn is_parted(&self) -> bool {
        matches!(self, Self::Parted { .. } | Self::Switching { .. } | Self::Forked { .. })
    }
}

fn phase(state: &NetworkState, tip: &BlockId, usual_ms: u64, now: Timestamp) -> Phase {
    let age = state.blocks.get(&tip.hash).map_or(0, |block| now.ms_since(block.heard));
    let long = i64::try_from(usual_ms.saturating_mul(2)).unwrap_or(i64::MAX);
    match age {
        _ if age > long.max(FOUND_MS) => Phase::Long,
        ..FOUND_MS => Phase::Found,
        _ => Phase::Usual,
    }
}

fn cut_links(state: &NetworkState) -> Option<CutLinks> {
    let nodes = state.by_letter(state.answering().map(|(node, _)| node));
    let pairs =
        nodes.iter().enumerate().flat_map(|(place, one)| nodes[place + 1..].iter().map(move |other| [*one, *other]));
    let cut: Vec<_> = pairs.filter(|[one, other]| state.is_cut(one, other)).collect();
    let [one, other] = cut.first()?;
    let all = nodes.len() * (nodes.len() - 1) / 2;
    Some(CutLinks { cut: cut.len(), all, example: [(*one).clone(), (*other).clone()] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::samples::{cut, hash, put_node_at, summary};

    const NOW: Timestamp = Timestamp::from_ms(100_000);

    fn state(tips: &[(&str, u64, &str)]) -> NetworkState {
        let mut state = NetworkState::default();
        for (index, name, parent) in [(0, "0", ""), (1, "1", "0"), (2, "2", "1"), (2, "2'", "1")] {
            state.blocks.insert(hash(name), summary(index, name, parent));
        }
        tips.iter().for_each(|(node, index, name)| put_node_at(&mut state, node, *index, name));
        state
    }

    fn standing(state: &NetworkState) -> Standing {
        Standing::of(state, None, 3000, NOW)
    }

    #[test]
    fn an_order_to_split_is_a_split_before_any_node_obeys() {
        let state = state(&[("a", 2, "2"), ("b", 2, "2")]);
        assert!(!standing(&state).is_parted());
        let halves = [vec!["a".to_owned()], vec!["b".to_owned()]];
        let order = steering::Split { halves: halves.clone(), until: SplitEnd::At(NOW) };
        let expected = Standing::Parted { sides: halves.to_vec(), until: Some(SplitEnd::At(NOW)) };
        assert_eq!(Standing::of(&state, Some(&order), 3000, NOW), expected);
    }

    #[test]
    fn two_branches_are_a_fork_and_cut_sides_are_a_split_even_if_they_agree() {
        assert!(matches!(standing(&state(&[("a", 2, "2"), ("b", 2, "2'")])), Standing::Forked { .. }));
        let mut parted = state(&[("a", 2, "2"), ("b", 2, "2")]);
        cut(&mut parted, "a", "b");
        assert!(matches!(standing(&parted), Standing::Parted { until: None, .. }));
    }

    #[test]
    fn a_single_cut_link_is_told_though_all_agree() {
        let mut state = state(&[("a", 2, "2"), ("b", 2, "2"), ("c", 2, "2")]);
        cut(&mut state, "c", "a");
        let Standing::Agreed { cut: Some(cut), phase: Phase::Long, .. } = standing(&state) else { panic!("agreed") };
        assert_eq!((cut.cut, cut.all, cut.example), (1, 3, ["a".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn the_phase_is_how_long_ago_the_newest_block_was_found() {
        let state = state(&[("a", 2, "2")]);
        for (ms, expected) in [(2000, Phase::Found), (6000, Phase::Usual), (9001, Phase::Long)] {
            let standing = Standing::of(&state, None, 3000, Timestamp::from_ms(ms));
            assert!(matches!(standing, Standing::Agreed { phase, .. } if phase == expected), "{ms}");
        }
        assert!(matches!(standing(&NetworkState::default()), Standing::Nobody));
    }
}
