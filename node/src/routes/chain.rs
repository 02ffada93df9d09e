//! Reading the chain: blocks, headers, length, tips.

use crate::service::{NodeService, store_problem};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::HeaderValue;
use http::header::LINK;
use runtime::server::{self, Request, Response, reply};
use serde::Deserialize;
use shared::block::{Block, BlockHash, BlockId, BlockJson, HeaderJson, Height};
use shared::chain::{BranchTip, ChainView};
use shared::store::StoreError;
use shared::sync::HEADERS_PER_REQUEST;
use shared::wire::Problem;
use std::str::FromStr;

/// Headers of one answer unless `limit` says otherwise.
const DEFAULT_HEADERS: usize = 100;
/// `/blockchain` reads pages of so many blocks …
const PAGE_BLOCKS: usize = 500;
/// … or so many bytes of data.
const PAGE_BYTES: usize = 1 << 20;

/// The number of blocks, genesis included.
#[utoipa::path(get, path = "/chainlength", responses((status = 200, body = u64)))]
pub(crate) fn length(node: &NodeService) -> Result<Response, Problem> {
    Ok(reply::number(node.follower.status().tip.index.next().0))
}

/// The ends of all branches: the best, up to 50 side branches, up to 50 invalid ones.
#[utoipa::path(get, path = "/tips", responses((status = 200, body = Vec<BranchTip>)))]
pub(crate) fn tips(node: &NodeService) -> Result<Response, Problem> {
    reply::json(&node.follower.status().tips)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByIndex {
    index: String,
}

/// The block at a height of the best chain.
#[utoipa::path(get, path = "/block", params(("index" = u64, Query, description = "The height")), responses((status = 200, body = BlockJson), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn block_by_query(node: &NodeService, request: &Request) -> Result<Response, Problem> {
    let ByIndex { index } = request.query()?;
    block(node, &index).await
}

/// The block at a height of the best chain, or of a hash (64 hex digits) on any stored branch.
#[utoipa::path(get, path = "/block/{id}", params(("id" = String, Path, description = "A height or a hash")), responses((status = 200, body = BlockJson), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn block(node: &NodeService, id: &str) -> Result<Response, Problem> {
    if id.len() == 64 {
        let hash = BlockHash::from_str(&id.to_ascii_lowercase());
        let hash = hash.map_err(|error| server::bad_request(format!("block {id:?}: {error}")))?;
        return by_hash(node, hash).await;
    }
    let is_number = !id.is_empty() && id.bytes().all(|c| c.is_ascii_digit());
    let height = is_number.then(|| id.parse().ok()).flatten().map(Height);
    let height = height.ok_or_else(|| {
        server::bad_request(format!("block {id:?}: expected a height (0, 1, 2, …) or a hash of 64 hex digits"))
    })?;
    by_height(node, height).await
}

async fn by_height(node: &NodeService, height: Height) -> Result<Response, Problem> {
    let status = node.follower.status();
    if height > status.tip.index {
        return Err(server::not_found(format!("there is no block {height} yet, the last one is {}", status.tip.index)));
    }
    if let Some(json) = node.cache.get(height, status.reorganisations) {
        return Ok(reply::json_bytes(json));
    }
    let json = node
        .read(move |reader| Ok(reader.best_at(height)?.map(|id| reader.block(id)).transpose()?.map(|b| to_json(&b))))
        .await?
        .ok_or_else(|| server::not_found(format!("there is no block {height}")))?;
    node.cache.put(height, status.reorganisations, json.clone());
    Ok(reply::json_bytes(json))
}

async fn by_hash(node: &NodeService, hash: BlockHash) -> Result<Response, Problem> {
    let json = node
        .read(move |reader| Ok(reader.find(&hash)?.map(|id| reader.block(id)).transpose()?.map(|b| to_json(&b))))
        .await?
        .ok_or_else(|| server::not_found(format!("there is no block {hash} here")))?;
    Ok(reply::json_bytes(json))
}

fn to_json(block: &Block) -> Bytes {
    // A block is text and integers, which JSON can always carry.
    serde_json::to_vec(block).unwrap_or_default().into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    from: u64,
    limit: Option<u64>,
}

/// Headers of the best chain; `Link` names the next page.
#[utoipa::path(get, path = "/headers", params(("from" = Option<u64>, Query, description = "Height of the first, 0 unless given"), ("limit" = Option<usize>, Query, description = "Most headers, 100 unless given, at most 2000")), responses((status = 200, body = Vec<HeaderJson>), (status = 400, body = Problem)))]
pub(crate) async fn headers(node: &NodeService, request: &Request) -> Result<Response, Problem> {
    let Page { from, limit } = request.query()?;
    let limit = limit.map_or(DEFAULT_HEADERS, |limit| limit.min(HEADERS_PER_REQUEST as u64) as usize);
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

/// The best chain as one JSON array, streamed page by page in constant memory; it breaks off where the chain is reorganised meanwhile.
#[utoipa::path(get, path = "/blockchain", params(("from" = Option<u64>, Query, description = "Height of the first, 0 unless given"), ("limit" = Option<u64>, Query, description = "Most blocks, all unless given")), responses((status = 200, body = Vec<BlockJson>), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) fn blockchain(node: &NodeService, request: &Request) -> Result<Response, Problem> {
    let Page { from, limit } = request.query()?;
    let walk = Walk {
        view: node.follower.view().clone(),
        next: Height(from),
        left: limit.unwrap_or(u64::MAX),
        last: None,
        state: WalkState::Begins,
    };
    reply::stream(request, "application/json", stream::unfold(walk, Walk::step))
}

struct Walk {
    view: ChainView,
    next: Height,
    left: u64,
    /// What the next page must join to.
    last: Option<BlockHash>,
    state: WalkState,
}

#[derive(PartialEq, Eq)]
enum WalkState {
    Begins,
    GoesOn,
    Ended,
}

/// Why `/blockchain` breaks off.
#[derive(Debug, thiserror::Error)]
enum WalkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the chain was reorganised while it was read; ask again")]
    Reorganised,
    #[error("{0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Walk {
    async fn step(mut self) -> Option<(Result<Bytes, WalkError>, Self)> {
        if self.state == WalkState::Ended {
            return None;
        }
        let page = self.page().await.inspect_err(|error| match error {
            WalkError::Store(error) => drop(store_problem(error)),
            _ => self.state = WalkState::Ended,
        });
        if page.is_err() {
            self.state = WalkState::Ended;
        }
        Some((page, self))
    }

    /// The next page as a piece of the JSON array; the last one closes it.
    async fn page(&mut self) -> Result<Bytes, WalkError> {
        let (view, from) = (self.view.clone(), self.next);
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
            return Err(WalkError::Reorganised);
        }
        let mut json = BytesMut::new();
        if self.state == WalkState::Begins {
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
        self.state = if blocks.is_empty() || self.left == 0 { WalkState::Ended } else { WalkState::GoesOn };
        if self.state == WalkState::Ended {
            json.put_u8(b']');
        }
        if let Some(last) = blocks.last() {
            self.next = last.index().next();
        }
        Ok(json.freeze())
    }
}
