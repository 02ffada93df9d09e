//! Calls to a node (docs/protocol.md §10).
//!
//! Headers and blocks are hashed while they are read, so their content fits their hash; the rules of the chain are not
//! checked here. They are asked for in compact form, and read in both forms.

use super::transport::{Bounds, from_json, read_body, read_body_watched, spawn_blocking, to_json};
use super::{Client, Error};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::Method;
use shared::block::{Block, BlockHash, COMPACT_TYPE, Header, NotCompact};
use shared::chain::BranchTip;
use shared::ledger::Address;
use shared::wire::{
    AnnounceResponse, Announcement, BlockResponse, BlocksRequest, HeadersRequest, Interest, MineRequest, MineResponse,
    PeerInfo, PeersUpdate, SyncReport, WorkOffer, WorkSolution,
};
use std::time::Duration;

/// Most bytes in the answer of `POST /sync/blocks`, unless its one block is longer.
const BLOCKS_BYTES: usize = 8 * 1024 * 1024;
/// Longest time for an answer with blocks.
const BLOCKS_TIME: Duration = Duration::from_secs(30);
/// Longest time for `POST /mine` and `POST /sync`, which return when the work is done.
const WORK_TIME: Duration = Duration::from_secs(600);

impl Client {
    /// `GET /chainlength`: the number of blocks on the best chain, genesis included.
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

