//! What scripts of the pages ask for and send: JSON, passed on to a mempool or node. Only our own pages may send
//! (the kit checks where a request comes from).

use crate::service::Explorer;
use crate::steering;
use http::StatusCode;
use runtime::server::{self, Request, Response, reply};
use serde::Serialize;
use shared::ledger::{Address, Amount, Transaction, TransactionId};
use shared::wire::{HistoryEntry, PUSH_BYTES, Problem, PushStatus, Pushed, TransactionStatus};

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
    has_money(explorer)?;
    let transaction: Transaction = request.json(PUSH_BYTES).await?;
    let pushed = explorer
        .sources
        .mempool(async move |client, mempool| client.push_transaction(mempool, &transaction).await)
        .await?;
    let status = match pushed.status {
        PushStatus::Accepted => StatusCode::CREATED,
        PushStatus::Known => StatusCode::OK,
    };
    reply::status(status, &pushed)
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
    let of = owner(explorer, address)?;
    let ask = |confirmations| async move {
        let asked =
            explorer.sources.mempool(async move |client, mempool| client.balance(mempool, &of, confirmations).await);
        let grains = asked.await?;
        Amount::new(grains).ok_or_else(|| server::unavailable("a mempool told a balance that cannot be"))
    };
    let (confirmed, with_pending) = tokio::try_join!(ask(1), ask(0))?;
    reply::json(&Balance { confirmed, with_pending })
}

/// The newest entries of what an address paid, was paid and earned.
#[utoipa::path(get, path = "/api/history/{address}", params(("address" = String, Path)), responses((status = 200, body = Vec<HistoryEntry>), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn history(explorer: &Explorer, address: &str) -> Result<Response, Problem> {
    let of = owner(explorer, address)?;
    let asked =
        explorer.sources.mempool(async move |client, mempool| client.history(mempool, &of, None, HISTORY).await);
    reply::json(&asked.await?.entries)
}

/// A transaction, and where it is.
#[utoipa::path(get, path = "/api/transaction/{id}", params(("id" = String, Path)), responses((status = 200, body = TransactionStatus), (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn transaction(explorer: &Explorer, id: &str) -> Result<Response, Problem> {
    has_money(explorer)?;
    let read = id.to_ascii_lowercase().parse::<TransactionId>();
    let id = read.map_err(|error| server::bad_request(format!("id: {error}")))?;
    reply::json(&explorer.sources.mempool(async move |client, mempool| client.transaction(mempool, &id).await).await?)
}

fn owner(explorer: &Explorer, address: &str) -> Result<Address, Problem> {
    has_money(explorer)?;
    let read = address.to_ascii_lowercase().parse::<Address>();
    read.map_err(|error| server::bad_request(format!("address: {error}")))
}

fn has_money(explorer: &Explorer) -> Result<(), Problem> {
    if explorer.params.layer.has_money() {
        Ok(())
    } else {
        Err(server::not_found("this network has no money: its layer is data"))
    }
}
