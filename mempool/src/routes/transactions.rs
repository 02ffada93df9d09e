//! Where a transaction is.

use super::id;
use crate::desk::Desk;
use crate::service::{MempoolService, not_ready, store_problem};
use runtime::server::{self, Request, Response, reply};
use serde::Deserialize;
use shared::chain::ChainSnapshot;
use shared::layer::transaction::{TransactionLocation, locate_transaction, transaction_at};
use shared::ledger::{Transaction, TransactionId};
use shared::store::StoreError;
use shared::wire::{Problem, TransactionState, TransactionStatus};
use std::sync::Arc;

/// Where a transaction was found.
enum Found {
    Pending(Arc<Transaction>),
    Confirmed(TransactionLocation, Arc<ChainSnapshot>),
}

/// Blocks from the one that a transaction is in to the tip, both counted; 0 while it is pending.
#[utoipa::path(get, path = "/confirmations/{id}", params(("id" = String, Path)), responses((status = 200, body = u64), (status = 400, body = Problem), (status = 404, body = Problem, description = "Never heard of, or evicted")))]
pub(crate) async fn confirmations(mempool: &MempoolService, text: &str) -> Result<Response, Problem> {
    let id = id(text)?;
    let confirmations = mempool.off_the_loop(move |desk| Ok(depth(&find(desk, id)?))).await?;
    Ok(reply::number(confirmations))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ById {
    transaction_id: String,
}

/// The same as `GET /confirmations/{id}`.
#[utoipa::path(get, path = "/confirmations", params(("transaction_id" = String, Query)), responses((status = 200, body = u64), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn confirmations_by_query(mempool: &MempoolService, request: &Request) -> Result<Response, Problem> {
    let ById { transaction_id } = request.query()?;
    confirmations(mempool, &transaction_id).await
}

/// A transaction and where it is.
#[utoipa::path(get, path = "/transaction/{id}", params(("id" = String, Path)), responses((status = 200, body = TransactionStatus), (status = 400, body = Problem), (status = 404, body = Problem, description = "Never heard of, or evicted")))]
pub(crate) async fn transaction(mempool: &MempoolService, text: &str) -> Result<Response, Problem> {
    let id = id(text)?;
    let status =
        mempool.off_the_loop(move |desk| status_of(find(desk, id)?).map_err(|error| store_problem(&error))).await?;
    reply::json(&status)
}

fn find(desk: &Desk, id: TransactionId) -> Result<Found, Problem> {
    let found = desk.both(|pool, state| match pool.get(&id) {
        Some(pending) => Ok(Some(Found::Pending(pending.transaction.clone()))),
        None => Ok(locate_transaction(state.as_ref(), &id)?.map(|place| Found::Confirmed(place, state.clone()))),
    });
    let found = found.map_err(not_ready)?.map_err(|error: StoreError| store_problem(&error))?;
    found.ok_or_else(|| server::not_found(format!("transaction {id} is neither pending nor in the chain")))
}

fn depth(found: &Found) -> u64 {
    match found {
        Found::Pending(_) => 0,
        Found::Confirmed(place, state) => state.tip().index.next().above(place.index),
    }
}

fn status_of(found: Found) -> Result<TransactionStatus, StoreError> {
    let confirmations = depth(&found);
    Ok(match found {
        Found::Pending(transaction) => TransactionStatus {
            transaction: (*transaction).clone(),
            status: TransactionState::Pending,
            block: None,
            confirmations,
        },
        Found::Confirmed(place, state) => {
            let (transaction, block) = transaction_at(state.as_ref(), place)?;
            TransactionStatus { transaction, status: TransactionState::Confirmed, block: Some(block), confirmations }
        }
    })
}
