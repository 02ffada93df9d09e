//! `/work`: blocks for miners outside of this process.

use super::exchange;
use crate::mining;
use crate::offers::NoBlock;
use crate::service::NodeService;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::Deserialize;
use shared::wire::{BlockAnswer, BlockSource, Problem, WorkOffer, WorkSolution};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    /// Whom to mine for; layers without addresses put it into the data.
    #[serde(default)]
    miner: String,
}

/// Work for an outside miner: hash `seal` and a nonce of 16 hex digits until the hash is at most `target`.
#[utoipa::path(get, path = "/work", params(("miner" = Option<String>, Query, description = "Whom to mine for")), responses((status = 200, body = WorkOffer)))]
pub(crate) fn offer(node: &NodeService, request: &Request) -> Result<Response, Problem> {
    let For { miner } = request.query()?;
    let status = node.follower.status();
    let message = if miner.is_empty() { "mined outside".to_owned() } else { format!("mined by {miner}") };
    let data = node.follower.rules().layer().template(&message);
    if data.len() as u64 > node.follower.rules().params().max_data_bytes {
        return Err(server::bad_request("miner: too long"));
    }
    let fields = mining::next_fields(&status, node.clock, &data);
    reply::json(&node.offers.offer(fields, data))
}

/// A solution of offered work; answered as a pushed block.
#[utoipa::path(post, path = "/work", request_body = WorkSolution, responses((status = 201, body = BlockAnswer), (status = 404, body = Problem, description = "Not on offer (any more)"), (status = 422, body = Problem, description = "The hash misses the target")))]
pub(crate) async fn solve(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    let solution: WorkSolution = request.json(BODY_LIMIT).await?;
    let tip = node.follower.status().tip.hash();
    let block = node.offers.solve(&solution, tip).map_err(|error| match error {
        NoBlock::Unknown => server::not_found(error.to_string()),
        NoBlock::TargetMissed(_) => server::unprocessable("proof-of-work", error.to_string()),
    })?;
    exchange::submit(node, block, BlockSource::Mined, None).await
}
