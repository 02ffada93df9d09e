//! The explorer's routes: pages for people, and `/api` for the scripts of these pages.

use crate::pages::{
    address, block, blocks, charts, errors, learn, network, node, pending, search, transaction, wallet,
};
use crate::routes::{api, steering};
use crate::state::ExplorerState;
use crate::{assets, monitor, view};
use http::Method;
use runtime::server::{Answer, Handler, Request, Response, Route, Router, Shape, get, post};
use shared::ledger::{Address, Transaction, TransactionId};
use shared::wire::{BlockResponse, HistoryEntry, Problem, Pushed, TransactionStatus};
use std::sync::Arc;

const NO_MONEY: &str = "This network has no money";
const NO_MEMPOOL: &str = "No mempool answers";
const NO_NODE: &str = "No node answers";

pub(crate) fn router() -> Router<ExplorerState> {
    let description = "The network on web pages. `/api` serves the scripts of these pages.";
    Router::new("Chainlab explorer", description)
        .group("pages", "Web pages", page_routes())
        .group("files", "What pages need besides", file_routes())
        .group("money", "Balances and payments, passed on to a mempool", money_routes())
        .group("work", "Work for miners in the browser, passed on to a node", work_routes())
        .group("steering", "Steers nodes whose token the explorer was given", steering_routes())
        .fallback(not_found)
}

/// A page, which may be below a path of a proxy.
fn page<F: Answer>(path: &str, summary: &str, handler: impl Handler<ExplorerState, F>) -> Route<ExplorerState> {
    let handler = Arc::new(handler);
    let below = move |explorer: Arc<ExplorerState>, request: Request| {
        let (handler, headers) = (handler.clone(), request.headers.clone());
        async move { view::below(&headers, handler(explorer, request)).await }
    };
    get(path, summary, below).returns(Shape::text("text/html")).same_origin()
}

fn page_routes() -> Vec<Route<ExplorerState>> {
    vec![
        page("/", "The network", network::page),
        page("/blocks", "The blocks, newest first", blocks::page).query::<blocks::BlocksQuery>(),
        page("/block/{name}", "A block by its height or hash", block::page).refuses(404, "There is no such block"),
        page("/transactions", "Pending transactions, and the last confirmed ones", pending::page),
        page("/transaction/{id}", "A transaction and its life", transaction::page)
            .refuses(404, "The transaction is neither pending nor in the chain"),
        page("/address/{address}", "An address, its balance and its history", address::page)
            .query::<address::AddressQuery>(),
        page("/charts", "Charts", charts::page).query::<charts::ChartsQuery>(),
        page("/learn", "Exercises", learn::page),
        page("/wallet", "A wallet in the browser", wallet::page),
        page("/node/{node}", "A node by its host:port", node::page).refuses(404, "The node is not known"),
        page("/search", "Finds what `q` names", search::page)
            .query::<search::SearchQuery>()
            .returns_empty(302, "One thing was found: its page")
            .refuses(404, "Nothing was found"),
    ]
}

fn file_routes() -> Vec<Route<ExplorerState>> {
    let asset = |_, request: Request| async move { assets::get(&request) };
    let live = |explorer: Arc<ExplorerState>, request: Request| async move {
        monitor::live_response(&explorer.monitor, &request)
    };
    vec![
        get("/charts/{file}", "The numbers of a chart, `<name>.csv`", charts::csv)
            .query::<charts::ChartsQuery>()
            .returns(Shape::text("text/csv"))
            .refuses(404, "There is no such chart"),
        get("/qr/{file}", "The QR code of an address, `<address>.svg`", wallet::qr)
            .returns(Shape::text("image/svg+xml"))
            .refuses(404, "The file name is no address"),
        get("/live", "Server-sent events that name what has changed, so that pages fetch it", live)
            .returns(Shape::text("text/event-stream"))
            .refuses(503, "Too many subscribers"),
        get("/assets/{name}", "A script, style or icon", asset)
            .returns(Shape::text("text/javascript"))
            .returns_empty(304, "Unchanged since the ETag in `If-None-Match`")
            .refuses(404, "There is no such file"),
    ]
}

