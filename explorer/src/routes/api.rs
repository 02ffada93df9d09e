//! What scripts of the pages ask for and send: JSON, passed on to a mempool or node. Only our own pages may send
//! (the kit checks where a request comes from).

use crate::service::Explorer;
use crate::steering;
use crate::upstream::UpstreamError;
use http::StatusCode;
use runtime::client::Client;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::{Deserialize, Serialize};
use shared::block::{Nonce, Seal};
use shared::layer::transaction::RewardSchedule;
use shared::ledger::{Address, Amount, Transaction, TransactionId};
use shared::wire::{
    BlockResponse, HistoryEntry, PUSH_BYTES, Problem, PushStatus, Pushed, TransactionStatus, WorkOffer, WorkSolution,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Entries of one answer of `/api/history`.
const HISTORY: usize = 50;

/// What an address holds, in grains.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Balance {
    /// Confirmed by a block at least.
    confirmed: Amount,
    /// The same with what is pending.
    with_pending: Amount,
}

/// Offers a transaction to a mempool.
#[utoipa::path(post, path = "/api/pushtx", request_body = Transaction, responses(
    (status = 201, body = Pushed, description = "Taken"),
    (status = 200, body = Pushed, description = "Known, pending or confirmed"),
    (status = 400, body = Problem, description = "Not a transaction"),
    (status = 413, body = Problem, description = "More than 64 KiB"),
    (status = 422, body = Problem, description = "A broken rule"),
    (status = 429, body = Problem, description = "Too many"),
    (status = 503, body = Problem, description = "No mempool answers, or it has no room"),
))]
pub(crate) async fn push(explorer: &Explorer, mut request: Request) -> Result<Response, Problem> {
    require_money(explorer)?;
    let transaction: Transaction = request.json(PUSH_BYTES).await?;
    // One that broke off may have taken it: what another one refuses then says nothing about that.
    let may_be_taken = Arc::new(AtomicBool::new(false));
    let broke_off = may_be_taken.clone();
    let response = explorer.upstream.mempool(async move |client, mempool| {
        let answer = client.push_transaction(mempool, &transaction).await;
        broke_off.fetch_or(answer.as_ref().is_err_and(|error| error.status().is_none()), Ordering::Relaxed);
        answer
    });
    let pushed = response.await.map_err(|error| not_taken(error, may_be_taken.load(Ordering::Relaxed)))?;
    let status = match pushed.status {
        PushStatus::Accepted => StatusCode::CREATED,
        PushStatus::Known => StatusCode::OK,
    };
    reply::status(status, &pushed)
}

/// Why no mempool says that it has the payment.
fn not_taken(error: UpstreamError, may_be_taken: bool) -> Problem {
    if may_be_taken {
        server::unavailable(format!("a mempool that did not answer may have it; the last word was: {error}"))
    } else {
        error.into()
    }
}

pub(crate) async fn steer(
    explorer: &Explorer,
    node: &str,
    action: &str,
    request: Request,
) -> Result<Response, Problem> {
    steering::steer(explorer, node, action, request).await
}

/// What an address holds.
#[utoipa::path(get, path = "/api/balance/{address}", params(("address" = String, Path)), responses((status = 200, body = Balance), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn balance(explorer: &Explorer, address: &str) -> Result<Response, Problem> {
    let of = parse_address(explorer, address)?;
    let request = |confirmations| async move {
        let response =
            explorer.upstream.mempool(async move |client, mempool| client.balance(mempool, &of, confirmations).await);
        let grains = response.await?;
        Amount::new(grains).ok_or_else(|| server::unavailable("a mempool told a balance that cannot be"))
    };
    let (confirmed, with_pending) = tokio::try_join!(request(1), request(0))?;
    reply::json(&Balance { confirmed, with_pending })
}

