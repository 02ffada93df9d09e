//! Graphs of links: each node opens some, and messages go both ways.

use shared::random::Random;

/// Who is linked with whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// By node: where its neighbours begin; one entry more than nodes.
    starts: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Graph {
    /// A graph in which node `n` opens `degrees[n]` links to others at random, never two between the same nodes; fewer
    /// where there are not enough others.
    pub fn random(degrees: &[usize], random: &mut Random) -> Self {
        let nodes = degrees.len();
        let mut links: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        for (node, &degree) in degrees.iter().enumerate() {
            let mut opened = 0;
            // With many nodes the first tries succeed; with few, all others are tried in turn.
            let mut candidates = (0..degree * 4).map(|_| random.index(nodes)).collect::<Vec<_>>();
            let offset = random.index(nodes);
            candidates.extend((0..nodes).map(|step| (offset + step) % nodes));
            for other in candidates {
                if opened == degree {
                    break;
                }
                if other != node && !links[node].contains(&(other as u32)) {
                    links[node].push(other as u32);
                    links[other].push(node as u32);
                    opened += 1;
                }
            }
        }
        Self::from_links(&links)
    }

    /// The graph of these neighbours, by node; each link must be there from both ends.
    pub(super) fn from_links(links: &[Vec<u32>]) -> Self {
        let mut starts = vec![0];
        let mut neighbours = Vec::new();
        for links in links {
            neighbours.extend(links);
            starts.push(neighbours.len() as u32);
        }
        Self { starts, neighbours }
    }

    /// The neighbours of a node.
    #[inline]
    pub fn neighbours(&self, node: u32) -> &[u32] {
        let (start, end) = (self.starts[node as usize], self.starts[node as usize + 1]);
        &self.neighbours[start as usize..end as usize]
    }

    /// Every link, from both of its ends, in order.
    pub fn links(&self) -> &[u32] {
        &self.neighbours
    }

    /// Whether every node can be reached from the first one.
    pub fn reaches_all(&self) -> bool {
        self.first_of_islands().len() <= 1
    }

    /// Links the first node with one node of every part that cannot be reached from it.
    pub fn joined(self) -> Self {
        let nodes = self.starts.len() as u32 - 1;
        let mut links: Vec<Vec<u32>> = (0..nodes).map(|node| self.neighbours(node).to_vec()).collect();
        for island in self.first_of_islands().into_iter().skip(1) {
            links[0].push(island);
            links[island as usize].push(0);
        }
        Self::from_links(&links)
    }

    /// The first node of each part that hangs together.
    fn first_of_islands(&self) -> Vec<u32> {
        let nodes = self.starts.len() as u32 - 1;
        let mut seen = vec![false; nodes as usize];
        let mut firsts = Vec::new();
        for first in 0..nodes {
            if seen[first as usize] {
                continue;
            }
            firsts.push(first);
            let mut open = vec![first];
            while let Some(node) = open.pop() {
                if !std::mem::replace(&mut seen[node as usize], true) {
                    open.extend(self.neighbours(node));
                }
            }
        }
        firsts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_both_ways_and_nobody_is_linked_twice_or_with_itself() {
        for (nodes, degree) in [(2, 5), (5, 3), (300, 9)] {
            let graph = Graph::random(&vec![degree; nodes], &mut Random::new(3));
            assert!(graph.reaches_all());
            for node in 0..nodes as u32 {
                let neighbours = graph.neighbours(node);
                assert!(neighbours.len() >= degree.min(nodes - 1));
                for (place, &other) in neighbours.iter().enumerate() {
                    assert!(other != node && !neighbours[..place].contains(&other));
                    assert!(graph.neighbours(other).contains(&node));
                }
            }
        }
    }

    #[test]
    fn two_islands_are_noticed() {
        let graph = Graph::from_links(&[vec![1], vec![0], vec![3], vec![2]]);
        assert!(!graph.reaches_all());
        let joined = graph.joined();
        assert!(joined.reaches_all());
        assert_eq!(joined.links().len(), 6, "with one link more");
    }
}