fn money_routes() -> Vec<Route<ExplorerState>> {
    vec![
        post("/api/pushtx", "Offers a transaction to a mempool", api::push)
            .body::<Transaction>()
            .returns_with(201, "Accepted", Shape::of::<Pushed>())
            .returns_with(200, "Known already, pending or confirmed", Shape::of::<Pushed>())
            .refuses(404, NO_MONEY)
            .refuses(422, "The transaction breaks the rule that `rule` names")
            .refuses(429, "Too many transactions from this source address")
            .refuses(503, "No mempool answers, or it has no room"),
        get("/api/balance/{address}", "What an address holds", api::balance)
            .path_param("address", "The address", Shape::of::<Address>())
            .returns(Shape::of::<api::Balance>())
            .refuses(404, NO_MONEY)
            .refuses(503, NO_MEMPOOL),
        get("/api/history/{address}", "What an address paid, received and mined last, newest first", api::history)
            .path_param("address", "The address", Shape::of::<Address>())
            .returns(Shape::list_of::<HistoryEntry>())
            .refuses(404, NO_MONEY)
            .refuses(503, NO_MEMPOOL),
        get("/api/transaction/{id}", "A transaction and its block", api::transaction)
            .path_param("id", "The transaction's id", Shape::of::<TransactionId>())
            .returns(Shape::of::<TransactionStatus>())
            .refuses(404, "The transaction is neither pending nor in the chain, or this network has no money")
            .refuses(503, NO_MEMPOOL),
    ]
}

fn work_routes() -> Vec<Route<ExplorerState>> {
    vec![
        get("/api/work", "Work from the node with the best chain", api::work)
            .query::<api::WorkQuery>()
            .returns(Shape::of::<api::Offer>())
            .refuses(404, NO_MONEY)
            .refuses(503, NO_NODE),
        post("/api/work", "Submits a solution to the node that offered the work", api::solve)
            .body::<api::Solution>()
            .returns_with(201, "The block is stored", Shape::of::<BlockResponse>())
            .returns_with(200, "The node has the block already", Shape::of::<BlockResponse>())
            .returns_with(202, "Cannot be judged yet, for the given reason", Shape::of::<BlockResponse>())
            .refuses(404, "The node is not known, or no longer offers this work")
            .refuses(422, "The hash misses the target")
            .refuses(503, NO_NODE),
    ]
}

fn steering_routes() -> Vec<Route<ExplorerState>> {
    vec![
        post("/api/node/{node}/{action}", "Lets a node mine, sync, connect, cut or allow", steering::steer)
            .deadline(steering::DEADLINE)
            .returns(Shape::of::<steering::Outcome>())
            .refuses(403, "The explorer was not given the token of the node")
            .refuses(404, "The node or the action is not known")
            .refuses(502, "The node refused, or could not be reached")
            .refuses(504, "The node took too long"),
        post("/api/split", "Keeps the network in two halves for a while", steering::split)
            .deadline(steering::DEADLINE)
            .returns(Shape::of::<steering::Outcome>())
            .refuses(403, "The explorer was not given the token of any node")
            .refuses(409, "The network is split already, or has fewer than two nodes")
            .refuses(503, "A node did not cut itself off"),
        post("/api/heal", "Lets the two halves talk again at once", steering::heal)
            .deadline(steering::DEADLINE)
            .returns(Shape::of::<steering::Outcome>())
            .refuses(409, "The network is not split"),
    ]
}

/// People get a page for paths that do not exist; scripts get a problem.
async fn not_found(_: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let path = request.path();
    if request.method == Method::GET && path.segments().first() != Some(&"api") {
        return Ok(view::below(&request.headers, async { errors::no_such_page(path.as_str()) }).await);
    }
    Err(request.no_route())
}
