//! What steers a node, and needs its token: peers, sync, mining on demand.

use crate::mining::MineError;
use crate::service::{NodeService, follower_problem};
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use shared::chain::BlockViolation;
use shared::wire::{MineRequest, MineResponse, PeerInfo, PeersUpdate, Problem, SyncReport};

use super::exchange::broken_problem;

/// Most blocks that one `POST /mine` may ask for (docs/protocol.md §10).
const MAX_BLOCKS: u64 = 1000;

/// Whom this node knows, and what is wrong with each.
#[utoipa::path(get, path = "/peers", responses((status = 200, body = Vec<PeerInfo>)))]
pub(crate) fn peers(node: &NodeService) -> Result<Response, Problem> {
    reply::json(&node.follower.status().peers)
}

/// Changes whom this node talks to, to build and heal forks on purpose; answers the peers.
#[utoipa::path(post, path = "/peers", request_body = PeersUpdate, security(("token" = [])), responses((status = 200, body = Vec<PeerInfo>), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn update_peers(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    request.require_token()?;
    let update: PeersUpdate = request.json(BODY_LIMIT).await?;
    node.follower.update_peers(update).await.map_err(|error| follower_problem(&error))?;
    peers(node)
}

/// Asks every peer now, and answers when nothing better is left to fetch.
#[utoipa::path(post, path = "/sync", security(("token" = [])), responses((status = 200, body = SyncReport), (status = 401, body = Problem)))]
pub(crate) async fn sync(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    request.require_token()?;
    let body = request.bytes(BODY_LIMIT).await?;
    if !matches!(body.trim_ascii(), b"" | b"{}") {
        return Err(server::bad_request("expected no body, or {}"));
    }
    reply::json(&node.follower.sync_now().await.map_err(|error| follower_problem(&error))?)
}

/// Mines blocks now, at full speed, and answers their hashes. They carry `data` if it is given, on layer `data` only;
/// on layer `transaction` what waits in the mempools at this moment.
#[utoipa::path(post, path = "/mine", request_body = MineRequest, security(("token" = [])), responses((status = 200, body = MineResponse), (status = 400, body = Problem), (status = 401, body = Problem), (status = 422, body = Problem, description = "A broken rule"), (status = 429, body = Problem)))]
pub(crate) async fn mine(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    request.require_token()?;
    let max_data_bytes = node.follower.rules().params().max_data_bytes;
    let MineRequest { blocks, data } = request.json(6 * max_data_bytes as usize + 4096).await?;
    if !(1..=MAX_BLOCKS).contains(&blocks) {
        return Err(server::bad_request(format!("blocks: {blocks} is not within 1 to {MAX_BLOCKS}")));
    }
    let has_money = node.follower.rules().params().layer.has_money();
    if data.is_some() && has_money {
        return Err(server::bad_request(
            "data: only layers without money take it; on this one a block carries what waits in the mempools",
        ));
    }
    if let Some(got) = data.as_ref().map(|data| data.len() as u64)
        && got > max_data_bytes
    {
        return Err(broken_problem(&BlockViolation::DataTooLarge { got, limit: max_data_bytes }));
    }
    let hashes = node.mining.mine(blocks, data).await.map_err(|error| match error {
        MineError::Busy => server::problem(http::StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        MineError::Stopped => server::unavailable(error.to_string()),
        MineError::Broken(broken) => broken_problem(&broken),
    })?;
    reply::json(&MineResponse { hashes })
}
