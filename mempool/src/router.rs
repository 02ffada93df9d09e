//! The mempool's routes (docs/protocol.md §11).

use crate::routes::balances::{self, BalanceByAddressQuery, BalanceQuery, BalancesQuery};
use crate::routes::calls::{self, TraceQuery};
use crate::routes::coins::{self, AllUnspentQuery, UnspentQuery};
use crate::routes::history::{self, HistoryQuery};
use crate::routes::pending::{self, UnprocessedQuery};
use crate::routes::programs::{self, LogsQuery, ProgramsQuery, StorageQuery};
use crate::routes::rpc;
use crate::routes::summaries::{self, CallsQuery};
use crate::routes::transactions::{self, ConfirmationsQuery};
use crate::state::MempoolState;
use http::Method;
use runtime::server::{Request, Route, Router, Shape, get, post, reply};
use shared::block::BlockHash;
use shared::ledger::{Address, CoinName, Transaction, TransactionId};
use shared::program::HexBytes;
use shared::wire::{
    AddressBalance, CallRequest, CallResult, CallSummary, CoinInfo, ConfirmedEvent, ConflictEvent, Estimate,
    EvictedEvent, HistoryEntry, LogEvent, PlacedLogEntry, ProgramInfo, Pushed, ReceiptEvent, ReceiptStatus,
    ReturnedEvent, RpcRequest, RpcResponse, RunRequest, StorageSlot, Trace, TransactionStatus, UnspentCoin,
};
use std::sync::Arc;

const NO_PROGRAMS: &str = "This network has no programs";
const NO_COINS: &str = "This network has no coins";