    /// `GET /block/<n>`; `max_block_bytes` bounds the block's JSON.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn block(&self, address: &str, index: u64, max_block_bytes: usize) -> Result<Block, Error> {
        let bounds = Bounds { time: BLOCKS_TIME, bytes: max_block_bytes };
        let answer = self.send(self.request(Method::GET, address, &format!("/block/{index}"))?, bounds).await?;
        let body = read_body(answer, bounds.bytes).await?;
        spawn_blocking(move || read_block(&body)).await
    }

    /// `GET /block/<hash>`, also of side branches: the JSON as it was received, for callers that check blocks without
    /// our parser; `max_block_bytes` bounds it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn block_json(&self, address: &str, hash: BlockHash, max_block_bytes: usize) -> Result<Bytes, Error> {
        let bounds = Bounds { time: BLOCKS_TIME, bytes: max_block_bytes };
        let answer = self.send(self.request(Method::GET, address, &format!("/block/{hash}"))?, bounds).await?;
        read_body(answer, bounds.bytes).await
    }

    /// `GET /blockchain`: up to `limit` blocks of the best chain from height `from` on, as the received JSON array;
    /// `max_bytes` bounds it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn chain_json(&self, address: &str, from: u64, limit: u64, max_bytes: usize) -> Result<Bytes, Error> {
        let bounds = Bounds { time: BLOCKS_TIME, bytes: max_bytes };
        let path = format!("/blockchain?from={from}&limit={limit}");
        read_body(self.send(self.request(Method::GET, address, &path)?, bounds).await?, bounds.bytes).await
    }

    /// `POST /sync/headers`.
    ///
    /// # Errors
    /// See [`Error`]; refused with 409 if no hash of the locator is on the node's best chain.
    pub async fn headers(&self, address: &str, ask: &HeadersRequest) -> Result<Vec<Header>, Error> {
        self.headers_watched(address, ask, Bounds::LIST.time, &|_| {}).await
    }

    /// As [`Client::headers`], within `time`; `on_progress` is called with the number of bytes received so far.
    ///
    /// # Errors
    /// As [`Client::headers`].
    pub async fn headers_watched(
        &self,
        address: &str,
        ask: &HeadersRequest,
        time: Duration,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Header>, Error> {
        let bounds = Bounds::LIST.time(time);
        let (body, is_compact) = self.exchange(address, "/sync/headers", to_json(ask)?, bounds, on_progress).await?;
        spawn_blocking(move || if is_compact { compact(Header::from_compact(&body)) } else { from_json(&body) }).await
    }

    /// `POST /sync/blocks`; `max_block_bytes` bounds the JSON of one block.
    ///
    /// The node may return fewer blocks than requested; the caller must compare.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn blocks(
        &self,
        address: &str,
        ask: &BlocksRequest,
        max_block_bytes: usize,
    ) -> Result<Vec<Block>, Error> {
        self.blocks_watched(address, ask, max_block_bytes, BLOCKS_TIME, &|_| {}).await
    }

    /// As [`Client::blocks`], within `time`; `on_progress` is called with the number of bytes received so far.
    ///
    /// # Errors
    /// As [`Client::blocks`].
    pub async fn blocks_watched(
        &self,
        address: &str,
        ask: &BlocksRequest,
        max_block_bytes: usize,
        time: Duration,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Block>, Error> {
        let bounds = Bounds { time, bytes: BLOCKS_BYTES + max_block_bytes };
        let (body, is_compact) = self.exchange(address, "/sync/blocks", to_json(ask)?, bounds, on_progress).await?;
        spawn_blocking(move || {
            if is_compact {
                return compact(Block::from_compact(&body));
            }
            body.split(|c| *c == b'\n').filter(|line| !line.is_empty()).map(read_block).collect()
        })
        .await
    }

    /// A request for headers or blocks: the body of the answer, and whether that is in compact form.
    async fn exchange(
        &self,
        address: &str,
        path: &str,
        ask: Bytes,
        bounds: Bounds,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(Bytes, bool), Error> {
        let request = self.post_request(address, path, None, ask)?.header(ACCEPT, COMPACT_TYPE);
        let answer = self.send(request, bounds).await?;
        let is_compact = answer.headers().get(CONTENT_TYPE).is_some_and(|media_type| media_type == COMPACT_TYPE);
        Ok((read_body_watched(answer, bounds.bytes, on_progress).await?, is_compact))
    }

    /// `POST /block` with the JSON of a block, which callers make once and push to many nodes.
    ///
    /// # Errors
    /// See [`Error`]; refused with 422 and the rule if the block breaks one.
    pub async fn push_block(&self, address: &str, block: Bytes) -> Result<BlockResponse, Error> {
        self.post(address, "/block", None, block, Bounds::SMALL.time(BLOCKS_TIME)).await
    }

    /// `POST /announce`: says that there is a block with this hash; returns whether the node wants it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn announce(&self, address: &str, hash: BlockHash) -> Result<Interest, Error> {
        let body = to_json(&Announcement { hash })?;
        let AnnounceResponse { interest } = self.post(address, "/announce", None, body, Bounds::SMALL).await?;
        Ok(interest)
    }

    /// `POST /peers`: changes the peers of the node.
    ///
    /// # Errors
    /// See [`Error`]; refused with 401 if the token is wrong.
    pub async fn update_peers(&self, address: &str, token: &str, update: &PeersUpdate) -> Result<(), Error> {
        self.post_quietly(address, "/peers", Some(token), to_json(update)?).await
    }

    /// `POST /sync`: makes the node ask every peer now.
    ///
    /// # Errors
    /// See [`Error`]; refused with 401 if the token is wrong.
    pub async fn sync_now(&self, address: &str, token: &str) -> Result<SyncReport, Error> {
        self.post(address, "/sync", Some(token), Bytes::new(), Bounds::SMALL.time(WORK_TIME)).await
    }

    /// `POST /mine`: mines blocks now; returns when they are mined, at most after ten minutes.
    ///
    /// # Errors
    /// See [`Error`]; refused with 401 if the token is wrong.
    pub async fn mine(&self, address: &str, token: &str, request: &MineRequest) -> Result<MineResponse, Error> {
        self.post(address, "/mine", Some(token), to_json(request)?, Bounds::LIST.time(WORK_TIME)).await
    }

    /// `GET /work`: a block to be mined outside of the node, which pays `miner`.
    ///
    /// # Errors
    /// See [`Error`]; refused with 503 if the node has no work at the moment.
    pub async fn work(&self, address: &str, miner: &Address) -> Result<WorkOffer, Error> {
        self.get(address, &format!("/work?miner={miner}"), Bounds::SMALL).await
    }

    /// `POST /work`: a nonce for offered work.
    ///
    /// # Errors
    /// See [`Error`]; refused with 404 if the work is not on offer any more.
    pub async fn solve_work(&self, address: &str, solution: &WorkSolution) -> Result<BlockResponse, Error> {
        self.post(address, "/work", None, to_json(solution)?, Bounds::SMALL).await
    }
}

fn compact<T>(read: Result<T, NotCompact>) -> Result<T, Error> {
    read.map_err(|error| Error::Malformed(error.to_string()))
}

fn read_block(json: &[u8]) -> Result<Block, Error> {
    Block::from_json(json).map_err(|error| Error::Malformed(error.to_string()))
}
