//! The sizes of the last blocks, in bytes and transactions, their fees, and who found them. Blocks do not change, so
//! each is fetched once.

use crate::upstream::Upstream;
use runtime::client::Client;
use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::block::{Block, BlockHash, Header};
use shared::ledger::{Address, Bundle, Span, Transaction};
use shared::wire::BlocksRequest;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::Mutex;

/// Most blocks whose size is known.
pub(crate) const MAX_BLOCKS: usize = 200;
/// Most requests per call. Each fetches up to 8 MiB; the next call fetches what is still missing.
const MAX_REQUESTS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BlockSize {
    pub(crate) bytes: usize,
    /// `None` if its data is no bundle.
    pub(crate) transactions: Option<usize>,
    /// The address that was paid for it; `None` if its data is no bundle.
    pub(crate) miner: Option<Address>,
    /// The median of what its transactions pay, in grains per byte of their JSON; `None` without transactions.
    pub(crate) fee_rate: Option<f64>,
}

#[derive(Debug, Default)]
pub(crate) struct BlockSizes(Mutex<BTreeMap<BlockHash, BlockSize>>);

impl BlockSizes {
    /// The sizes of the last of `headers`, at most [`MAX_BLOCKS`], by height. Blocks that no node sent are left out.
    pub(crate) async fn last(&self, upstream: &Upstream, headers: &[Header]) -> Vec<(u64, BlockSize)> {
        let headers = &headers[headers.len().saturating_sub(MAX_BLOCKS)..];
        let mut known = self.0.lock().await;
        let before = std::mem::take(&mut *known);
        let kept = headers.iter().filter_map(|header| Some((header.hash(), *before.get(&header.hash())?)));
        *known = kept.collect();
        for _ in 0..MAX_REQUESTS {
            let missing = headers.iter().rev().map(Header::hash).filter(|hash| !known.contains_key(hash));
            let fetched = fetch(upstream, missing.collect()).await;
            if fetched.is_empty() {
                break;
            }
            known.extend(fetched);
        }
        headers.iter().filter_map(|header| Some((header.index.0, *known.get(&header.hash())?))).collect()
    }
}

async fn fetch(upstream: &Upstream, hashes: Vec<BlockHash>) -> Vec<(BlockHash, BlockSize)> {
    if hashes.is_empty() {
        return Vec::new();
    }
    let wanted: BTreeSet<BlockHash> = hashes.iter().copied().collect();
    let (request, max_block_bytes) = (BlocksRequest { hashes }, upstream.max_block_bytes);
    let request = async move |client: &Client, node: &str| client.blocks(node, &request, max_block_bytes).await;
    let Ok(mut blocks) = upstream.node(request).await else { return Vec::new() };
    blocks.retain(|block| wanted.contains(&block.hash()));
    let measure = move || blocks.iter().map(|block| (block.hash(), BlockSize::of(block))).collect();
    tokio::task::spawn_blocking(measure).await.unwrap_or_default()
}

impl BlockSize {
    fn of(block: &Block) -> Self {
        #[derive(Deserialize)]
        struct Counted {
            transactions: Vec<IgnoredAny>,
            miner_address: String,
        }
        let counted: Option<Counted> = serde_json::from_str(block.data()).ok();
        let miner = counted.as_ref().and_then(|bundle| bundle.miner_address.parse().ok());
        Self {
            bytes: block.data().len(),
            transactions: counted.map(|bundle| bundle.transactions.len()),
            miner,
            fee_rate: fee_rate(block.data()),
        }
    }
}

/// The median fee per byte of a bundle's transactions: of two in the middle, the lower.
fn fee_rate(data: &str) -> Option<f64> {
    let (bundle, spans) = Bundle::from_data(data).ok()?;
    let rate = |(paid, span): (&Transaction, &Span)| paid.fee().grains() as f64 / f64::from(span.length.max(1));
    let mut rates: Vec<f64> = bundle.transactions.iter().zip(&spans).map(rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_cache::tests::chain;
    use shared::block::Nonce;

    #[test]
    fn transactions_are_counted_where_there_are_some() {
        let size =
            |data: &str| BlockSize::of(&Block::new(**chain(None, &[1]).first().unwrap(), Nonce(0), data.to_owned()));
        let bundle = r#"{"msg":"","miner_address":"lab1","transactions":[{},{"a":[1]}]}"#;
        let none = BlockSize { bytes: 2, transactions: None, miner: None, fee_rate: None };
        assert_eq!(size(bundle), BlockSize { bytes: bundle.len(), transactions: Some(2), ..none });
        assert_eq!(size("é"), none);
        assert_eq!(size("").transactions, None);
    }

    #[test]
    fn the_median_fee_is_per_byte() {
        use crate::pages::samples;
        let [_, block] = samples::blocks("for lunch");
        let (bundle, _) = Bundle::from_data(block.data()).unwrap();
        let [paid] = &*bundle.transactions else { panic!("one payment") };
        let expected = paid.fee().grains() as f64 / shared::ledger::json_of(paid).len() as f64;
        assert_eq!(BlockSize::of(&block).fee_rate, Some(expected));
        let many = Bundle { transactions: (1..=4).map(|fee| samples::payment(fee, "")).collect(), ..bundle };
        let rates: Vec<f64> = many
            .transactions
            .iter()
            .map(|paid| paid.fee().grains() as f64 / shared::ledger::json_of(paid).len() as f64)
            .collect();
        assert!(rates.is_sorted() && rates[1] < rates[2]);
        assert_eq!(fee_rate(&many.to_data().0), Some(rates[1]));
    }
}
