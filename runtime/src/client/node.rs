//! What a node is asked (docs/protocol.md §10).
//!
//! Headers and blocks are hashed while they are read, so what arrives is what its hash says; whether it keeps the
//! chain's rules is not looked at here.

use super::transport::{Bounds, from_json, off_the_loop, to_json, whole};
use super::{Client, Error};
use bytes::Bytes;
use reqwest::Method;
use shared::block::{Block, BlockHash, Header};
use shared::chain::BranchTip;
use shared::ledger::Address;
use shared::wire::{
    BlockResponse, BlocksRequest, HeadersRequest, MineRequest, MineResponse, PeerInfo, PeersUpdate, SyncReport,
    WorkOffer, WorkSolution,
};
use std::time::Duration;

/// Most bytes of blocks that an answer of `POST /sync/blocks` carries, apart from one block that is always sent.
const BLOCKS_BYTES: usize = 8 * 1024 * 1024;
/// Longest time for an answer that carries blocks.
const BLOCKS_TIME: Duration = Duration::from_secs(30);
/// Longest time that `POST /mine` and `POST /sync` are waited for: they answer when the work is done.
const WORK_TIME: Duration = Duration::from_secs(600);

impl Client {
    /// `GET /chainlength`: blocks on the best chain, genesis included.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn chain_length(&self, address: &str) -> Result<u64, Error> {
        self.get(address, "/chainlength", Bounds::SMALL).await
    }

    /// `GET /tips`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tips(&self, address: &str) -> Result<Vec<BranchTip>, Error> {
        self.get(address, "/tips", Bounds::LIST).await
    }

    /// `GET /peers`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn node_peers(&self, address: &str) -> Result<Vec<PeerInfo>, Error> {
        self.get(address, "/peers", Bounds::LIST).await
    }

    /// `GET /block/<n>`; `max_block_bytes` bounds its JSON.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn block(&self, address: &str, index: u64, max_block_bytes: usize) -> Result<Block, Error> {
        let within = Bounds { time: BLOCKS_TIME, bytes: max_block_bytes };
        let answer = self.send(self.request(Method::GET, address, &format!("/block/{index}"))?, within).await?;
        let body = whole(answer, within.bytes).await?;
        off_the_loop(move || read_block(&body)).await
    }

    /// `GET /block/<hash>`: the JSON as it came, for who wants to judge it without our own reading of blocks;
    /// `max_block_bytes` bounds it. Finds blocks of side branches too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn block_json(&self, address: &str, hash: BlockHash, max_block_bytes: usize) -> Result<Bytes, Error> {
        let within = Bounds { time: BLOCKS_TIME, bytes: max_block_bytes };
        let answer = self.send(self.request(Method::GET, address, &format!("/block/{hash}"))?, within).await?;
        whole(answer, within.bytes).await
    }

    /// `GET /blockchain`: up to `limit` blocks of the best chain from height `from` on, as the JSON array that came;
    /// `max_bytes` bounds it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn chain_json(&self, address: &str, from: u64, limit: u64, max_bytes: usize) -> Result<Bytes, Error> {
        let within = Bounds { time: BLOCKS_TIME, bytes: max_bytes };
        let path = format!("/blockchain?from={from}&limit={limit}");
        whole(self.send(self.request(Method::GET, address, &path)?, within).await?, within.bytes).await
    }

    /// `POST /sync/headers`.
    ///
    /// # Errors
    /// See [`Error`]; refused with 409 if no hash of the locator is on the other's best chain.
    pub async fn headers(&self, address: &str, ask: &HeadersRequest) -> Result<Vec<Header>, Error> {
        let request = self.post_request(address, "/sync/headers", None, to_json(ask)?)?;
        let body = whole(self.send(request, Bounds::LIST).await?, Bounds::LIST.bytes).await?;
        off_the_loop(move || from_json(&body)).await
    }

    /// `POST /sync/blocks`; `max_block_bytes` bounds the JSON of one block.
    ///
    /// Fewer blocks than asked for may come; which ones is for the caller to compare.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn blocks(
        &self,
        address: &str,
        ask: &BlocksRequest,
        max_block_bytes: usize,
    ) -> Result<Vec<Block>, Error> {
        let within = Bounds { time: BLOCKS_TIME, bytes: BLOCKS_BYTES + max_block_bytes };
        let request = self.post_request(address, "/sync/blocks", None, to_json(ask)?)?;
        let body = whole(self.send(request, within).await?, within.bytes).await?;
        off_the_loop(move || body.split(|c| *c == b'\n').filter(|line| !line.is_empty()).map(read_block).collect())
            .await
    }

    /// `POST /block` with the JSON of a block, which is made once and pushed to many.
    ///
    /// # Errors
    /// See [`Error`]; refused with 422 and the rule if the block breaks one.
    pub async fn push_block(&self, address: &str, block: Bytes) -> Result<BlockResponse, Error> {
        self.post(address, "/block", None, block, Bounds::SMALL.time(BLOCKS_TIME)).await
    }

    /// `POST /peers`: whom the node talks to.
    ///
    /// # Errors
    /// See [`Error`]; refused with 401 if the token is wrong.
    pub async fn update_peers(&self, address: &str, token: &str, update: &PeersUpdate) -> Result<(), Error> {
        self.post_quietly(address, "/peers", Some(token), to_json(update)?).await
    }

    /// `POST /sync`: ask every peer now.
    ///
    /// # Errors
    /// See [`Error`]; refused with 401 if the token is wrong.
    pub async fn sync_now(&self, address: &str, token: &str) -> Result<SyncReport, Error> {
        self.post(address, "/sync", Some(token), Bytes::new(), Bounds::SMALL.time(WORK_TIME)).await
    }

    /// `POST /mine`: mine now; answers when it is done, at most after ten minutes.
    ///
    /// # Errors
    /// See [`Error`]; refused with 401 if the token is wrong.
    pub async fn mine(&self, address: &str, token: &str, request: &MineRequest) -> Result<MineResponse, Error> {
        self.post(address, "/mine", Some(token), to_json(request)?, Bounds::LIST.time(WORK_TIME)).await
    }

    /// `GET /work`: a block to be mined outside of the node, for `miner`.
    ///
    /// # Errors
    /// See [`Error`]; refused with 503 if there is none at the moment.
    pub async fn work(&self, address: &str, miner: &Address) -> Result<WorkOffer, Error> {
        self.get(address, &format!("/work?miner={miner}"), Bounds::SMALL).await
    }

    /// `POST /work`: the nonce that was found for it.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if it is not on offer any more.
    pub async fn solve_work(&self, address: &str, solution: &WorkSolution) -> Result<BlockResponse, Error> {
        self.post(address, "/work", None, to_json(solution)?, Bounds::SMALL).await
    }
}

fn read_block(json: &[u8]) -> Result<Block, Error> {
    Block::from_json(json).map_err(|error| Error::Malformed(error.to_string()))
}
