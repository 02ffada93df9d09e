//! The mempool's routes (docs/protocol.md §11).

use crate::routes::balances::{self, BalanceByAddressQuery, BalanceQuery, BalancesQuery};
use crate::routes::history::{self, HistoryQuery};
use crate::routes::pending::{self, UnprocessedQuery};
use crate::routes::transactions::{self, ConfirmationsQuery};
use crate::state::MempoolState;
use http::Method;
use runtime::server::{Request, Route, Router, Shape, get, post, reply};
use shared::ledger::{Address, Transaction, TransactionId};
use shared::wire::{
    AddressBalance, ConfirmedEvent, EvictedEvent, HistoryEntry, Pushed, ReturnedEvent, TransactionStatus,
};
use std::sync::Arc;

pub(crate) fn router() -> Router<MempoolState> {
    let description = "Accepts transactions; serves balances, histories and confirmations (docs/protocol.md §11).";
    Router::new("Chainlab mempool", description)
        .group("pending", "Transactions on their way into a block", pending_routes())
        .group("balances", "What addresses hold", balance_routes())
        .group("transactions", "Where transactions are, and what addresses paid and received", transaction_routes())
        .group("events", "What happens in the pool, as it happens", [events_route()])
        .schema::<ConfirmedEvent>()
        .schema::<ReturnedEvent>()
        .schema::<EvictedEvent>()
}

fn pending_routes() -> Vec<Route<MempoolState>> {
    let push = |mempool: Arc<MempoolState>, request: Request| async move { mempool.admissions.push(request).await };
    vec![
        post("/pushtx", "Offers a transaction, or a JSON string that contains one", push)
            .details("Returns when the transaction is on disk.")
            .also(Method::PUT)
            .body::<Transaction>()
            .returns_with(201, "Accepted", Shape::of::<Pushed>())
            .returns_with(200, "Known already, pending or confirmed", Shape::of::<Pushed>())
            .refuses(422, "The transaction breaks the rule that `rule` names")
            .refuses(429, "Too many transactions from this source address")
            .refuses(503, "The pool has no room for it, or too many wait to be checked or written"),
        get("/unprocessed", "Pending transactions, at most 8 MiB of them", pending::unprocessed)
            .query::<UnprocessedQuery>()
            .returns(Shape::list_of::<Transaction>())
            .returns_empty(304, "The pool has not changed since the ETag in `If-None-Match`"),
    ]
}

fn balance_routes() -> Vec<Route<MempoolState>> {
    let list = "Balances of the addresses with a prefix, ordered by address; `Link` names the next page";
    vec![
        get("/balance/{address}", "What an address holds, in grains", balances::balance)
            .path_param("address", "The address", Shape::of::<Address>())
            .query::<BalanceQuery>()
            .returns(Shape::plain::<u64>()),
        get("/balance", "The same as `GET /balance/{address}`", balances::balance_by_query)
            .query::<BalanceByAddressQuery>()
            .returns(Shape::plain::<u64>()),
        get("/balances", list, balances::balances)
            .details("Lists the addresses that the chain has paid or charged.")
            .query::<BalancesQuery>()
            .returns(Shape::list_of::<AddressBalance>()),
    ]
}

fn transaction_routes() -> Vec<Route<MempoolState>> {
    let unknown = "The transaction is neither pending nor in the chain";
    let confirmations = "Blocks from the transaction's to the tip, both counted; 0 while it is pending";
    let history = "What an address paid, received and mined, newest first; `Link` names the next page";
    vec![
        get("/confirmations/{id}", confirmations, transactions::confirmations)
            .path_param("id", "The transaction's id", Shape::of::<TransactionId>())
            .returns(Shape::plain::<u64>())
            .refuses(404, unknown),
        get("/confirmations", "The same as `GET /confirmations/{id}`", transactions::confirmations_by_query)
            .query::<ConfirmationsQuery>()
            .returns(Shape::plain::<u64>())
            .refuses(404, unknown),
        get("/transaction/{id}", "A transaction and its block", transactions::transaction)
            .path_param("id", "The transaction's id", Shape::of::<TransactionId>())
            .returns(Shape::of::<TransactionStatus>())
            .refuses(404, unknown),
        get("/history/{address}", history, history::history)
            .path_param("address", "The address", Shape::of::<Address>())
            .query::<HistoryQuery>()
            .returns(Shape::list_of::<HistoryEntry>()),
    ]
}

fn events_route() -> Route<MempoolState> {
    let events = |mempool: Arc<MempoolState>, request: Request| async move {
        reply::broadcast(&request, mempool.pool_state.subscribe())
    };
    get("/events", "Server-sent events `transaction`, `confirmed`, `returned`, `evicted` with JSON data", events)
        .returns(Shape::text("text/event-stream"))
        .refuses(503, "Too many subscribers")
}
