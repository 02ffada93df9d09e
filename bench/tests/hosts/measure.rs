//! Measurements of a network: when its nodes agree, and how many blocks were lost to forks.

use crate::host_process::HostProcess;
use futures_util::future::join_all;
use shared::block::{BlockHash, BlockId};
use shared::chain::BranchStatus;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use testkit::{DEADLINE, client, until_ok};

/// Bytes of a block's JSON at most.
const MAX_BLOCK_BYTES: usize = 16 << 20;
/// Blocks that a node may be behind the highest one.
const MAX_LAG: u64 = 4;

/// The block that nodes agree on, and the time it took.
pub(crate) struct Agreement {
    pub(crate) block: BlockId,
    pub(crate) seconds: f64,
}

/// Waits until all `nodes` have the same block `depth` blocks below the lowest tip. The lowest tip must be at height
/// `least` at least, and not far behind the highest.
pub(crate) async fn agreement(nodes: &[&HostProcess], least: u64, depth: u64, within: Duration) -> Agreement {
    let began = Instant::now();
    let block = until_ok("all nodes agree", within, async || agreed(nodes, least, depth).await).await;
    Agreement { block, seconds: began.elapsed().as_secs_f64() }
}

async fn agreed(nodes: &[&HostProcess], least: u64, depth: u64) -> Result<BlockId, String> {
    let tips: Result<Vec<_>, _> = join_all(nodes.iter().map(|node| node.tip())).await.into_iter().collect();
    let heights: Vec<_> = tips?.iter().map(|tip| tip.index).collect();
    let (lowest, highest) = (*heights.iter().min().unwrap(), *heights.iter().max().unwrap());
    if highest.above(lowest) > MAX_LAG + depth || lowest.0 < least.max(depth) {
        return Err(format!("their heights are {heights:?}"));
    }
    let height = lowest.0 - depth;
    let blocks = join_all(nodes.iter().map(|node| async { block_at(node, height).await })).await;
    let blocks: Vec<BlockId> = blocks.into_iter().collect::<Result<_, _>>()?;
    let differs = blocks.iter().any(|block| *block != blocks[0]);
    if differs { Err(format!("at height {height} they have {blocks:?}")) } else { Ok(blocks[0]) }
}

/// The block of the best chain at a height.
pub(crate) async fn block_at(node: &HostProcess, height: u64) -> Result<BlockId, String> {
    let block = client().block(&node.address, height, MAX_BLOCK_BYTES).await.map_err(|error| error.to_string())?;
    Ok(BlockId { index: block.index(), hash: block.hash() })
}

/// Whether a block is on a node's best chain.
pub(crate) async fn has(node: &HostProcess, block: BlockId) -> bool {
    block_at(node, block.index.0).await.is_ok_and(|there| there == block)
}

/// The number of distinct blocks on side branches that these nodes know: mined, but lost to forks.
pub(crate) async fn lost_to_forks(nodes: &[&HostProcess]) -> usize {
    let mut lost = BTreeSet::new();
    for node in nodes {
        // A slow line may lose a request.
        let known = until_ok("a node lists its side branches", DEADLINE, async || side_blocks(node).await).await;
        lost.extend(known);
    }
    lost.len()
}

async fn side_blocks(node: &HostProcess) -> Result<BTreeSet<String>, String> {
    let mut known = BTreeSet::new();
    for tip in client().tips(&node.address).await.map_err(|error| error.to_string())? {
        let mut at = BlockId { index: tip.index, hash: tip.hash };
        while tip.status == BranchStatus::Side && at.index > tip.fork.index && known.insert(at.hash.to_string()) {
            at = BlockId { index: shared::block::Height(at.index.0 - 1), hash: parent(node, at.hash).await? };
        }
    }
    Ok(known)
}

async fn parent(node: &HostProcess, hash: BlockHash) -> Result<BlockHash, String> {
    let json = client().block_json(&node.address, hash, MAX_BLOCK_BYTES).await.map_err(|error| error.to_string())?;
    let block: serde_json::Value = serde_json::from_slice(&json).unwrap();
    Ok(block["prev_hash"].as_str().unwrap().parse().unwrap())
}
