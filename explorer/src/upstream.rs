//! Whom to ask: the node with the best chain, a mempool that answers; the next one if it does not.

use crate::network::Watch;
use bytes::Bytes;
use runtime::client::{Client, Error};
use runtime::server;
use shared::block::{Block, BlockHash};
use shared::ledger::TransactionId;
use shared::params::Params;
use shared::wire::{Problem, TransactionStatus};
use tokio::sync::Semaphore;

/// How many are asked before it is given up.
const MAX_TRIES: usize = 3;
/// Most bytes of several blocks at once.
const MAX_RESPONSE_BYTES: usize = 8 << 20;
/// How many who look at blocks are served at a time: what is fetched for each may be megabytes.
const MAX_FETCHES: usize = 8;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Nobody is there to be asked.
    #[error("no {0} of this network is known at the moment")]
    NoneKnown(&'static str),
    /// All who were asked failed; the first who understood and refused is believed at once.
    #[error("{address}: {error}")]
    Failed {
        /// Who was asked last.
        address: String,
        /// Why it brought no answer.
        error: Error,
    },
}

impl UpstreamError {
    /// Whether what was asked for is not there, rather than who was asked.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Failed { error, .. } if error.status() == Some(404))
    }
}

impl From<UpstreamError> for Problem {
    /// What was refused, as it was refused; else that nobody answers.
    fn from(no_answer: UpstreamError) -> Self {
        match no_answer {
            UpstreamError::Failed { error: Error::Refused(problem), .. } => problem,
            other => server::unavailable(other.to_string()),
        }
    }
}

/// Asks the services of the network.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) client: Client,
    watch: Watch,
    network: BlockHash,
    /// Bound on the JSON of one block.
    pub(crate) max_block_bytes: usize,
    /// Places for those who fetch blocks.
    fetches: Semaphore,
}

impl Upstream {
    pub(crate) fn new(client: Client, params: &Params, watch: Watch) -> Self {
        // JSON spells a byte with at most six characters.
        let max_block_bytes =
            usize::try_from(params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10);
        Self { client, watch, network: params.network_id(), max_block_bytes, fetches: Semaphore::new(MAX_FETCHES) }
    }

    /// Asks a node, the one with the best chain first. What `ask` captures it must own (`async move`), or the compiler
    /// does not see that requests can be answered on any thread.
    pub(crate) async fn node<T>(
        &self,
        request: impl AsyncFn(&Client, &str) -> Result<T, Error>,
    ) -> Result<T, UpstreamError> {
        self.request("node", self.watch.state().best_nodes(), request).await
    }

    /// Asks a mempool.
    pub(crate) async fn mempool<T>(
        &self,
        request: impl AsyncFn(&Client, &str) -> Result<T, Error>,
    ) -> Result<T, UpstreamError> {
        self.request("mempool", self.watch.state().answering_mempools(), request).await
    }

    /// A block of the best chain by its height.
    pub(crate) async fn block_at(&self, height: u64) -> Result<Block, UpstreamError> {
        let _place = self.fetches.acquire().await;
        let max_block_bytes = self.max_block_bytes;
        let request = async move |client: &Client, node: &str| {
            let block = client.block(node, height, max_block_bytes).await?;
            if block.index().0 == height { Ok(block) } else { Err(Error::Malformed("another block".to_owned())) }
        };
        self.node(request).await
    }

    /// Any block by its hash; nodes that do not have it are no reason to give up.
    pub(crate) async fn block(&self, hash: BlockHash) -> Result<Block, UpstreamError> {
        let _place = self.fetches.acquire().await;
        let mut last = UpstreamError::NoneKnown("node");
        for address in self.watch.state().best_nodes() {
            match self.client.block_json(&address, hash, self.max_block_bytes).await {
                Ok(json) => {
                    let malformed = |error| Error::Malformed(format!("{error}"));
                    match Block::from_json(&json).map_err(malformed) {
                        Ok(block) if block.header().hash() == hash => return Ok(block),
                        Ok(_) => {
                            last =
                                UpstreamError::Failed { address, error: Error::Malformed("another block".to_owned()) }
                        }
                        Err(error) => last = UpstreamError::Failed { address, error },
                    }
                }
                // A refusal says more than a silence.
                Err(error) if !last.is_not_found() => last = UpstreamError::Failed { address, error },
                Err(_) => {}
            }
        }
        Err(last)
    }

