//! Reads the chain: blocks, headers, length, tips.

use crate::block_cache::BlockKey;
use crate::state::NodeState;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::HeaderValue;
use http::header::LINK;
use runtime::server::{self, Number, Request, Response, reply};
use serde::Deserialize;
use shared::block::{Block, BlockHash, BlockId, Height};
use shared::chain::ChainReader;
use shared::store::StoreError;
use shared::sync::HEADERS_PER_REQUEST;
use shared::wire::Problem;
use std::str::FromStr;
use std::sync::Arc;
use utoipa::IntoParams;

/// Headers of one answer unless `limit` says otherwise.
const DEFAULT_HEADERS: usize = 100;
/// Most blocks in a page that `/blockchain` reads at once.
const PAGE_BLOCKS: usize = 500;
/// Most bytes of data in such a page.
const PAGE_BYTES: usize = 1 << 20;

pub(crate) async fn length(node: Arc<NodeState>, _: Request) -> Result<Response, Problem> {
    Ok(reply::number(node.follower.status().tip.index.next().0))
}

pub(crate) async fn tips(node: Arc<NodeState>, _: Request) -> Result<Response, Problem> {
    reply::json(&node.follower.status().tips)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockQuery {
    /// A height of at most 16 digits, or a hash of 64 hex digits.
    #[param(pattern = "^([0-9]{1,16}|[0-9a-fA-F]{64})$")]
    index: String,
}

pub(crate) async fn block_by_query(node: Arc<NodeState>, request: Request) -> Result<Response, Problem> {
    let BlockQuery { index } = request.query()?;
    find_block(&node, &index).await
}

pub(crate) async fn block(node: Arc<NodeState>, request: Request) -> Result<Response, Problem> {
    let [id] = request.params()?;
    find_block(&node, id).await
}

async fn find_block(node: &NodeState, id: &str) -> Result<Response, Problem> {
    if id.len() == 64 {
        let hash = BlockHash::from_str(&id.to_ascii_lowercase());
        let hash = hash.map_err(|error| server::bad_request(format!("block {id:?}: {error}")))?;
        return by_hash(node, hash).await;
    }
    let is_number = matches!(id.len(), 1..=16) && id.bytes().all(|c| c.is_ascii_digit());
    let height = is_number.then(|| id.parse().ok()).flatten().map(Height);
    let height = height.ok_or_else(|| {
        server::bad_request(format!("block {id:?}: expected a height (0, 1, 2, …) or a hash of 64 hex digits"))
    })?;
    by_height(node, height).await
}

async fn by_height(node: &NodeState, height: Height) -> Result<Response, Problem> {
    let status = node.follower.status();
    if height > status.tip.index {
        return Err(server::not_found(format!("there is no block {height} yet, the last one is {}", status.tip.index)));
    }
    let key = BlockKey::Best { height, reorganisations: status.reorganisations };
    cached(node, key, move |reader| reader.best_at(height))
        .await?
        .ok_or_else(|| server::not_found(format!("there is no block {height}")))
}

async fn by_hash(node: &NodeState, hash: BlockHash) -> Result<Response, Problem> {
    cached(node, BlockKey::Hash(hash), move |reader| reader.find(&hash))
        .await?
        .ok_or_else(|| server::not_found(format!("there is no block {hash} here")))
}

/// The block that `key` names, from the cache; otherwise `find` looks it up on disk.
async fn cached(
    node: &NodeState,
    key: BlockKey,
    find: impl FnOnce(&ChainReader) -> Result<Option<BlockId>, StoreError> + Send + 'static,
) -> Result<Option<Response>, Problem> {
    if let Some(json) = node.cache.get(key) {
        return Ok(Some(reply::json_bytes(json)));
    }
    let read = move |reader: &ChainReader| find(reader)?.map(|id| reader.block(id)).transpose();
    let json = node.read(read).await?.map(|block| to_json(&block));
    if let Some(json) = &json {
        node.cache.put(key, json.clone());
    }
    Ok(json.map(reply::json_bytes))
}

fn to_json(block: &Block) -> Bytes {
    // Cannot fail: a block is texts and integers.
    serde_json::to_vec(block).unwrap_or_default().into()
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadersQuery {
    /// Height of the first header.
    #[serde(default)]
    #[param(inline)]
    from: Number,
    /// Most headers, 100 unless given, at most 2000.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockchainQuery {
    /// Height of the first block.
    #[serde(default)]
    #[param(inline)]
    from: Number,
    /// Most blocks; all unless given.
    #[param(inline, nullable = false)]
    limit: Option<Number>,
}

pub(crate) async fn headers(node: Arc<NodeState>, request: Request) -> Result<Response, Problem> {
    let HeadersQuery { from: Number(from), limit } = request.query()?;
    let limit = limit.map_or(DEFAULT_HEADERS, |Number(limit)| limit.min(HEADERS_PER_REQUEST as u64) as usize);
    let (headers, tip) = node.read(move |reader| Ok((reader.headers(Height(from), limit)?, reader.tip_id()?))).await?;
    let mut response = reply::json(&headers)?;
    if let Some(last) = headers.last()
        && last.index < tip.index
    {
        let next = format!("</headers?from={}&limit={limit}>; rel=\"next\"", last.index.next());
        if let Ok(next) = HeaderValue::from_str(&next) {
            response.headers_mut().insert(LINK, next);
        }
    }
    Ok(response)
}

pub(crate) async fn blockchain(node: Arc<NodeState>, request: Request) -> Result<Response, Problem> {
    let BlockchainQuery { from: Number(from), limit } = request.query()?;
    let stream_state = ChainStream {
        node: node.clone(),
        next: Height(from),
        left: limit.map_or(u64::MAX, |Number(limit)| limit),
        last: None,
        state: StreamState::Begins,
    };
    reply::stream(&request, "application/json", stream::unfold(stream_state, ChainStream::step))
}

struct ChainStream {
    node: Arc<NodeState>,
    next: Height,
    left: u64,
    /// The last block of the previous page, which the next one must build on.
    last: Option<BlockHash>,
    state: StreamState,
}

#[derive(PartialEq, Eq)]
enum StreamState {
    Begins,
    GoesOn,
    Ended,
}

/// Why `/blockchain` breaks off.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the chain was reorganised while it was read; try again")]
    Reorganised,
    #[error("{0}")]
    Task(#[from] tokio::task::JoinError),
}

impl ChainStream {
    async fn step(mut self) -> Option<(Result<Bytes, StreamError>, Self)> {
        if self.state == StreamState::Ended {
            return None;
        }
        let page = self.page().await.inspect_err(|error| match error {
            StreamError::Store(error) => drop(self.node.store_problem(error)),
            _ => self.state = StreamState::Ended,
        });
        if page.is_err() {
            self.state = StreamState::Ended;
        }
        Some((page, self))
    }

    /// The next page as a part of the JSON array; the last page closes it.
    async fn page(&mut self) -> Result<Bytes, StreamError> {
        let (view, from) = (self.node.follower.view().clone(), self.next);
        let limit = self.left.min(PAGE_BLOCKS as u64) as usize;
        let last = self.last.zip(from.0.checked_sub(1));
        let read = move || -> Result<_, StoreError> {
            let reader = view.reader()?;
            let joins = match last {
                Some((hash, index)) => reader.is_best(BlockId { index: Height(index), hash })?,
                None => true,
            };
            Ok((reader.blocks(from, limit, PAGE_BYTES)?, joins))
        };
        let (blocks, joins) = tokio::task::spawn_blocking(read).await??;
        if !joins {
            return Err(StreamError::Reorganised);
        }
        let mut json = BytesMut::new();
        if self.state == StreamState::Begins {
            json.put_u8(b'[');
        }
        for block in &blocks {
            if self.last.is_some() {
                json.put_u8(b',');
            }
            json.put_slice(&to_json(block));
            self.last = Some(block.hash());
        }
        self.left -= blocks.len() as u64;
        self.state = if blocks.is_empty() || self.left == 0 { StreamState::Ended } else { StreamState::GoesOn };
        if self.state == StreamState::Ended {
            json.put_u8(b']');
        }
        if let Some(last) = blocks.last() {
            self.next = last.index().next();
        }
        Ok(json.freeze())
    }
}
