//! What the scripts of pages fetch and send: JSON, passed on to a mempool or node. Only pages of this origin may send;
//! the server kit checks that.

use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use http::StatusCode;
use runtime::client::Client;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::{Deserialize, Serialize};
use shared::block::{Nonce, Seal};
use shared::layer::transaction::RewardSchedule;
use shared::ledger::{Address, Amount, Transaction, TransactionId};
use shared::wire::{BlockStatus, PUSH_BYTES, Problem, PushStatus, WorkOffer, WorkSolution};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most entries of an answer of `/api/history`.
const MAX_HISTORY: usize = 50;
/// Most coins of an answer of `/api/unspent`: more than a transaction can spend.
const MAX_COINS: usize = 200;

/// What an address holds, in grains.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Balance {
    /// Confirmed by at least one block.
    confirmed: Amount,
    /// As if all pending transactions were confirmed.
    with_pending: Amount,
}

pub(crate) async fn push(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    require_money(&explorer)?;
    let transaction: Transaction = request.json(PUSH_BYTES).await?;
    // A mempool may have accepted the payment before its connection broke; the refusal of another one does not tell.
    let may_be_accepted = Arc::new(AtomicBool::new(false));
    let is_unknown = may_be_accepted.clone();
    let response = explorer.upstream.mempool(async move |client, mempool| {
        let answer = client.push_transaction(mempool, &transaction).await;
        is_unknown.fetch_or(answer.as_ref().is_err_and(|error| error.status().is_none()), Ordering::Relaxed);
        answer
    });
    let pushed = response.await.map_err(|error| push_problem(error, may_be_accepted.load(Ordering::Relaxed)))?;
    let status = match pushed.status {
        PushStatus::Accepted => StatusCode::CREATED,
        PushStatus::Known => StatusCode::OK,
    };
    reply::status(status, &pushed)
}

/// The answer if no mempool has confirmed that it accepted the payment.
fn push_problem(error: UpstreamError, may_be_accepted: bool) -> Problem {
    if may_be_accepted {
        server::unavailable(format!(
            "a mempool that did not answer may have accepted the payment; the last error was: {error}"
        ))
    } else {
        error.into()
    }
}

pub(crate) async fn balance(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [address] = request.params()?;
    let of = parse_address(&explorer, address)?;
    let upstream = &explorer.upstream;
    let balance = |confirmations| async move {
        let response = upstream.mempool(async move |client, mempool| client.balance(mempool, &of, confirmations).await);
        let grains = response.await?;
        Amount::new(grains).ok_or_else(|| server::unavailable("a mempool sent a balance that is out of range"))
    };
    let (confirmed, with_pending) = tokio::try_join!(balance(1), balance(0))?;
    reply::json(&Balance { confirmed, with_pending })
}

pub(crate) async fn history(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [address] = request.params()?;
    let of = parse_address(&explorer, address)?;
    let response =
        explorer.upstream.mempool(async move |client, mempool| client.history(mempool, &of, None, MAX_HISTORY).await);
    reply::json(&response.await?.entries)
}

pub(crate) async fn unspent(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [address] = request.params()?;
    if !explorer.params.layer.has_coins() {
        return Err(server::not_found("this network has no coins"));
    }
    let of = parse_address(&explorer, address)?;
    let response =
        explorer.upstream.mempool(async move |client, mempool| client.unspent(mempool, &of, None, MAX_COINS).await);
    reply::json(&response.await?.entries)
}

pub(crate) async fn transaction(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    require_money(&explorer)?;
    let [id] = request.params()?;
    let read = id.to_ascii_lowercase().parse::<TransactionId>();
    let id = read.map_err(|error| server::bad_request(format!("id: {error}")))?;
    reply::json(&explorer.upstream.transaction(id).await?)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkQuery {
    /// The address that earns.
    #[param(pattern = "^lab1[02-9ac-hj-np-z]{59}$")]
    miner: String,
}

/// Work of a node, and its reward.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Offer {
    /// The node that offers it. No other one accepts the solution.
    node: String,
    /// New money for the miner, in grains. The fees of the block are added to it.
    reward: Amount,
    /// Hashes per second of a usual node, at which a browser mines if it is to be one miner among others; absent while
    /// no node mines.
    #[serde(skip_serializing_if = "Option::is_none")]
    fair_rate: Option<u64>,
    #[serde(flatten)]
    work: WorkOffer,
}

/// The solution of an [`Offer`].
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Solution {
    /// The node that offered it.
    node: String,
    seal: Seal,
    nonce: Nonce,
}

pub(crate) async fn work(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let WorkQuery { miner } = request.query()?;
    let miner = parse_address(&explorer, &miner)?;
    let request = async move |client: &Client, node: &str| Ok((node.to_owned(), client.work(node, &miner).await?));
    let (node, work) = explorer.upstream.node(request).await?;
    let reward = RewardSchedule::of(&explorer.params).at(work.index);
    let fair_rate = explorer.network().usual_hash_rate();
    reply::json(&Offer { node, reward, fair_rate, work })
}

pub(crate) async fn solve(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    require_money(&explorer)?;
    let Solution { node, seal, nonce } = request.json(BODY_LIMIT).await?;
    if !explorer.network().nodes.contains_key(&node) {
        return Err(server::not_found(format!("no node {node:?} is known in this network")));
    }
    let solved = explorer.upstream.client.solve_work(&node, &WorkSolution { seal, nonce }).await;
    let answer = solved.map_err(|error| UpstreamError::Failed { address: node, error })?;
    explorer.monitor.add_from_browser(answer.hash);
    // The status that the node answers with (docs/protocol.md §10).
    let status = match answer.status {
        BlockStatus::Taken => StatusCode::CREATED,
        BlockStatus::Known => StatusCode::OK,
        BlockStatus::Later => StatusCode::ACCEPTED,
    };
    reply::status(status, &answer)
}

fn parse_address(explorer: &ExplorerState, address: &str) -> Result<Address, Problem> {
    require_money(explorer)?;
    let read = address.to_ascii_lowercase().parse::<Address>();
    read.map_err(|error| server::bad_request(format!("address: {error}")))
}

fn require_money(explorer: &ExplorerState) -> Result<(), Problem> {
    if explorer.params.layer.has_money() {
        Ok(())
    } else {
        Err(server::not_found("this network has no money: its layer is data"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::client::Error;

    #[test]
    fn a_refusal_after_a_timeout_does_not_say_that_nothing_was_sent() {
        let refused = || {
            let problem =
                Problem::new(422, "Unprocessable Content", "the balance does not cover it").with_rule("balance");
            UpstreamError::Failed { address: "m:2".to_owned(), error: Error::Refused(Box::new(problem)) }
        };
        assert_eq!(
            (push_problem(refused(), false).status, push_problem(refused(), false).rule.as_deref()),
            (422, Some("balance"))
        );
        let unsure = push_problem(refused(), true);
        assert_eq!((unsure.status, unsure.rule), (503, None));
        assert!(
            unsure.detail.contains("may have accepted") && unsure.detail.contains("does not cover"),
            "{}",
            unsure.detail
        );
    }
}
