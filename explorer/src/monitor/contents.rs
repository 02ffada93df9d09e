//! Fetches what is in the blocks that are known, the newest first. A block does not change, so each is fetched once.

use super::context::Context;
use crate::network::{BlockContents, NetworkState};
use runtime::client::Error;
use shared::block::{Block, BlockHash};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

/// Time before a block that no node sent is asked for again.
const RETRY: Duration = Duration::from_secs(2);
/// Most nodes that are asked for one block at a time.
const MAX_TRIES: usize = 4;

/// Never ends.
pub(super) async fn fetch_contents(context: &Context, mut state: watch::Receiver<Arc<NetworkState>>) {
    let mut failed: BTreeMap<BlockHash, Instant> = BTreeMap::new();
    loop {
        let now = state.borrow_and_update().clone();
        failed.retain(|block, at| now.blocks.contains_key(block) && at.elapsed() < RETRY);
        let missing = now.blocks.values().filter(|block| !now.contents.contains_key(&block.hash));
        let due = missing.filter(|block| !failed.contains_key(&block.hash)).max_by_key(|block| block.index);
        let Some(block) = due.map(|block| block.hash) else {
            // Fails only when the monitor ends, and then this task is dropped.
            let _ = timeout(RETRY, state.changed()).await;
            continue;
        };
        match fetch(context, &now, block).await {
            Some(contents) => {
                context.write(|reducer, _| reducer.add_contents(block, contents));
                // The state that has it is published soon; until then it counts as tried.
                failed.insert(block, Instant::now());
            }
            None => drop(failed.insert(block, Instant::now())),
        }
    }
}

/// Asks the node that found the block first, and then those with the highest chains.
async fn fetch(context: &Context, state: &NetworkState, block: BlockHash) -> Option<BlockContents> {
    let finder = state.blocks.get(&block).and_then(|block| block.mined_by.clone());
    let mut others: Vec<_> = state.answering().filter(|(node, _)| Some(*node) != finder.as_ref()).collect();
    // A node has the blocks of its own branch for sure.
    others.sort_by_key(|(_, tip)| Reverse((state.chain(tip.hash).any(|known| known.hash == block), tip.index)));
    let others = others.into_iter().map(|(node, _)| node.clone());
    for node in finder.iter().cloned().chain(others).take(MAX_TRIES) {
        match ask(context, &node, block).await {
            Ok(contents) => return Some(contents),
            Err(error) => tracing::debug!(%node, %block, %error, "cannot fetch a block"),
        }
    }
    None
}

async fn ask(context: &Context, node: &str, wanted: BlockHash) -> Result<BlockContents, Error> {
    let json = context.client.block_json(node, wanted, context.max_block_bytes).await?;
    let params = context.params.clone();
    let read = move || {
        let block = Block::from_json(&json).map_err(|error| error.to_string())?;
        if block.header().hash() == wanted {
            Ok(BlockContents::of(&block, &params))
        } else {
            Err("another block".to_owned())
        }
    };
    let read = spawn_blocking(read).await.map_err(|error| error.to_string());
    read.and_then(|contents| contents).map_err(Error::Malformed)
}
