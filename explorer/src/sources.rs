//! Whom to ask: the node with the best chain, a mempool that answers; the next one if it does not.

use crate::network::Watch;
use bytes::Bytes;
use runtime::client::{Client, Error};
use runtime::server;
use shared::block::{Block, BlockHash};
use shared::params::Params;
use shared::wire::Problem;

/// How many are asked before it is given up.
const TRIES: usize = 3;
/// Most bytes of several blocks at once.
const PAGE_BYTES: usize = 8 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Nobody is there to be asked.
    #[error("no {0} of this network is known at the moment")]
    Nobody(&'static str),
    /// All who were asked failed; the first who understood and refused is believed at once.
    #[error("{address}: {error}")]
    Failed {
        /// Who was asked last.
        address: String,
        /// Why it brought no answer.
        error: Error,
    },
}

impl NoAnswer {
    /// Whether what was asked for is not there, rather than who was asked.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Failed { error, .. } if error.status() == Some(404))
    }
}

impl From<NoAnswer> for Problem {
    /// What was refused, as it was refused; else that nobody answers.
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Failed { error: Error::Refused(problem), .. } => problem,
            other => server::unavailable(other.to_string()),
        }
    }
}

/// Asks the services of the network.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) client: Client,
    watch: Watch,
    /// Bound on the JSON of one block.
    pub(crate) max_block_bytes: usize,
}

impl Sources {
    pub(crate) fn new(client: Client, params: &Params, watch: Watch) -> Self {
        // JSON spells a byte with at most six characters.
        let max_block_bytes =
            usize::try_from(params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10);
        Self { client, watch, max_block_bytes }
    }

    /// Asks a node, the one with the best chain first. What `ask` captures it must own (`async move`), or the compiler
    /// does not see that requests can be answered on any thread.
    pub(crate) async fn node<T>(&self, ask: impl AsyncFn(&Client, &str) -> Result<T, Error>) -> Result<T, NoAnswer> {
        self.ask("node", self.watch.picture().best_nodes(), ask).await
    }

    /// Asks a mempool.
    pub(crate) async fn mempool<T>(&self, ask: impl AsyncFn(&Client, &str) -> Result<T, Error>) -> Result<T, NoAnswer> {
        self.ask("mempool", self.watch.picture().answering_mempools(), ask).await
    }

    /// A block of the best chain by its height.
    pub(crate) async fn block_at(&self, height: u64) -> Result<Block, NoAnswer> {
        let max_block_bytes = self.max_block_bytes;
        self.node(async move |client, node| client.block(node, height, max_block_bytes).await).await
    }

    /// Any block by its hash; nodes that do not have it are no reason to give up.
    pub(crate) async fn block(&self, hash: BlockHash) -> Result<Block, NoAnswer> {
        let mut last = NoAnswer::Nobody("node");
        for address in self.watch.picture().best_nodes() {
            match self.client.block_json(&address, hash, self.max_block_bytes).await {
                Ok(json) => {
                    let malformed = |error| Error::Malformed(format!("{error}"));
                    match Block::from_json(&json).map_err(malformed) {
                        Ok(block) if block.header().hash() == hash => return Ok(block),
                        Ok(_) => {
                            last = NoAnswer::Failed { address, error: Error::Malformed("another block".to_owned()) }
                        }
                        Err(error) => last = NoAnswer::Failed { address, error },
                    }
                }
                // A refusal says more than a silence.
                Err(error) if !last.is_not_found() => last = NoAnswer::Failed { address, error },
                Err(_) => {}
            }
        }
        Err(last)
    }

    /// Up to `limit` blocks of the best chain from height `from` on, oldest first, by one request. Where they are so large
    /// that they exceed a bound together, fewer of them, from a greater height on.
    pub(crate) async fn chain(&self, from: u64, limit: u64) -> Result<Vec<Block>, NoAnswer> {
        let end = from.saturating_add(limit);
        let mut wanted = limit;
        loop {
            let max_bytes = if wanted <= 1 { self.max_block_bytes + 2 } else { PAGE_BYTES };
            let ask = async move |client: &Client, node: &str| {
                client.chain_json(node, end.saturating_sub(wanted), wanted, max_bytes).await
            };
            match self.node(ask).await {
                Ok(json) => return read_blocks(json).await,
                Err(NoAnswer::Failed { error: Error::Oversized { .. }, .. }) if wanted > 1 => {
                    wanted = wanted.div_ceil(4)
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask<T>(
        &self,
        what: &'static str,
        addresses: Vec<String>,
        ask: impl AsyncFn(&Client, &str) -> Result<T, Error>,
    ) -> Result<T, NoAnswer> {
        let mut last = NoAnswer::Nobody(what);
        for address in addresses.into_iter().take(TRIES) {
            match ask(&self.client, &address).await {
                Ok(answer) => return Ok(answer),
                // The size of an answer does not depend on who is asked.
                Err(error @ Error::Oversized { .. }) => return Err(NoAnswer::Failed { address, error }),
                Err(error @ Error::Refused(_)) if error.status().is_some_and(|status| status < 500) => {
                    return Err(NoAnswer::Failed { address, error });
                }
                Err(error) => last = NoAnswer::Failed { address, error },
            }
        }
        Err(last)
    }
}

/// Hashing megabytes must not hold up others.
async fn read_blocks(json: Bytes) -> Result<Vec<Block>, NoAnswer> {
    let malformed = |error: String| NoAnswer::Failed { address: "a node".to_owned(), error: Error::Malformed(error) };
    let read = tokio::task::spawn_blocking(move || serde_json::from_slice(&json)).await;
    read.map_err(|error| malformed(error.to_string()))?.map_err(|error| malformed(error.to_string()))
}
