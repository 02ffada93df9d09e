//! The end of a run: do all nodes have the same chain? Mining goes on meanwhile, as there is no way to stop it from
//! outside, so a moment is looked for in which all tips are equal, or a height up to which all chains are.

use crate::event::NodesOnBranch;
use crate::network::{NetworkNode, RunningNetwork};
use futures_util::future::{join, join_all};
use shared::wire::{BlockId, Tip};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How often tips are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long equal tips are waited for before equal chains up to the lowest tip will do.
const PATIENCE: Duration = Duration::from_millis(500);
/// How far a node may lag behind and still agree.
const MAX_LAG: u64 = 3;

/// Whether the nodes agree.
#[derive(Debug, Clone, PartialEq)]
pub enum FinalAgreement {
    /// All have this block, and everything below it.
    On(BlockId),
    /// They were on these branches when they were asked last.
    Split(Vec<NodesOnBranch>),
}

/// Asks all nodes to sync that can be asked to, and looks at them until they agree or `deadline` has passed.
pub async fn reach(network: &RunningNetwork, deadline: Duration) -> FinalAgreement {
    let steered = network.nodes.iter().filter_map(|node| Some((&node.contact.address, node.token.as_ref()?)));
    let syncs = steered.map(|(address, token)| network.client.sync_now(address, token));
    // Whoever cannot sync shows by its tip.
    let syncs = timeout(deadline, join_all(syncs));
    join(syncs, poll_until_agreed(network, deadline)).await.1
}

async fn poll_until_agreed(network: &RunningNetwork, deadline: Duration) -> FinalAgreement {
    let begun = Instant::now();
    loop {
        let tips = tips(network).await;
        let all: Option<Vec<BlockId>> = tips.iter().copied().collect();
        if let Some(first) = all.as_ref().and_then(|all| all.first())
            && all.iter().flatten().all(|tip| tip == first)
        {
            return FinalAgreement::On(*first);
        }
        if begun.elapsed() >= PATIENCE
            && let Some(all) = &all
            && let Some(block) = common_block(network, all).await
        {
            return FinalAgreement::On(block);
        }
        if begun.elapsed() >= deadline {
            return FinalAgreement::Split(branches(network, &tips));
        }
        sleep(LOOK).await;
    }
}

async fn tips(network: &RunningNetwork) -> Vec<Option<BlockId>> {
    let infos = network.present().map(|node| network.client.info(&node.contact.address));
    let tip = |Tip { index, hash, .. }| BlockId { index, hash };
    join_all(infos).await.into_iter().map(|info| info.ok().and_then(|info| info.tip).map(tip)).collect()
}

/// The block at the height of the lowest tip, if all have the same there and nobody lags far behind.
async fn common_block(network: &RunningNetwork, tips: &[BlockId]) -> Option<BlockId> {
    let (lowest, highest) = (tips.iter().map(|tip| tip.index).min()?, tips.iter().map(|tip| tip.index).max()?);
    if highest.above(lowest) > MAX_LAG {
        return None;
    }
    let of = |node: &NetworkNode| {
        let address = node.contact.address.clone();
        async move { network.client.block(&address, lowest.0, network.max_block_bytes).await }
    };
    let blocks = join_all(network.present().map(of)).await;
    let hashes: Option<Vec<_>> = blocks.into_iter().map(|block| block.ok().map(|block| block.hash())).collect();
    let hashes = hashes?;
    let first = *hashes.first()?;
    hashes.iter().all(|hash| *hash == first).then_some(BlockId { index: lowest, hash: first })
}

fn branches(network: &RunningNetwork, tips: &[Option<BlockId>]) -> Vec<NodesOnBranch> {
    let mut branches: Vec<NodesOnBranch> = Vec::new();
    for (node, tip) in network.present().zip(tips) {
        let (Some(tip), name) = (*tip, node.contact.name.clone()) else { continue };
        match branches.iter_mut().find(|branch| branch.tip == tip) {
            Some(branch) => branch.nodes.push(name),
            None => branches.push(NodesOnBranch { nodes: vec![name], tip }),
        }
    }
    branches
}
