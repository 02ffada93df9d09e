//! Steers a node: peers, sync, mining on demand.

use super::exchange::broken_problem;
use crate::mining::MineError;
use crate::sender::verified_sender;
use crate::state::{NodeState, follower_problem, obstacle_problem};
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use shared::chain::BlockViolation;
use shared::sync::PeerSource;
use shared::wire::{MineRequest, MineResponse, PeersUpdate, Problem};
use std::sync::Arc;

/// Most blocks of one `POST /mine` (docs/protocol.md §10).
const MAX_BLOCKS: u64 = 1000;

/// A node that asks for peers becomes one. Without this, a node that never pushes a block would stay unknown, and
/// receive new blocks only by polling.
pub(crate) async fn peers(node: Arc<NodeState>, request: Request) -> Result<Response, Problem> {
    if let Some(sender) = verified_sender(&node.resolver, &request).await {
        node.follower.offer_peers(vec![sender], PeerSource::Caller);
    }
    reply::json(&node.follower.status().peers)
}

pub(crate) async fn update_peers(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let update: PeersUpdate = request.json(BODY_LIMIT).await?;
    node.follower.update_peers(update).await.map_err(|error| follower_problem(&error))?;
    reply::json(&node.follower.status().peers)
}

pub(crate) async fn sync(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let body = request.bytes(BODY_LIMIT).await?;
    if !matches!(body.trim_ascii(), b"" | b"{}") {
        return Err(server::bad_request("expected no body, or {}"));
    }
    reply::json(&node.follower.sync_now().await.map_err(|error| follower_problem(&error))?)
}

pub(crate) async fn mine(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let params = node.follower.rules().params();
    let max_data_bytes = params.max_data_bytes;
    let MineRequest { blocks, data } = request.json(params.max_block_json()).await?;
    if !(1..=MAX_BLOCKS).contains(&blocks) {
        return Err(server::bad_request(format!("blocks: {blocks} is not within 1 to {MAX_BLOCKS}")));
    }
    let has_money = node.follower.rules().params().layer.has_money();
    if data.is_some() && has_money {
        return Err(server::bad_request(
            "data: only layers without money accept it; on this layer, blocks carry the pending transactions",
        ));
    }
    if let Some(got) = data.as_ref().map(|data| data.len() as u64)
        && got > max_data_bytes
    {
        return Err(broken_problem(&BlockViolation::DataTooLarge { got, limit: max_data_bytes }));
    }
    let hashes = node.mining.mine(blocks, data).await.map_err(|error| match error {
        MineError::Busy => server::problem(http::StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        MineError::Obstacle(obstacle) => obstacle_problem(&obstacle),
        MineError::Stopped => server::unavailable(error.to_string()),
        MineError::Broken(broken) => broken_problem(&broken),
    })?;
    reply::json(&MineResponse { hashes })
}
