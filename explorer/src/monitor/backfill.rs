//! Fetches blocks that no event has reported: the last blocks of a node's best chain, and of its side branches.

use super::context::Context;
use crate::network::{BlockSummary, KEPT_HEIGHTS, ServiceState, lowest_kept};
use runtime::client::Error;
use shared::block::{Block, BlockHash, Header, Height};
use shared::chain::{BranchStatus, Tip};
use shared::wire::HeadersRequest;

/// Most side branches that are fetched, the highest first.
const MAX_BRANCHES: usize = 8;
/// Most blocks of side branches that are fetched at a time.
const MAX_SIDE_BLOCKS: usize = KEPT_HEIGHTS as usize;

/// Fetches the unknown blocks below a node's tip. Fetches its side branches too if there were unknown blocks, or if
/// `with_branches` is set.
pub(super) async fn backfill(context: &Context, node: &str, with_branches: bool) {
    let tip = context.read(|state| state.nodes.get(node).and_then(ServiceState::tip));
    let Some(tip) = tip else { return };
    let lacks = context.read(|state| state.lacks_blocks_of(&tip));
    if lacks && let Err(error) = best_chain(context, node, &tip).await {
        tracing::debug!(%node, %error, "cannot fetch the last blocks");
    }
    if (lacks || with_branches)
        && let Err(error) = side_branches(context, node, tip.index).await
    {
        tracing::debug!(%node, %error, "cannot fetch the side branches");
    }
}

/// Fetches the last blocks of a node's best chain: the lowest whole, since its hash is not known, the others as
/// headers.
async fn best_chain(context: &Context, node: &str, tip: &Tip) -> Result<(), Error> {
    let lowest = context.client.block(node, lowest_kept(tip.index).0, context.max_block_bytes).await?;
    let ask = HeadersRequest { locator: vec![lowest.header().hash()], limit: KEPT_HEIGHTS };
    let headers = context.client.headers(node, &ask).await?;
    let bound = usize::try_from(KEPT_HEIGHTS).unwrap_or(usize::MAX);
    let headers: Vec<_> = [lowest.header()].into_iter().chain(headers.iter().take(bound)).collect();
    if !headers.iter().all(|header| is_worked_for(header)) {
        return Err(Error::Malformed("headers without proof of work".to_owned()));
    }
    let blocks: Vec<_> = headers.into_iter().map(BlockSummary::from).collect();
    context.write(|reducer, _| reducer.add_blocks(blocks));
    Ok(())
}

/// Fetches the blocks of a node's side branches down to known blocks.
async fn side_branches(context: &Context, node: &str, best: Height) -> Result<(), Error> {
    let lowest = lowest_kept(best);
    let mut tips = context.client.tips(node).await?;
    tips.retain(|tip| tip.status == BranchStatus::Side && tip.index >= lowest);
    tips.sort_by_key(|tip| std::cmp::Reverse(tip.index));
    let mut blocks: Vec<BlockSummary> = Vec::new();
    for tip in tips.into_iter().take(MAX_BRANCHES) {
        let mut wanted = tip.hash;
        while blocks.len() < MAX_SIDE_BLOCKS && !is_known(context, &blocks, wanted) {
            let block = block(context, node, wanted).await?;
            if block.header().index < lowest {
                break;
            }
            wanted = block.header().prev_hash;
            blocks.push(BlockSummary::from(block.header()));
        }
    }
    if !blocks.is_empty() {
        context.write(|reducer, _| reducer.add_blocks(blocks));
    }
    Ok(())
}

/// Whether the hash meets the difficulty that the header claims. Genesis need not.
fn is_worked_for(header: &Header) -> bool {
    header.index == Height::GENESIS || header.difficulty.target().is_met_by(&header.hash())
}

fn is_known(context: &Context, fetched: &[BlockSummary], hash: BlockHash) -> bool {
    fetched.iter().any(|block| block.hash == hash) || context.read(|state| state.blocks.contains_key(&hash))
}

async fn block(context: &Context, node: &str, hash: BlockHash) -> Result<Block, Error> {
    let json = context.client.block_json(node, hash, context.max_block_bytes).await?;
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
    fn a_header_without_work_is_not_accepted() {
        assert!(is_worked_for(Params::default().genesis().header()));
        // Its difficulty is 1000, and one nonce was tried.
        assert!(!is_worked_for(&chain(None, &[1])[0]));
    }
}
