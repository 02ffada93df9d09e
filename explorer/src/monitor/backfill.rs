//! Asks a node for the blocks that no event told of: the last heights of its best chain, and its side branches.

use super::state::{BlockSummary, KEPT_HEIGHTS, lowest_kept};
use super::watcher::Watcher;
use runtime::client::Error;
use shared::block::{Block, BlockHash, Header, Height};
use shared::chain::{BranchStatus, Tip};
use shared::wire::HeadersRequest;

/// How many side branches are asked for, the highest first.
const MAX_BRANCHES: usize = 8;
/// How many blocks of side branches are fetched at a time.
const MAX_SIDE_BLOCKS: usize = KEPT_HEIGHTS as usize;

/// Fills the gaps below a node's tip; its side branches too if there were gaps or `with_branches` says so.
pub(super) async fn backfill(watcher: &Watcher, node: &str, with_branches: bool) {
    let tip = watcher.read(|state| state.nodes.get(node).and_then(super::ServiceState::tip));
    let Some(tip) = tip else { return };
    let lacks = watcher.read(|state| state.lacks_blocks_of(&tip));
    if lacks && let Err(error) = best_chain(watcher, node, &tip).await {
        tracing::debug!(%node, %error, "the last blocks cannot be had");
    }
    if (lacks || with_branches)
        && let Err(error) = side_branches(watcher, node, tip.index).await
    {
        tracing::debug!(%node, %error, "the side branches cannot be had");
    }
}

/// The last blocks of a node's best chain: the lowest as a whole, the others as headers.
async fn best_chain(watcher: &Watcher, node: &str, tip: &Tip) -> Result<(), Error> {
    let lowest = watcher.client.block(node, lowest_kept(tip.index).0, watcher.max_block_bytes).await?;
    let ask = HeadersRequest { locator: vec![lowest.header().hash()], limit: KEPT_HEIGHTS };
    let headers = watcher.client.headers(node, &ask).await?;
    let bound = usize::try_from(KEPT_HEIGHTS).unwrap_or(usize::MAX);
    let headers: Vec<_> = [lowest.header()].into_iter().chain(headers.iter().take(bound)).collect();
    if !headers.iter().all(|header| is_worked_for(header)) {
        return Err(Error::Malformed("headers without their work".to_owned()));
    }
    let blocks: Vec<_> = headers.into_iter().map(BlockSummary::from).collect();
    watcher.write(|reducer, _| reducer.add_blocks(blocks));
    Ok(())
}

/// The blocks of a node's side branches down to those that are known.
async fn side_branches(watcher: &Watcher, node: &str, best: Height) -> Result<(), Error> {
    let lowest = lowest_kept(best);
    let mut tips = watcher.client.tips(node).await?;
    tips.retain(|tip| tip.status == BranchStatus::Side && tip.index >= lowest);
    tips.sort_by_key(|tip| std::cmp::Reverse(tip.index));
    let mut blocks: Vec<BlockSummary> = Vec::new();
    for tip in tips.into_iter().take(MAX_BRANCHES) {
        let mut wanted = tip.hash;
        while blocks.len() < MAX_SIDE_BLOCKS && !is_known(watcher, &blocks, wanted) {
            let block = block(watcher, node, wanted).await?;
            if block.header().index < lowest {
                break;
            }
            wanted = block.header().prev_hash;
            blocks.push(BlockSummary::from(block.header()));
        }
    }
    if !blocks.is_empty() {
        watcher.write(|reducer, _| reducer.add_blocks(blocks));
    }
    Ok(())
}

/// Whether somebody has mined it, as its difficulty demands; genesis was made, not mined.
fn is_worked_for(header: &Header) -> bool {
    header.index == Height::GENESIS || header.difficulty.target().is_met_by(&header.hash())
}

fn is_known(watcher: &Watcher, fetched: &[BlockSummary], hash: BlockHash) -> bool {
    fetched.iter().any(|block| block.hash == hash) || watcher.read(|state| state.blocks.contains_key(&hash))
}

async fn block(watcher: &Watcher, node: &str, hash: BlockHash) -> Result<Block, Error> {
    let json = watcher.client.block_json(node, hash, watcher.max_block_bytes).await?;
    let block = Block::from_json(&json).map_err(|error| Error::Malformed(error.to_string()))?;
    if block.header().hash() == hash && is_worked_for(block.header()) {
        Ok(block)
    } else {
        Err(Error::Malformed("another block".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_cache::tests::chain;
    use shared::params::Params;

    #[test]
    fn a_header_without_work_is_no_block() {
        assert!(is_worked_for(Params::default().genesis().header()));
        // A thousand hashes are its difficulty, and one was tried.
        assert!(!is_worked_for(&chain(None, &[1])[0]));
    }
}
