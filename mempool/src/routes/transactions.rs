//! The status of a transaction.

use super::id;
use crate::chain_lookups::{block_of, spent_coins};
use crate::pool_state::PoolState;
use crate::state::{MempoolState, not_ready, store_problem};
use runtime::server::{self, Request, Response, reply};
use serde::Deserialize;
use shared::chain::ChainSnapshot;
use shared::layer::transaction::{TransactionLocation, locate_transaction, transaction_at};
use shared::ledger::{Transaction, TransactionId};
use shared::store::StoreError;
use shared::wire::{ConfirmedRival, Problem, TransactionState, TransactionStatus};
use std::sync::Arc;
use utoipa::IntoParams;

enum Location {
    Pending(Arc<Transaction>, Arc<ChainSnapshot>),
    Confirmed(TransactionLocation, Arc<ChainSnapshot>),
}

pub(crate) async fn confirmations(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let [id] = request.params()?;
    count_confirmations(&mempool, id).await
}

async fn count_confirmations(mempool: &MempoolState, text: &str) -> Result<Response, Problem> {
    let id = id(text)?;
    let confirmations = mempool.spawn_blocking(move |pool_state| Ok(depth(&find(pool_state, id)?))).await?;
    Ok(reply::number(confirmations))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationsQuery {
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    transaction_id: String,
}

pub(crate) async fn confirmations_by_query(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let ConfirmationsQuery { transaction_id } = request.query()?;
    count_confirmations(&mempool, &transaction_id).await
}

pub(crate) async fn transaction(mempool: Arc<MempoolState>, request: Request) -> Result<Response, Problem> {
    let [text] = request.params()?;
    let id = id(text)?;
    let status = mempool
        .spawn_blocking(move |pool_state| {
            status_of(find(pool_state, id)?).map_err(|error| store_problem(pool_state, &error))
        })
        .await?;
    reply::json(&status)
}

fn find(pool_state: &PoolState, id: TransactionId) -> Result<Location, Problem> {
    let location = pool_state.pool_and_snapshot(|pool, snapshot| match pool.get(&id) {
        Some(pending) => Ok(Some(Location::Pending(pending.transaction.clone(), snapshot.clone()))),
        None => {
            Ok(locate_transaction(snapshot.as_ref(), &id)?.map(|place| Location::Confirmed(place, snapshot.clone())))
        }
    });
    let location = location.map_err(not_ready)?.map_err(|error: StoreError| store_problem(pool_state, &error))?;
    location.ok_or_else(|| server::not_found(format!("transaction {id} is neither pending nor in the chain")))
}

fn depth(location: &Location) -> u64 {
    match location {
        Location::Pending(..) => 0,
        Location::Confirmed(place, snapshot) => snapshot.tip().index.next().above(place.index),
    }
}

fn status_of(location: Location) -> Result<TransactionStatus, StoreError> {
    let confirmations = depth(&location);
    Ok(match location {
        Location::Pending(transaction, snapshot) => TransactionStatus {
            transaction: (*transaction).clone(),
            status: TransactionState::Pending,
            block: None,
            confirmations,
            rival: confirmed_rival(&snapshot, &transaction)?,
        },
        Location::Confirmed(place, snapshot) => {
            let (transaction, block) = transaction_at(snapshot.as_ref(), place)?;
            let status = TransactionState::Confirmed;
            TransactionStatus { transaction, status, block: Some(block), confirmations, rival: None }
        }
    })
}

/// The first confirmed transaction that has spent a coin of a pending one.
fn confirmed_rival(snapshot: &ChainSnapshot, transaction: &Transaction) -> Result<Option<ConfirmedRival>, StoreError> {
    let Some((coin, id)) = spent_coins(snapshot, transaction)?.into_iter().next() else { return Ok(None) };
    Ok(block_of(snapshot, &id)?.map(|block| ConfirmedRival { coin, id, block }))
}