pub(crate) fn router() -> Router<MempoolState> {
    let description = "Accepts transactions; serves balances, histories and confirmations (docs/protocol.md §11).";
    Router::new("Chainlab mempool", description)
        .group("pending", "Transactions on their way into a block", pending_routes())
        .group("balances", "What addresses hold", balance_routes())
        .group("transactions", "Where transactions are, and what addresses paid and received", transaction_routes())
        .group("coins", "Which coins are unspent, and the life of a coin, on layer utxo", coin_routes())
        .group("programs", "Programs and what calls did to them, on layer program", program_routes())
        .group("calls", "Calls that are run and forgotten, and the steps of calls, on layer program", call_routes())
        .group("events", "What happens in the pool, as it happens", [events_route()])
        .schema::<ConfirmedEvent>()
        .schema::<ReturnedEvent>()
        .schema::<EvictedEvent>()
        .schema::<ConflictEvent>()
        .schema::<ReceiptEvent>()
        .schema::<LogEvent>()
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
            .returns(Shape::number()),
        get("/balance", "The same as `GET /balance/{address}`", balances::balance_by_query)
            .query::<BalanceByAddressQuery>()
            .returns(Shape::number()),
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
            .returns(Shape::number())
            .refuses(404, unknown),
        get("/confirmations", "The same as `GET /confirmations/{id}`", transactions::confirmations_by_query)
            .query::<ConfirmationsQuery>()
            .returns(Shape::number())
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

fn coin_routes() -> Vec<Route<MempoolState>> {
    let of_address = "Unspent coins of an address, the largest first; `Link` names the next page";
    vec![
        get("/unspent/{address}", of_address, coins::unspent_of)
            .path_param("address", "The address", Shape::of::<Address>())
            .query::<UnspentQuery>()
            .returns(Shape::list_of::<UnspentCoin>())
            .refuses(404, NO_COINS),
        get("/unspent", "All unspent coins, by name; `Link` names the next page", coins::unspent)
            .query::<AllUnspentQuery>()
            .returns(Shape::list_of::<UnspentCoin>())
            .refuses(404, NO_COINS),
        get("/coin/{coin}", "A coin: what made it, and what spends it", coins::coin)
            .path_param("coin", "Its name", Shape::of::<CoinName>())
            .returns(Shape::of::<CoinInfo>())
            .refuses(404, "The best chain has never made this coin, or this network has no coins"),
    ]
}

fn program_routes() -> Vec<Route<MempoolState>> {
    let account = Shape::of::<Address>;
    let no_program = "There is no program at this address, or this network has none";
    vec![
        get("/receipt/{id}", "What a call or deployment led to", programs::receipt)
            .path_param("id", "The transaction's id", Shape::of::<TransactionId>())
            .returns(Shape::of::<ReceiptStatus>())
            .refuses(404, "The transaction is not in the chain, or called no program"),
        get("/receipts/{block}", "The calls of a block of the best chain, in short", summaries::of_block)
            .path_param("block", "The block's hash", Shape::of::<BlockHash>())
            .returns(Shape::list_of::<CallSummary>())
            .refuses(404, "The block is not on the best chain, or this network has no programs"),
        get("/calls/{address}", "Transactions to a program, newest first, in short", summaries::of_program)
            .path_param("address", "Its address", account())
            .query::<CallsQuery>()
            .returns(Shape::list_of::<CallSummary>())
            .refuses(404, NO_PROGRAMS),
        get("/program/{address}", "A program: its maker, balance and code's hash", programs::program)
            .path_param("address", "Its address", account())
            .returns(Shape::of::<ProgramInfo>())
            .refuses(404, no_program),
        get("/programs", "Programs, newest first; `Link` names the next page", programs::programs)
            .query::<ProgramsQuery>()
            .returns(Shape::list_of::<ProgramInfo>())
            .refuses(404, NO_PROGRAMS),
        get("/code/{address}", "The code of a program, as 0x and hex", programs::code)
            .path_param("address", "Its address", account())
            .returns(Shape::of::<HexBytes>())
            .refuses(404, no_program),
        get("/storage/{address}", "The slots of a program that are not 0, in their order", programs::storage)
            .path_param("address", "Its address", account())
            .query::<StorageQuery>()
            .returns(Shape::list_of::<StorageSlot>())
            .refuses(404, NO_PROGRAMS),
        get("/logs", "What a program logged, newest first; `Link` names the next page", programs::logs)
            .query::<LogsQuery>()
            .returns(Shape::list_of::<PlacedLogEntry>())
            .refuses(404, NO_PROGRAMS),
    ]
}

fn call_routes() -> Vec<Route<MempoolState>> {
    let refused = "The call cannot begin, or asks for too much";
    let busy = "Too many calls run at the moment";
    vec![
        post("/call", "Runs a call on the newest block, and keeps nothing", calls::call)
            .body::<CallRequest>()
            .returns(Shape::of::<CallResult>())
            .refuses(404, NO_PROGRAMS)
            .refuses(422, refused)
            .refuses(503, busy),
        post("/estimate", "Gas with which a call succeeds", calls::estimate)
            .body::<CallRequest>()
            .returns(Shape::of::<Estimate>())
            .refuses(404, NO_PROGRAMS)
            .refuses(422, refused)
            .refuses(503, busy),
        post("/run", "Runs code that no program has, and shows its steps", calls::run_code)
            .body::<RunRequest>()
            .returns(Shape::of::<Trace>())
            .refuses(404, NO_PROGRAMS)
            .refuses(422, refused)
            .refuses(503, busy),
        get("/trace/{id}", "The steps of a call in the chain; `Link` names the next page", calls::trace)
            .path_param("id", "The transaction's id", Shape::of::<TransactionId>())
            .query::<TraceQuery>()
            .returns(Shape::of::<Trace>())
            .refuses(404, "The transaction is not in the chain, or called no program")
            .refuses(422, "The block is too deep, or the call has too many steps")
            .refuses(503, busy),
        post("/rpc", "Ethereum's JSON-RPC, reads only", rpc::rpc)
            .details(
                "One request or an array of at most 100; a request that is refused has an `error`, with status 200.",
            )
            .body::<RpcRequest>()
            .returns(Shape::of::<RpcResponse>())
            .refuses(404, NO_PROGRAMS),
    ]
}

fn events_route() -> Route<MempoolState> {
    let events = |mempool: Arc<MempoolState>, request: Request| async move {
        reply::broadcast(&request, mempool.pool_state.subscribe())
    };
    let words = "Server-sent events `transaction`, `confirmed`, `returned`, `evicted` with JSON data, and for calls in \
                 new blocks `receipt` and `log`";
    get("/events", words, events).returns(Shape::events()).refuses(503, "Too many subscribers")
}
