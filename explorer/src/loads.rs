//! How much the last blocks carry: bytes, and transactions where there is money. Blocks do not change, so each is
//! fetched once.

use crate::service::Explorer;
use runtime::client::Client;
use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::block::{Block, BlockHash, Header};
use shared::wire::BlocksRequest;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::Mutex;

/// Blocks that are looked back at.
pub(crate) const BLOCKS: usize = 200;
/// Requests for blocks at one look; one brings up to 8 MiB, and the next look goes on.
const REQUESTS: usize = 4;

/// What a block carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) bytes: usize,
    /// Nothing where its data is no bundle.
    pub(crate) transactions: Option<usize>,
}

/// What is known already.
#[derive(Debug, Default)]
pub(crate) struct Loads(Mutex<BTreeMap<BlockHash, Load>>);

impl Loads {
    /// The loads of the last of `headers`, at most [`BLOCKS`], by height; those that nobody sent are left out.
    pub(crate) async fn last(&self, explorer: &Explorer, headers: &[Header]) -> Vec<(u64, Load)> {
        let headers = &headers[headers.len().saturating_sub(BLOCKS)..];
        let mut known = self.0.lock().await;
        let before = std::mem::take(&mut *known);
        let kept = headers.iter().filter_map(|header| Some((header.hash(), *before.get(&header.hash())?)));
        *known = kept.collect();
        for _ in 0..REQUESTS {
            let missing = headers.iter().rev().map(Header::hash).filter(|hash| !known.contains_key(hash));
            let fetched = fetch(explorer, missing.collect()).await;
            if fetched.is_empty() {
                break;
            }
            known.extend(fetched);
        }
        headers.iter().filter_map(|header| Some((header.index.0, *known.get(&header.hash())?))).collect()
    }
}

async fn fetch(explorer: &Explorer, hashes: Vec<BlockHash>) -> Vec<(BlockHash, Load)> {
    if hashes.is_empty() {
        return Vec::new();
    }
    let wanted: BTreeSet<BlockHash> = hashes.iter().copied().collect();
    let (ask, max_block_bytes) = (BlocksRequest { hashes }, explorer.sources.max_block_bytes);
    let ask = async move |client: &Client, node: &str| client.blocks(node, &ask, max_block_bytes).await;
    let Ok(mut blocks) = explorer.sources.node(ask).await else { return Vec::new() };
    blocks.retain(|block| wanted.contains(&block.hash()));
    let weigh = move || blocks.iter().map(|block| (block.hash(), Load::of(block))).collect();
    tokio::task::spawn_blocking(weigh).await.unwrap_or_default()
}

impl Load {
    fn of(block: &Block) -> Self {
        #[derive(Deserialize)]
        struct Counted {
            transactions: Vec<IgnoredAny>,
        }
        let counted: Option<Counted> = serde_json::from_str(block.data()).ok();
        Self { bytes: block.data().len(), transactions: counted.map(|bundle| bundle.transactions.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::tests::chain;
    use shared::block::Nonce;

    #[test]
    fn transactions_are_counted_where_there_are_some() {
        let load = |data: &str| Load::of(&Block::new(**chain(None, &[1]).first().unwrap(), Nonce(0), data.to_owned()));
        let bundle = r#"{"msg":"","miner_address":"lab1","transactions":[{},{"a":[1]}]}"#;
        assert_eq!(load(bundle), Load { bytes: bundle.len(), transactions: Some(2) });
        assert_eq!(load("é"), Load { bytes: 2, transactions: None });
        assert_eq!(load("").transactions, None);
    }
}
