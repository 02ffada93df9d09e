//! The mempool's endpoints as OpenAPI; the kit adds those that all services share. Each is described beside its handler.

use crate::routes::{balances, events, history, pending, push, transactions};
use shared::wire::{ConfirmedEvent, EvictedEvent, Problem, ReturnedEvent};
use utoipa::OpenApi;

/// The description of everything that only a mempool answers.
pub(crate) fn describe() -> utoipa::openapi::OpenApi {
    MempoolApi::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chainlab mempool",
        description = "Takes transactions, and answers for balances and confirmations (docs/protocol.md §11)."
    ),
    paths(
        push::push,
        push::put,
        pending::unprocessed,
        balances::balance,
        balances::balance_by_query,
        balances::balances,
        transactions::confirmations,
        transactions::confirmations_by_query,
        transactions::transaction,
        history::history,
        events::subscribe,
    ),
    components(schemas(Problem, ConfirmedEvent, ReturnedEvent, EvictedEvent))
)]
struct MempoolApi;
