//! The exchange between nodes: pushed blocks, headers after a locator, blocks by hash.

use crate::sender::verified_sender;
use crate::state::{NodeState, follower_problem};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use shared::block::{Block, BlockHash, COMPACT_TYPE, Header, MalformedBlock};
use shared::chain::{Accepted, BlockError, BlockViolation, MAX_LOCATOR, NotYet};
use shared::sync::{BLOCKS_PER_REQUEST, HEADERS_PER_REQUEST, PeerAddress};
use shared::wire::{
    AnnounceResponse, Announcement, BlockResponse, BlockSource, BlockStatus, BlocksRequest, HeadersRequest, Problem,
};
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Most data that one answer of `/sync/blocks` reads, in bytes; the JSON of ordinary data is little longer.
const BLOCKS_BYTES: usize = 6 << 20;
/// Most JSON in one answer of `/sync/blocks`, in bytes (docs/protocol.md §10).
const BLOCKS_JSON: usize = 8 << 20;
/// Longest time that a request for blocks waits for its turn: a peer that waits longer counts as one that does not
/// deliver.
const BLOCKS_WAIT: Duration = Duration::from_secs(2);
/// Longest time for a peer to read the blocks; its own client waits no longer either.
const BLOCKS_DEADLINE: Duration = Duration::from_secs(30);
/// Most machines whose nodes are logged as impossible to call back.
const MAX_UNCALLABLE: usize = 1000;

pub(crate) async fn push(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let (sender, ip) = (admitted_sender(&node, &request).await?, request.remote.ip());
    let body = request.bytes(node.follower.rules().params().max_block_json()).await?;
    let parsed = tokio::task::spawn_blocking(move || Block::from_json(&body)).await;
    let parsed = parsed.map_err(|error| server::internal(error.to_string()))?.map_err(|error| match error {
        MalformedBlock::Json(error) => server::bad_request(format!("not a block: {error}")),
        MalformedBlock::WrongHash(error) => {
            node.push_guard.record_invalid(ip);
            server::unprocessable("hash", error.to_string())
        }
    });
    let block = parsed?;
    let hash = block.hash();
    let result = node.follower.submit(block, BlockSource::Pushed, sender.clone()).await;
    let result = result.map_err(|error| follower_problem(&error))?;
    let mut missing = None;
    match &result {
        Ok(accepted) => node.announcements().record_push(hash, ip, *accepted, node.clock.now().uptime_ms),
        Err(BlockError::Invalid(_)) => node.push_guard.record_invalid(ip),
        // A peer that can be called is asked for the parent; any other sender must push it.
        Err(BlockError::NotYet(NotYet::UnknownParent(parent)))
            if !sender.is_some_and(|sender| node.follower.may_call(&sender)) =>
        {
            missing = Some(*parent);
            warn_uncallable(&node, &request);
        }
        Err(_) => {}
    }
    respond(&node, hash, result, missing)
}

/// The node that sends a block or announces one, if its name is proven; refused from a machine of many invalid blocks.
async fn admitted_sender(node: &NodeState, request: &Request) -> Result<Option<PeerAddress>, Problem> {
    let (sender, ip) = (verified_sender(&node.resolver, request).await, request.remote.ip());
    if !node.push_guard.is_refused(ip) {
        return Ok(sender);
    }
    if let Some(sender) = sender {
        node.follower.hint(sender);
    }
    let detail = format!("too many invalid blocks came from {ip}; try again in half a minute");
    Err(server::problem(StatusCode::TOO_MANY_REQUESTS, detail))
}

/// Whether a block with this hash is wanted. The hash proves nothing, so this costs no more than looking it up.
pub(crate) async fn announce(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    admitted_sender(&node, &request).await?;
    let Announcement { hash } = request.json(BODY_LIMIT).await?;
    let is_stored = node.read(move |reader| Ok(reader.find(&hash)?.is_some())).await?;
    let interest = node.announcements().answer(hash, request.remote.ip(), is_stored, node.clock.now().uptime_ms);
    reply::json(&AnnounceResponse { interest })
}

/// Warns the operator once for each machine whose node cannot be called back.
fn warn_uncallable(node: &NodeState, request: &Request) {
    let Some(name) = request.claimed_node() else { return };
    let mut warned = node.uncallable.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.len() < MAX_UNCALLABLE && warned.insert(request.remote.ip()) {
        let ip = request.remote.ip();
        tracing::warn!(%ip, name, "a node pushes blocks but cannot be called back at the address that it names");
    }
}

