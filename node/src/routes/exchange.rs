//! What nodes exchange: pushed blocks, headers after a locator, blocks by hash.

use crate::service::{NodeService, follower_problem, store_problem};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use shared::block::{Block, BlockJson, HeaderJson, MalformedBlock};
use shared::chain::{Accepted, BlockError, BlockViolation, MAX_LOCATOR};
use shared::sync::{BLOCKS_PER_REQUEST, HEADERS_PER_REQUEST, PeerAddress};
use shared::wire::{BlockResponse, BlockSource, BlockStatus, BlocksRequest, HeadersRequest, Problem};
use std::io;
use std::time::Duration;

/// Data in one answer of `/sync/blocks`, in bytes; its JSON is at most a little more for what is usual data.
const BLOCKS_BYTES: usize = 6 << 20;
/// How long a request for blocks waits for its turn.
const PLACE_WITHIN: Duration = Duration::from_secs(5);
/// JSON in one answer of `/sync/blocks`, in bytes (docs/protocol.md §10).
const BLOCKS_JSON: usize = 8 << 20;

/// How long a peer may take to read them: it does not wait longer itself.
const BLOCKS_WITHIN: Duration = Duration::from_secs(30);

/// Longest JSON of a block: any byte of data may be written as `\u0000` (docs/protocol.md §8).
fn block_limit(node: &NodeService) -> usize {
    6 * node.follower.rules().params().max_data_bytes as usize + 4096
}

/// Offers a block: 201 taken, 200 known, 202 not yet with the reason.
#[utoipa::path(post, path = "/block", request_body = BlockJson, responses((status = 201, body = BlockResponse), (status = 200, body = BlockResponse), (status = 202, body = BlockResponse), (status = 400, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem, description = "A broken rule")))]
pub(crate) async fn push(
    node: &NodeService,
    mut request: Request,
    sender: Option<PeerAddress>,
) -> Result<Response, Problem> {
    let body = request.bytes(block_limit(node)).await?;
    let parsed = tokio::task::spawn_blocking(move || Block::from_json(&body)).await;
    let block = parsed.map_err(|error| server::internal(error.to_string()))?.map_err(|error| match error {
        MalformedBlock::Json(error) => server::bad_request(format!("not a block: {error}")),
        MalformedBlock::WrongHash(error) => server::unprocessable("hash", error.to_string()),
    })?;
    submit(node, block, BlockSource::Pushed, sender).await
}

/// Hands a block to the chain and tells what became of it.
pub(crate) async fn submit(
    node: &NodeService,
    block: Block,
    source: BlockSource,
    sender: Option<PeerAddress>,
) -> Result<Response, Problem> {
    let hash = block.hash();
    let answer = |code, status, reason| reply::status(code, &BlockResponse { status, hash, reason });
    match node.follower.submit(block, source, sender).await.map_err(|error| follower_problem(&error))? {
        Ok(Accepted::Best | Accepted::Side) => answer(StatusCode::CREATED, BlockStatus::Taken, None),
        Ok(Accepted::Known) => answer(StatusCode::OK, BlockStatus::Known, None),
        Err(BlockError::NotYet(reason)) => answer(StatusCode::ACCEPTED, BlockStatus::Later, Some(reason.to_string())),
        Err(BlockError::Invalid(broken)) => Err(broken_problem(&broken)),
        Err(BlockError::Failed(error)) => Err(store_problem(&error)),
    }
}

pub(crate) fn broken_problem(broken: &BlockViolation) -> Problem {
    server::unprocessable(broken.name(), broken.to_string())
}

/// Up to 2000 headers after the first hash of the locator that is on the best chain.
#[utoipa::path(post, path = "/sync/headers", request_body = HeadersRequest, responses((status = 200, body = Vec<HeaderJson>), (status = 400, body = Problem), (status = 409, body = Problem, description = "No hash is on the best chain")))]
pub(crate) async fn headers(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    let HeadersRequest { locator, limit } = request.json(BODY_LIMIT).await?;
    if locator.len() > MAX_LOCATOR {
        let got = locator.len();
        return Err(server::bad_request(format!("a locator has at most {MAX_LOCATOR} hashes, this one has {got}")));
    }
    let limit = limit.min(HEADERS_PER_REQUEST as u64) as usize;
    let headers = node.read(move |reader| reader.headers_after(&locator, limit)).await?;
    let headers = headers.ok_or_else(|| server::conflict("no hash of the locator is on the best chain here"))?;
    reply::json(&headers)
}

/// Blocks by hash as NDJSON in the order asked, up to 500 or 8 MiB, at least one; an unknown one ends the answer.
#[utoipa::path(post, path = "/sync/blocks", request_body = BlocksRequest, responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = 400, body = Problem), (status = 503, body = Problem, description = "Too many such answers at the moment")))]
pub(crate) async fn blocks(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    let BlocksRequest { hashes } = request.json(BODY_LIMIT).await?;
    if hashes.len() > BLOCKS_PER_REQUEST {
        let got = hashes.len();
        return Err(server::bad_request(format!("at most {BLOCKS_PER_REQUEST} blocks at a time, these are {got}")));
    }
    // The place comes first: the answers themselves are what it bounds.
    let place = tokio::time::timeout(PLACE_WITHIN, node.block_answers.clone().acquire_owned()).await;
    let place = place.ok().and_then(Result::ok);
    let place = place.ok_or_else(|| server::unavailable("too many answers of blocks at the moment; try again"))?;
    let lines = node.read(move |reader| Ok(to_lines(reader.blocks_by_hash(&hashes, BLOCKS_BYTES)?))).await?;
    let chunks = stream::iter([Ok::<_, io::Error>(lines)]);
    Ok(reply::stream_in(place, BLOCKS_WITHIN, "application/x-ndjson", chunks))
}

/// One block a line, up to the limit of bytes, at least one.
fn to_lines(blocks: Vec<Block>) -> Bytes {
    let data: usize = blocks.iter().map(|block| block.data().len()).sum();
    // Room for the usual: hashes, numbers and names take about 330 bytes a block.
    let mut lines = Vec::with_capacity(data + 400 * blocks.len());
    for block in blocks {
        let before = lines.len();
        // A block is text and integers, which JSON can always carry; a write to a Vec cannot fail.
        if serde_json::to_writer(&mut lines, &block).is_err() || (before > 0 && lines.len() > BLOCKS_JSON) {
            lines.truncate(before);
            break;
        }
        lines.push(b'\n');
    }
    lines.into()
}
