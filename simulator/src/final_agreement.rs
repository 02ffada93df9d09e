//! The end of a run: do all nodes have the same chain?
//!
//! Mining cannot be stopped from outside. So the simulator waits for a moment at which all tips are equal, or for a
//! height up to which all chains are equal.

use crate::network::{NetworkNode, RunningNetwork};
use crate::report::NodesOnBranch;
use futures_util::future::{join, join_all};
use shared::agreement::{Unknown, followed_branches, unanimous};
use shared::block::BlockId;
use shared::chain::Tip;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Time between two requests for all tips.
const POLL: Duration = Duration::from_millis(50);
/// For how long all tips must be equal. After that it is enough that all chains are equal up to the lowest tip.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many blocks a node may lag behind the highest tip.
const MAX_LAG: u64 = 3;

/// Whether the nodes agree.
#[derive(Debug, Clone, PartialEq)]
pub enum FinalAgreement {
    /// All nodes have this block, and so all blocks below it.
    On(BlockId),
    /// The nodes that responded last, by branch.
    Split(Vec<NodesOnBranch>),
}

/// Asks the nodes to sync, and waits until they agree or `deadline` has passed.
pub async fn reach(network: &RunningNetwork, deadline: Duration) -> FinalAgreement {
    let nodes = network.nodes.all();
    let steered = nodes.iter().filter_map(|node| Some((&node.address, node.token.as_ref()?)));
    let syncs = steered.map(|(address, token)| network.client.sync_now(address, token));
    // A node that cannot sync is noticed by its tip.
    let syncs = timeout(deadline, join_all(syncs));
    join(syncs, poll_until_agreed(network, deadline)).await.1
}

async fn poll_until_agreed(network: &RunningNetwork, deadline: Duration) -> FinalAgreement {
    let begun = Instant::now();
    loop {
        let nodes = network.nodes.present();
        let tips = tips(network, &nodes).await;
        let all: Option<Vec<BlockId>> = tips.iter().copied().collect();
        if let Some(tip) = all.clone().and_then(unanimous) {
            return FinalAgreement::On(tip);
        }
        if begun.elapsed() >= PATIENCE
            && let Some(all) = &all
            && let Some(block) = common_block(network, &nodes, all).await
        {
            return FinalAgreement::On(block);
        }
        if begun.elapsed() >= deadline {
            return FinalAgreement::Split(branches(&nodes, &tips));
        }
        sleep(POLL).await;
    }
}

async fn tips(network: &RunningNetwork, nodes: &[NetworkNode]) -> Vec<Option<BlockId>> {
    let infos = nodes.iter().map(|node| network.client.info(&node.address));
    join_all(infos).await.into_iter().map(|info| info.ok().and_then(|info| info.tip).as_ref().map(Tip::id)).collect()
}

/// The block at the height of the lowest tip, if all nodes have it and none lags too far behind.
async fn common_block(network: &RunningNetwork, nodes: &[NetworkNode], tips: &[BlockId]) -> Option<BlockId> {
    let (lowest, highest) = (tips.iter().map(|tip| tip.index).min()?, tips.iter().map(|tip| tip.index).max()?);
    if highest.above(lowest) > MAX_LAG {
        return None;
    }
    let blocks = nodes.iter().map(|node| network.client.block(&node.address, lowest.0, network.max_block_bytes));
    let blocks = join_all(blocks).await.into_iter();
    let ids: Option<Vec<_>> =
        blocks.map(|block| block.ok().map(|block| BlockId { index: lowest, hash: block.hash() })).collect();
    unanimous(ids?)
}

/// The nodes that responded, by tip: their blocks are not fetched, so each tip counts as a branch.
fn branches(nodes: &[NetworkNode], tips: &[Option<BlockId>]) -> Vec<NodesOnBranch> {
    let tips = nodes.iter().zip(tips).filter_map(|(node, tip)| Some((node.name.clone(), (*tip)?)));
    let branches = followed_branches(tips, |_| None, Unknown::OtherBranch).into_iter();
    branches.map(|branch| NodesOnBranch { nodes: branch.at_tip, tip: branch.tip }).collect()
}