/// Submits a block that was mined here; the answer has the chain's verdict.
pub(crate) async fn submit(node: &NodeState, block: Block) -> Result<Response, Problem> {
    let hash = block.hash();
    let result = node.follower.submit(block, BlockSource::Mined, None).await;
    respond(node, hash, result.map_err(|error| follower_problem(&error))?, None)
}

fn respond(
    node: &NodeState,
    hash: BlockHash,
    result: Result<Accepted, BlockError>,
    missing: Option<BlockHash>,
) -> Result<Response, Problem> {
    let answer = |code, status, reason| reply::status(code, &BlockResponse { status, hash, reason, missing });
    match result {
        Ok(Accepted::Best) => answer(StatusCode::CREATED, BlockStatus::Taken, None),
        Ok(Accepted::Side) => {
            let reason = "stored on a side branch: the best chain has as much work, or more";
            answer(StatusCode::CREATED, BlockStatus::Taken, Some(reason.to_owned()))
        }
        Ok(Accepted::Known) => answer(StatusCode::OK, BlockStatus::Known, None),
        Err(BlockError::NotYet(reason)) => answer(StatusCode::ACCEPTED, BlockStatus::Later, Some(reason.to_string())),
        Err(BlockError::Invalid(broken)) => Err(broken_problem(&broken)),
        Err(BlockError::Failed(error)) => Err(node.store_problem(&error)),
    }
}

pub(crate) fn broken_problem(broken: &BlockViolation) -> Problem {
    server::unprocessable(broken.name(), broken.to_string())
}

pub(crate) async fn headers(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let HeadersRequest { locator, limit } = request.json(BODY_LIMIT).await?;
    if locator.len() > MAX_LOCATOR {
        let got = locator.len();
        return Err(server::bad_request(format!("a locator has at most {MAX_LOCATOR} hashes, got {got}")));
    }
    let limit = limit.min(HEADERS_PER_REQUEST as u64) as usize;
    let headers = node.read(move |reader| reader.headers_after(&locator, limit)).await?;
    let headers = headers.ok_or_else(|| server::conflict("no hash of the locator is on the best chain here"))?;
    if request.names_type(COMPACT_TYPE) {
        return Ok(reply::whole(StatusCode::OK, COMPACT_TYPE, Header::to_compact(&headers).into()));
    }
    reply::json(&headers)
}

pub(crate) async fn blocks(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let BlocksRequest { hashes } = request.json(BODY_LIMIT).await?;
    if hashes.len() > BLOCKS_PER_REQUEST {
        let got = hashes.len();
        return Err(server::bad_request(format!("at most {BLOCKS_PER_REQUEST} blocks at a time, got {got}")));
    }
    // Before the blocks are read: the limit is for their memory.
    let place = node.block_answers.take(request.source, 1, BLOCKS_WAIT).await;
    let place = place.map_err(|full| {
        server::unavailable(format!("too many requests for blocks at the moment ({full}); try again"))
    })?;
    type Write = fn(Vec<Block>) -> Bytes;
    let (media_type, write): (_, Write) = if request.names_type(COMPACT_TYPE) {
        (COMPACT_TYPE, |blocks| Block::to_compact(&blocks).into())
    } else {
        ("application/x-ndjson", to_lines)
    };
    let body = node.read(move |reader| Ok(write(reader.blocks_by_hash(&hashes, BLOCKS_BYTES)?))).await?;
    let chunks = stream::iter([Ok::<_, io::Error>(body)]);
    Ok(reply::stream_in(place, BLOCKS_DEADLINE, media_type, chunks))
}

/// One block a line, up to [`BLOCKS_JSON`] bytes, at least one block.
fn to_lines(blocks: Vec<Block>) -> Bytes {
    let data: usize = blocks.iter().map(|block| block.data().len()).sum();
    // Besides its data, a block takes about 330 bytes for hashes, numbers and names.
    let mut lines = Vec::with_capacity(data + 400 * blocks.len());
    for block in blocks {
        let before = lines.len();
        // Writing cannot fail: a block is texts and integers, and a Vec accepts all bytes.
        if serde_json::to_writer(&mut lines, &block).is_err() || (before > 0 && lines.len() > BLOCKS_JSON) {
            lines.truncate(before);
            break;
        }
        lines.push(b'\n');
    }
    lines.into()
}