/// The newest entries of what an address paid, was paid and earned.
#[utoipa::path(get, path = "/api/history/{address}", params(("address" = String, Path)), responses((status = 200, body = Vec<HistoryEntry>), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn history(explorer: &Explorer, address: &str) -> Result<Response, Problem> {
    let of = parse_address(explorer, address)?;
    let response =
        explorer.upstream.mempool(async move |client, mempool| client.history(mempool, &of, None, HISTORY).await);
    reply::json(&response.await?.entries)
}

/// A transaction, and where it is.
#[utoipa::path(get, path = "/api/transaction/{id}", params(("id" = String, Path)), responses((status = 200, body = TransactionStatus), (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn transaction(explorer: &Explorer, id: &str) -> Result<Response, Problem> {
    require_money(explorer)?;
    let read = id.to_ascii_lowercase().parse::<TransactionId>();
    let id = read.map_err(|error| server::bad_request(format!("id: {error}")))?;
    reply::json(&explorer.upstream.transaction(id).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MinerQuery {
    miner: String,
}

/// A node's work, and what it brings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Offer {
    /// The node that offers it; only this one takes the solution.
    node: String,
    /// New money for the miner, in grains; the fees come on top.
    reward: Amount,
    #[serde(flatten)]
    work: WorkOffer,
}

/// What was found for an [`Offer`].
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Solution {
    /// The node that offered it.
    node: String,
    seal: Seal,
    nonce: Nonce,
}

/// Work for a miner in the browser, from the node with the best chain.
#[utoipa::path(get, path = "/api/work", params(("miner" = String, Query, description = "The address that earns")), responses((status = 200, body = Offer), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn work(explorer: &Explorer, request: &Request) -> Result<Response, Problem> {
    let MinerQuery { miner } = request.query()?;
    let miner = parse_address(explorer, &miner)?;
    let request = async move |client: &Client, node: &str| Ok((node.to_owned(), client.work(node, &miner).await?));
    let (node, work) = explorer.upstream.node(request).await?;
    let reward = RewardSchedule::of(&explorer.params).at(work.index);
    reply::json(&Offer { node, reward, work })
}

/// Hands a solution to the node whose work it is.
#[utoipa::path(post, path = "/api/work", request_body = Solution, responses((status = 201, body = BlockResponse), (status = 404, body = Problem, description = "Not on offer (any more)"), (status = 422, body = Problem, description = "The hash misses the target"), (status = 503, body = Problem)))]
pub(crate) async fn solve(explorer: &Explorer, mut request: Request) -> Result<Response, Problem> {
    require_money(explorer)?;
    let Solution { node, seal, nonce } = request.json(BODY_LIMIT).await?;
    if !explorer.watch.state().nodes.contains_key(&node) {
        return Err(server::not_found(format!("no node {node:?} is known in this network")));
    }
    let solved = explorer.upstream.client.solve_work(&node, &WorkSolution { seal, nonce }).await;
    let answer = solved.map_err(|error| UpstreamError::Failed { address: node, error })?;
    reply::status(StatusCode::CREATED, &answer)
}

fn parse_address(explorer: &Explorer, address: &str) -> Result<Address, Problem> {
    require_money(explorer)?;
    let read = address.to_ascii_lowercase().parse::<Address>();
    read.map_err(|error| server::bad_request(format!("address: {error}")))
}

fn require_money(explorer: &Explorer) -> Result<(), Problem> {
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
    fn a_refusal_after_a_silence_does_not_say_that_nothing_moved() {
        let refused = || {
            let problem =
                Problem::new(422, "Unprocessable Content", "the balance does not cover it").with_rule("balance");
            UpstreamError::Failed { address: "m:2".to_owned(), error: Error::Refused(problem) }
        };
        assert_eq!(
            (not_taken(refused(), false).status, not_taken(refused(), false).rule.as_deref()),
            (422, Some("balance"))
        );
        let unsure = not_taken(refused(), true);
        assert_eq!((unsure.status, unsure.rule), (503, None));
        assert!(unsure.detail.contains("may have it") && unsure.detail.contains("does not cover"), "{}", unsure.detail);
    }
}
