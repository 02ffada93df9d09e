//! Requests to the services of the network: to the node with the best chain, or to a mempool, and to the next one if it
//! fails.

use crate::monitor::Monitor;
use crate::network::NetworkState;
use bytes::Bytes;
use runtime::client::{Client, Error};
use runtime::server;
use shared::block::{Block, BlockHash};
use shared::ledger::TransactionId;
use shared::params::Params;
use shared::wire::{Problem, TransactionStatus};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most services that one request is sent to.
const MAX_TRIES: usize = 3;
/// Most bytes of an answer with several blocks.
const MAX_RESPONSE_BYTES: usize = 8 << 20;
/// Most requests for blocks at a time, as each answer may be megabytes.
const MAX_FETCHES: usize = 8;

/// Why no service answered a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// No service of this kind answers.
    #[error("no {0} of this network answers at the moment")]
    NoneKnown(&'static str),
    /// All services failed. A refusal with 4xx ends the search at once.
    #[error("{address}: {error}")]
    Failed {
        /// The service that failed last.
        address: String,
        error: Error,
    },
}

impl UpstreamError {
    /// Whether a service answered that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Failed { error, .. } if error.status() == Some(404))
    }
}

impl From<UpstreamError> for Problem {
    /// The refusal of the service, else 503.
    fn from(no_answer: UpstreamError) -> Self {
        match no_answer {
            UpstreamError::Failed { error: Error::Refused(problem), .. } => *problem,
            other => server::unavailable(other.to_string()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) client: Client,
    monitor: Monitor,
    pub(crate) network: BlockHash,
    /// Bound on the JSON of one block.
    pub(crate) max_block_bytes: usize,
    /// Limits concurrent requests for blocks.
    fetches: Semaphore,
}

impl Upstream {
    pub(crate) fn new(client: Client, params: &Params, monitor: Monitor) -> Self {
        let max_block_bytes = params.max_block_json();
        Self { client, monitor, network: params.network_id(), max_block_bytes, fetches: Semaphore::new(MAX_FETCHES) }
    }

    /// The network as it is known now.
    pub(crate) fn state(&self) -> Arc<NetworkState> {
        self.monitor.state()
    }

    /// Sends a request to a node, to the one with the best chain first. The closure must own what it captures
    /// (`async move`); otherwise the compiler cannot prove that the future is `Send`.
    pub(crate) async fn node<T>(
        &self,
        request: impl AsyncFn(&Client, &str) -> Result<T, Error>,
    ) -> Result<T, UpstreamError> {
        self.request("node", self.monitor.state().best_nodes(), request).await
    }

    /// Sends a request to a mempool, to the one with the best chain first.
    pub(crate) async fn mempool<T>(
        &self,
        request: impl AsyncFn(&Client, &str) -> Result<T, Error>,
    ) -> Result<T, UpstreamError> {
        self.request("mempool", self.monitor.state().answering_mempools(), request).await
    }

    /// A block of the best chain by its height.
    pub(crate) async fn block_at(&self, height: u64) -> Result<Block, UpstreamError> {
        let _permit = self.fetches.acquire().await;
        let max_block_bytes = self.max_block_bytes;
        let request = async move |client: &Client, node: &str| {
            let block = client.block(node, height, max_block_bytes).await?;
            if block.index().0 == height { Ok(block) } else { Err(Error::Malformed("another block".to_owned())) }
        };
        self.node(request).await
    }

    /// A block on any branch by its hash. All nodes are tried, since only some may have a side block.
    pub(crate) async fn block(&self, hash: BlockHash) -> Result<Block, UpstreamError> {
        let _permit = self.fetches.acquire().await;
        let mut last = UpstreamError::NoneKnown("node");
        for address in self.monitor.state().best_nodes() {
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
                // "Not found" says more than a timeout.
                Err(error) if !last.is_not_found() => last = UpstreamError::Failed { address, error },
                Err(_) => {}
            }
        }
        Err(last)
    }

    /// A transaction and its status. Its content is checked against its id; its status is the mempool's word.
    pub(crate) async fn transaction(&self, id: TransactionId) -> Result<TransactionStatus, UpstreamError> {
        let network = self.network;
        let request = async move |client: &Client, mempool: &str| {
            let status = client.transaction(mempool, &id).await?;
            let is_it = status.transaction.id() == id && TransactionId::of(status.transaction.text(network)) == id;
            if is_it { Ok(status) } else { Err(Error::Malformed("another transaction".to_owned())) }
        };
        self.mempool(request).await
    }

    /// Up to `limit` blocks of the best chain from height `from` on, oldest first. If these are too large for one
    /// answer, only the highest of them.
    pub(crate) async fn chain(&self, from: u64, limit: u64) -> Result<Vec<Block>, UpstreamError> {
        let _permit = self.fetches.acquire().await;
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
                // Other services would send an answer of the same size.
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

/// Reads up to `limit` blocks from height `first` on, each on top of the one before. Runs on a blocking thread, since
/// hashing megabytes would delay other requests.
async fn read_blocks(json: Bytes, first: u64, limit: u64) -> Result<Vec<Block>, Error> {
    let read = move || {
        let blocks: Vec<Block> = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        if is_chain_segment(&blocks, first, limit) { Ok(blocks) } else { Err("other blocks than requested".to_owned()) }
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
    fn only_a_segment_of_a_chain_of_the_requested_length_is_accepted() {
        let [genesis, block] = samples::blocks("");
        let [_, other] = samples::blocks("other");
        let chain = [genesis, block];
        assert!(is_chain_segment(&chain, 0, 2) && is_chain_segment(&chain[1..], 1, 50) && is_chain_segment(&[], 7, 1));
        assert!(!is_chain_segment(&chain, 0, 1), "more than requested");
        assert!(!is_chain_segment(&chain, 5, 2), "other heights");
        assert!(!is_chain_segment(&[chain[1].clone(), other], 1, 2), "one does not follow the other");
    }
}