    /// A transaction and where it is. What is paid is what was signed under this id, whoever tells it.
    pub(crate) async fn transaction(&self, id: TransactionId) -> Result<TransactionStatus, UpstreamError> {
        let network = self.network;
        let request = async move |client: &Client, mempool: &str| {
            let status = client.transaction(mempool, &id).await?;
            let is_it = status.transaction.id == id && TransactionId::of(status.transaction.text(network)) == id;
            if is_it { Ok(status) } else { Err(Error::Malformed("another transaction".to_owned())) }
        };
        self.mempool(request).await
    }

    /// Up to `limit` blocks of the best chain from height `from` on, oldest first, by one request. Where they are so large
    /// that they exceed a bound together, fewer of them, from a greater height on.
    pub(crate) async fn chain(&self, from: u64, limit: u64) -> Result<Vec<Block>, UpstreamError> {
        let _place = self.fetches.acquire().await;
        let end = from.saturating_add(limit);
        let mut wanted = limit;
        loop {
            let max_bytes = if wanted <= 1 { self.max_block_bytes + 2 } else { MAX_RESPONSE_BYTES };
            let request = async move |client: &Client, node: &str| {
                let first = end.saturating_sub(wanted);
                read_blocks(client.chain_json(node, first, wanted, max_bytes).await?, first, wanted).await
            };
            match self.node(request).await {
                Ok(blocks) => return Ok(blocks),
                Err(UpstreamError::Failed { error: Error::Oversized { .. }, .. }) if wanted > 1 => {
                    wanted = wanted.div_ceil(4)
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn request<T>(
        &self,
        what: &'static str,
        addresses: Vec<String>,
        request: impl AsyncFn(&Client, &str) -> Result<T, Error>,
    ) -> Result<T, UpstreamError> {
        let mut last = UpstreamError::NoneKnown(what);
        for address in addresses.into_iter().take(MAX_TRIES) {
            match request(&self.client, &address).await {
                Ok(answer) => return Ok(answer),
                // The size of an answer does not depend on who is asked.
                Err(error @ Error::Oversized { .. }) => return Err(UpstreamError::Failed { address, error }),
                Err(error @ Error::Refused(_)) if error.status().is_some_and(|status| status < 500) => {
                    return Err(UpstreamError::Failed { address, error });
                }
                Err(error) => last = UpstreamError::Failed { address, error },
            }
        }
        Err(last)
    }
}

/// Up to `limit` blocks from height `first` on, each on top of the one before. Hashing megabytes must not hold up others.
async fn read_blocks(json: Bytes, first: u64, limit: u64) -> Result<Vec<Block>, Error> {
    let read = move || {
        let blocks: Vec<Block> = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        if is_chain_segment(&blocks, first, limit) {
            Ok(blocks)
        } else {
            Err("blocks that were not asked for".to_owned())
        }
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string());
    read.and_then(|blocks| blocks).map_err(Error::Malformed)
}

fn is_chain_segment(blocks: &[Block], first: u64, limit: u64) -> bool {
    let follows = |two: &[Block]| two[1].header().prev_hash == two[0].hash();
    blocks.len() as u64 <= limit
        && blocks.iter().zip(first..).all(|(block, height)| block.index().0 == height)
        && blocks.windows(2).all(follows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn only_a_piece_of_a_chain_as_long_as_asked_for_is_taken() {
        let [genesis, block] = samples::blocks("");
        let [_, other] = samples::blocks("other");
        let chain = [genesis, block];
        assert!(is_chain_segment(&chain, 0, 2) && is_chain_segment(&chain[1..], 1, 50) && is_chain_segment(&[], 7, 1));
        assert!(!is_chain_segment(&chain, 0, 1), "more than asked for");
        assert!(!is_chain_segment(&chain, 5, 2), "other heights");
        assert!(!is_chain_segment(&[chain[1].clone(), other], 1, 2), "one does not follow the other");
    }
}
