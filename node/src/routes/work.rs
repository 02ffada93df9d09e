//! `/work`: blocks for outside miners.

use super::exchange;
use crate::coinbase::Coinbase;
use crate::mining::{self, OfferError};
use crate::state::{NodeState, obstacle_problem};
use crate::work_offers::{Client, SolutionError};
use http::StatusCode;
use runtime::server::{self, BODY_LIMIT, Full, Request, Response, reply};
use serde::Deserialize;
use shared::block::DataHash;
use shared::chain::{BlockViolation, Rules};
use shared::wire::{Problem, WorkSolution};
use std::sync::Arc;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkQuery {
    /// The address that the block pays, required on layers with money; elsewhere any name for the block's message.
    #[serde(default)]
    miner: String,
}

pub(crate) async fn offer(node: Arc<NodeState>, request: Request) -> Result<Response, Problem> {
    let WorkQuery { miner } = request.query()?;
    let coinbase = coinbase(node.follower.rules(), &miner)?;
    let (status, data) = match node.mining.template(&coinbase).await {
        Ok(template) => template,
        Err(OfferError::Obstacle(obstacle)) => return Err(obstacle_problem(&obstacle)),
        Err(error) => return Err(server::unavailable(error.to_string())),
    };
    let fields = mining::next_fields(&status, node.clock, &data);
    let client = Client { source: request.source, miner: DataHash::of(&miner) };
    let offer = node.offers.offer(fields, data, client).map_err(|full| match full {
        Full::Source => server::problem(
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "your address has too many open offers for block {}; solve one, or wait for the next",
                fields.index
            ),
        ),
        Full::All => server::unavailable(format!("there are too many open offers for block {}", fields.index)),
    })?;
    reply::json(&offer)
}

fn coinbase(rules: &Rules, miner: &str) -> Result<Coinbase, Problem> {
    let coinbase = if !rules.params().layer.has_money() {
        let message = if miner.is_empty() { "mined outside".to_owned() } else { format!("mined by {miner}") };
        Coinbase { message, miner: None }
    } else if miner.is_empty() {
        return Err(server::bad_request("miner: expected ?miner= with the address to pay, lab1…"));
    } else {
        let address = miner.to_ascii_lowercase().parse();
        let miner =
            address.map_err(|error| server::bad_request(format!("miner: {miner:?} is not an address: {error}")))?;
        Coinbase { message: String::new(), miner: Some(miner) }.with_message("mined outside".to_owned(), rules)
    };
    match coinbase.check(rules) {
        Ok(()) => Ok(coinbase),
        Err(BlockViolation::DataTooLarge { .. }) => Err(server::bad_request("miner: too long")),
        Err(broken) => Err(server::bad_request(format!("miner: {broken}"))),
    }
}

pub(crate) async fn solve(node: Arc<NodeState>, mut request: Request) -> Result<Response, Problem> {
    let solution: WorkSolution = request.json(BODY_LIMIT).await?;
    let block = node.offers.solve(&solution).map_err(|error| match error {
        SolutionError::NotOffered => server::not_found(error.to_string()).with_rule("not-offered"),
        SolutionError::TargetMissed(_) => server::unprocessable("proof-of-work", error.to_string()),
    })?;
    // A block beside the tip is stored, since its branch may still win. One below the tip is late, unless it was sent
    // before.
    let (index, hash, tip) = (block.index(), block.hash(), node.follower.status().tip.index);
    if index < tip && node.read(move |reader| reader.find(&hash)).await?.is_none() {
        let stale = format!("this work was for block {index}, the tip is {tip} by now; GET /work for new work");
        return Err(server::not_found(stale).with_rule("stale"));
    }
    exchange::submit(&node, block).await
}
