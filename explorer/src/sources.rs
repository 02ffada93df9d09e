//! Whom to ask: the node with the best chain, a mempool that answers; the next one if it does not.

use crate::network::Watch;
use runtime::client::{Client, Error};
use shared::block::{Block, BlockHash};
use shared::params::Params;

/// How many are asked before it is given up.
const TRIES: usize = 3;

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
        let max_block_bytes = usize::try_from(params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10);
        Self { client, watch, max_block_bytes }
    }

    /// Asks a node, the one with the best chain first.
    pub(crate) async fn node<T>(&self, ask: impl AsyncFn(&Client, &str) -> Result<T, Error>) -> Result<T, NoAnswer> {
        self.ask("node", self.watch.picture().best_nodes(), ask).await
    }

    /// Asks a mempool.
    pub(crate) async fn mempool<T>(&self, ask: impl AsyncFn(&Client, &str) -> Result<T, Error>) -> Result<T, NoAnswer> {
        self.ask("mempool", self.watch.picture().answering_mempools(), ask).await
    }

    /// A block of the best chain by its height.
    pub(crate) async fn block_at(&self, height: u64) -> Result<Block, NoAnswer> {
        self.node(async |client, node| client.block(node, height, self.max_block_bytes).await).await
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
                        Ok(_) => last = NoAnswer::Failed { address, error: Error::Malformed("another block".to_owned()) },
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
                Err(error @ Error::Refused(_)) if error.status().is_some_and(|status| status < 500) => {
                    return Err(NoAnswer::Failed { address, error });
                }
                Err(error) => last = NoAnswer::Failed { address, error },
            }
        }
        Err(last)
    }
}
