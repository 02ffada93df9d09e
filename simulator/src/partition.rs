//! Cuts the network into two halves and heals it: which node is in which half, and the requests that do it.
//!
//! Each request is a `POST /peers` to a node, which anyone with the node's token could send.

use crate::network::{MempoolAndWallets, NetworkNode, RunningNetwork};
use futures_util::future::join_all;
use shared::random::Random;
use shared::wire::{PeersUpdate, Role};
use std::collections::BTreeSet;

/// Divides the nodes (by number) into two halves at random; with an odd number the first half is smaller.
pub fn halves(nodes: usize, random: &mut Random) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..nodes).collect();
    random.shuffle(&mut order);
    let mut second = order.split_off(nodes / 2);
    order.sort_unstable();
    second.sort_unstable();
    [order, second]
}

/// Which node is on which side of a cut.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The nodes of this run, by number.
    pub halves: [Vec<usize>; 2],
    /// `host:port` of nodes that the simulator did not start. It has no tokens for them, so they all belong to the
    /// second side, and the nodes of the first side refuse them: on both sides, one of them would carry blocks across.
    pub foreign: BTreeSet<String>,
    /// The side that still fetches payments from the mempool.
    pub mempool: usize,
}

/// The other nodes of the network: those that the tracker lists or that one of our nodes knows as a peer.
pub async fn foreign_nodes(network: &RunningNetwork) -> BTreeSet<String> {
    let RunningNetwork { client, nodes, tracker, .. } = network;
    let nodes = nodes.all();
    let members = client.members(tracker).await.unwrap_or_default();
    let listed = members.into_iter().filter(|member| member.role == Role::Node && member.network_id == network.id);
    let peers = join_all(nodes.iter().map(|node| client.node_peers(&node.address))).await;
    let known = peers.into_iter().flatten().flatten().map(|peer| peer.address);
    let mempool = network.money.as_ref().map(MempoolAndWallets::mempool);
    let is_ours = |address: &String| mempool.as_ref() == Some(address) || nodes.iter().any(|n| n.address == *address);
    listed.map(|member| member.address).chain(known).filter(|address| !is_ours(address)).collect()
}

/// Makes the sides refuse each other. If there is a mempool, only one side goes on fetching payments from it.
///
/// The mempool itself keeps reading the chains of both sides, because a reader does not name itself and nodes cannot
/// refuse it. So it follows the side with more work.
///
/// # Errors
/// The first request that failed; those to the other nodes were sent, too.
pub async fn cut(network: &RunningNetwork, sides: &Sides) -> Result<(), String> {
    update_peers(network, sides, |block| PeersUpdate { block, ..PeersUpdate::default() }).await
}

/// Lets the sides talk again, and asks every node to look for better chains at once.
///
/// # Errors
/// The first request that failed; those to the other nodes were sent, too.
pub async fn heal(network: &RunningNetwork, sides: &Sides) -> Result<(), String> {
    let healed = update_peers(network, sides, |unblock| PeersUpdate { unblock, ..PeersUpdate::default() }).await;
    // A node that asked while the other side still refused it would wait for its next poll.
    for NetworkNode { address, token, .. } in network.nodes.all() {
        let (Some(token), client) = (token, network.client.clone()) else { continue };
        // The reply comes only when every block is fetched. Its result is not needed: the node's tip shows it.
        tokio::spawn(async move { client.sync_now(&address, &token).await.is_ok() });
    }
    healed
}

async fn update_peers(
    network: &RunningNetwork,
    sides: &Sides,
    update: impl Fn(Vec<String>) -> PeersUpdate,
) -> Result<(), String> {
    let Sides { halves, foreign, mempool } = sides;
    let nodes = network.nodes.all();
    let addresses = |half: usize| -> Vec<String> {
        let own = halves[half].iter().map(|node| nodes[*node].address.clone());
        let mempool = network.money.iter().filter(|_| half == *mempool).map(MempoolAndWallets::mempool);
        own.chain(mempool).chain(foreign.iter().filter(|_| half == 1).cloned()).collect()
    };
    let orders = [(&halves[0], addresses(1)), (&halves[1], addresses(0))];
    let orders = orders.iter().flat_map(|(half, others)| half.iter().zip(std::iter::repeat(others)));
    let requests = orders.map(|(node, others)| {
        let (NetworkNode { name, address, token, .. }, update) = (&nodes[*node], update(others.clone()));
        async move {
            let Some(token) = token else { return Err(format!("{name}: its token is not known")) };
            let result = network.client.update_peers(address, token, &update).await;
            result.map_err(|error| format!("{name}: {error}"))
        }
    });
    join_all(requests).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_in_one_half_and_the_seed_decides_which() {
        for nodes in 2..9 {
            let [first, second] = halves(nodes, &mut Random::new(7));
            assert_eq!((first.len(), second.len()), (nodes / 2, nodes - nodes / 2));
            let mut all = [first, second].concat();
            all.sort_unstable();
            assert_eq!(all, (0..nodes).collect::<Vec<_>>());
        }
        assert_eq!(halves(8, &mut Random::new(7)), halves(8, &mut Random::new(7)));
        assert!((0..20).any(|seed| halves(8, &mut Random::new(seed)) != halves(8, &mut Random::new(7))));
    }
}
