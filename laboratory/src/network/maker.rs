//! Graph makers: how nodes come to be linked.

use super::Graph;
use serde::{Deserialize, Serialize};
use shared::random::Random;
use std::collections::HashSet;

/// The makers by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraphName {
    /// Each node opens links to others at random, as many as the preset's table of degrees says.
    #[default]
    Degrees,
    /// Each node has `degree` links to others at random.
    Regular,
    /// Each node is linked with the next one, and the last with the first.
    Ring,
    /// Each node is linked with every other.
    Full,
    /// The links are listed.
    List,
}

impl GraphName {
    /// Every maker, with its name and what it makes.
    pub const ALL: [(Self, &str, &str); 5] = [
        (Self::Degrees, "degrees", "random links, as many for each node as the preset's table says"),
        (Self::Regular, "regular", "random links, `degree` for every node"),
        (Self::Ring, "ring", "each node with the next one"),
        (Self::Full, "full", "each node with every other"),
        (Self::List, "list", "the links that `links` lists"),
    ];
}

/// A maker with everything filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maker {
    /// See [`GraphName::Degrees`].
    Degrees,
    /// See [`GraphName::Regular`]: how many links a node has.
    Regular(usize),
    /// See [`GraphName::Ring`].
    Ring,
    /// See [`GraphName::Full`].
    Full,
    /// See [`GraphName::List`]: pairs of nodes.
    List(Vec<(u32, u32)>),
}

impl Maker {
    /// Makes a graph of `nodes` nodes. `degrees` has the links that each node opens under [`Maker::Degrees`].
    pub fn make(&self, nodes: usize, degrees: &[usize], random: &mut Random) -> Graph {
        let mut links: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        let pairs = match self {
            Self::Degrees => return Graph::random(degrees, random),
            Self::Regular(degree) if *degree + 1 >= nodes => return Self::Full.make(nodes, degrees, random),
            Self::Regular(degree) => regular(nodes, *degree, random),
            Self::Ring if nodes < 3 => (1..nodes as u32).map(|node| (node - 1, node)).collect(),
            Self::Ring => (0..nodes as u32).map(|node| (node, (node + 1) % nodes as u32)).collect(),
            Self::Full => (0..nodes as u32).flat_map(|node| (0..node).map(move |other| (other, node))).collect(),
            Self::List(pairs) => pairs.clone(),
        };
        for (one, other) in pairs {
            if let [Some(_), Some(_)] = [links.get(one as usize), links.get(other as usize)]
                && one != other
                && !links[one as usize].contains(&other)
            {
                links[one as usize].push(other);
                links[other as usize].push(one);
            }
        }
        Graph::from_links(&links)
    }
}

/// Random pairs such that each node is in `degree` of them, or one fewer for a node if the numbers are odd: stubs of
/// links are joined at random, and joints that are none (a node with itself, or twice the same) are exchanged with
/// others.
fn regular(nodes: usize, degree: usize, random: &mut Random) -> Vec<(u32, u32)> {
    let mut stubs: Vec<u32> = (0..nodes as u32).flat_map(|node| std::iter::repeat_n(node, degree)).collect();
    random.shuffle(&mut stubs);
    let mut pairs: Vec<(u32, u32)> = stubs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let key = |(one, other): (u32, u32)| (one.min(other), one.max(other));
    let mut used = HashSet::new();
    let mut wrong: Vec<usize> = Vec::new();
    for (place, &pair) in pairs.iter().enumerate() {
        if pair.0 == pair.1 || !used.insert(key(pair)) {
            wrong.push(place);
        }
    }
    // With next to no room for exchanges, a few links are left out.
    let mut tries = wrong.len() * 200;
    while let Some(&place) = wrong.last() {
        if tries == 0 {
            break;
        }
        tries -= 1;
        let partner = random.index(pairs.len());
        if wrong.contains(&partner) {
            continue;
        }
        let ((a, b), (c, d)) = (pairs[place], pairs[partner]);
        let (first, second) = ((a, c), (b, d));
        let fits = |pair: (u32, u32)| pair.0 != pair.1 && !used.contains(&key(pair));
        if fits(first) && fits(second) && key(first) != key(second) {
            used.remove(&key((c, d)));
            used.insert(key(first));
            used.insert(key(second));
            (pairs[place], pairs[partner]) = (first, second);
            wrong.pop();
        }
    }
    let wrong: HashSet<usize> = wrong.into_iter().collect();
    pairs.iter().enumerate().filter(|(place, _)| !wrong.contains(place)).map(|(_, pair)| *pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(graph: &Graph, nodes: u32) -> Vec<usize> {
        (0..nodes).map(|node| graph.neighbours(node).len()).collect()
    }

    #[test]
    fn every_maker_links_as_it_says() {
        let random = &mut Random::new(5);
        let make = |maker: Maker, nodes, random: &mut Random| maker.make(nodes, &[], random);
        assert_eq!(degrees(&make(Maker::Ring, 7, random), 7), [2; 7]);
        assert_eq!(degrees(&make(Maker::Ring, 2, random), 2), [1; 2]);
        assert_eq!(degrees(&make(Maker::Full, 6, random), 6), [5; 6]);
        for (nodes, degree) in [(10, 3), (200, 4), (50, 8), (1000, 2), (6, 5)] {
            let graph = make(Maker::Regular(degree), nodes, random);
            let even = nodes * degree - graph.links().len();
            assert!(even <= 2, "{nodes} {degree}: {even} ends are missing");
            for node in 0..nodes as u32 {
                let neighbours = graph.neighbours(node);
                let distinct: HashSet<_> = neighbours.iter().collect();
                assert!(distinct.len() == neighbours.len() && !neighbours.contains(&node));
            }
        }
        let list = make(Maker::List(vec![(0, 1), (1, 0), (1, 2), (2, 2)]), 3, random);
        assert_eq!(degrees(&list, 3), [1, 2, 1]);
        assert!(list.reaches_all());
    }
}
