//! `/work`: blocks for miners outside of this process.

use super::exchange;
use crate::coinbase::Coinbase;
use crate::mining;
use crate::offers::NoBlock;
use crate::service::NodeService;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::Deserialize;
use shared::chain::{BlockViolation, Rules};
use shared::wire::{BlockResponse, BlockSource, Problem, WorkOffer, WorkSolution};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    #[serde(default)]
    miner: String,
}

/// Work for an outside miner: hash `seal` and a nonce of 16 hex digits until the hash is at most `target`.
///
/// Where the layer knows money, `miner` is the address that earns it, and must be given; elsewhere any name will do.
#[utoipa::path(get, path = "/work", params(("miner" = Option<String>, Query, description = "Whom to mine for: an address where the layer knows money")), responses((status = 200, body = WorkOffer), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn offer(node: &NodeService, request: &Request) -> Result<Response, Problem> {
    let For { miner } = request.query()?;
    let coinbase = coinbase(node.follower.rules(), &miner)?;
    let (status, data) = match node.mining.template(&coinbase).await {
        Ok(template) => template,
        Err(error) => return Err(server::unavailable(error.to_string())),
    };
    let fields = mining::next_fields(&status, node.clock, &data);
    reply::json(&node.offers.offer(fields, data))
}

fn coinbase(rules: &Rules, miner: &str) -> Result<Coinbase, Problem> {
    let coinbase = if !rules.params().layer.has_money() {
        let message = if miner.is_empty() { "mined outside".to_owned() } else { format!("mined by {miner}") };
        Coinbase { message, miner: None }
    } else if miner.is_empty() {
        return Err(server::bad_request("miner: expected ?miner= and the address that is to be paid, lab1…"));
    } else {
        let address = miner.to_ascii_lowercase().parse();
        let miner = address.map_err(|error| server::bad_request(format!("miner: {miner:?} is no address: {error}")))?;
        Coinbase { message: String::new(), miner: Some(miner) }.saying("mined outside".to_owned(), rules)
    };
    match coinbase.check(rules) {
        Ok(()) => Ok(coinbase),
        Err(BlockViolation::DataTooLarge { .. }) => Err(server::bad_request("miner: too long")),
        Err(broken) => Err(server::bad_request(format!("miner: {broken}"))),
    }
}

/// A solution of offered work; answered as a pushed block.
#[utoipa::path(post, path = "/work", request_body = WorkSolution, responses((status = 201, body = BlockResponse), (status = 404, body = Problem, description = "Not on offer (any more)"), (status = 422, body = Problem, description = "The hash misses the target")))]
pub(crate) async fn solve(node: &NodeService, mut request: Request) -> Result<Response, Problem> {
    let solution: WorkSolution = request.json(BODY_LIMIT).await?;
    let tip = node.follower.status().tip.hash();
    let block = node.offers.solve(&solution, tip).map_err(|error| match error {
        NoBlock::Unknown => server::not_found(error.to_string()),
        NoBlock::TargetMissed(_) => server::unprocessable("proof-of-work", error.to_string()),
    })?;
    exchange::submit(node, block, BlockSource::Mined, None).await
}
