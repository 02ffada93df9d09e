//! `/work`: blocks for outside miners.

use super::exchange;
use crate::coinbase::Coinbase;
use crate::mining::{self, OfferError};
use crate::state::{NodeState, obstacle_problem};
use crate::work_offers::SolutionError;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::Deserialize;
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
    reply::json(&node.offers.offer(fields, data))
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
    let tip = node.follower.status().tip.hash();
    let block = node.offers.solve(&solution, tip).map_err(|error| match error {
        SolutionError::Unknown => server::not_found(error.to_string()),
        SolutionError::TargetMissed(_) => server::unprocessable("proof-of-work", error.to_string()),
    })?;
    exchange::submit(&node, block).await
}
