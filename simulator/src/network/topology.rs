//! Who is whose peer: in a small network every node of every other. In a larger one that would take open files and work
//! that grow with the square of the number of nodes, so each node has a bounded number of peers.

/// Most peers of a node, as far as the simulator chooses them: up to one node more than this, all are peers.
const MOST_PEERS: usize = 16;
/// Fewest peers of a node where more nodes than these run; with fewer, halves of a network might fall apart.
const LEAST_PEERS: usize = 6;

/// Returns the number of peers that each of `nodes` nodes may have if `allowed` files can be open, or `None` if that is
/// too few for them.
pub(crate) fn max_peers(nodes: usize, allowed: u64) -> Option<usize> {
    let most = nodes.saturating_sub(1).min(MOST_PEERS);
    (most.min(LEAST_PEERS)..=most).rev().find(|peers| open_files(nodes, *peers) <= allowed)
}

/// Open files that a run of `nodes` nodes needs at least.
pub(crate) fn least_open_files(nodes: usize) -> u64 {
    open_files(nodes, nodes.saturating_sub(1).min(LEAST_PEERS))
}

/// Open files of a run: each node has a few of its own, and up to two connections to each of its peers, of which both
/// ends are in this process. Measured: at most 103 for 4 nodes with 3 peers each, 1357 for 24 nodes with 16, but more
/// than 1024 for 24 nodes with 8 on a machine with too much to do.
const fn open_files(nodes: usize, peers: usize) -> u64 {
    100 + 12 * nodes as u64 + 4 * nodes as u64 * peers as u64
}

/// The numbers of the first peers of node `own`: all others if `max_peers` allows it. Otherwise half of
/// `max_peers`, at distances that double: so no node is far from any other, and places are left for peers that it
/// hears of.
pub(crate) fn first_peers(own: usize, nodes: usize, max_peers: usize) -> Vec<usize> {
    if max_peers + 1 >= nodes {
        return (0..nodes).filter(|other| *other != own).collect();
    }
    let distances = (0..usize::BITS).map(|power| 1 << power).take_while(|distance| *distance < nodes);
    distances.take(max_peers.div_ceil(2)).map(|distance| (own + distance) % nodes).collect()
}

/// The numbers of `count` nodes, spread evenly: the first peers of a service that is no node.
pub(crate) fn spread(nodes: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.clamp(1, nodes.max(1));
    (0..count).map(move |number| number * nodes / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn small_networks_are_complete_and_large_ones_are_bounded() {
        for (nodes, allowed, peers) in [
            (1, 1024, Some(0)),
            (4, 1024, Some(3)),
            (17, 4096, Some(16)),
            (24, 65_536, Some(16)),
            (24, 1024, Some(6)),
            (100, 65_536, Some(16)),
            (100, 4096, Some(6)),
            (100, 3700, Some(6)),
            (100, 3699, None),
        ] {
            assert_eq!(max_peers(nodes, allowed), peers, "{nodes} nodes, {allowed} files");
        }
    }

    /// Nodes that `of` can reach, going to first peers.
    fn reached(of: usize, nodes: usize, max_peers: usize) -> usize {
        let (mut reached, mut to_do) = (BTreeSet::from([of]), vec![of]);
        while let Some(node) = to_do.pop() {
            to_do.extend(first_peers(node, nodes, max_peers).into_iter().filter(|peer| reached.insert(*peer)));
        }
        reached.len()
    }

    #[test]
    fn every_node_reaches_every_other_through_few_peers() {
        for (nodes, max_peers) in [(2, 1), (5, 4), (18, 16), (24, 6), (100, 6), (100, 16)] {
            for own in 0..nodes {
                let peers = first_peers(own, nodes, max_peers);
                assert!(peers.len() <= max_peers && !peers.contains(&own), "{own} of {nodes}: {peers:?}");
                assert_eq!(reached(own, nodes, max_peers), nodes, "from {own}");
            }
        }
        assert_eq!(spread(100, 4).collect::<Vec<_>>(), [0, 25, 50, 75]);
        assert_eq!(spread(3, 16).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
