//! The explorer's routes: pages for people, and `/api` for the scripts of these pages.

use crate::names::SignedClaim;
use crate::pages::{
    address, block, blocks, charts, coin, debugger, errors, exercises, lab, learn, lists, machine, network, node,
    pending, program, programs, search, transaction, wallet,
};
use crate::routes::{api, film, live, names, steering};
use crate::state::ExplorerState;
use crate::thefts::TheftChoice;
use crate::{assets, view};
use http::Method;
use runtime::server::{Answer, Handler, Request, Response, Route, Router, Shape, get, post};
use shared::ledger::{Address, Transaction, TransactionId};
use shared::wire::{BlockResponse, HistoryEntry, Problem, Pushed, TransactionStatus, UnspentCoin};
use std::sync::Arc;

const NO_MONEY: &str = "This network has no money";
const NO_MEMPOOL: &str = "No mempool answers";
const NO_NODE: &str = "No node answers";

pub(crate) fn router() -> Router<ExplorerState> {
    let description = "The network on web pages. `/api` serves the scripts of these pages.";
    Router::new("Chainlab explorer", description)
        .group("pages", "Web pages", page_routes())
        .group("files", "What pages need besides", file_routes())
        .group("film", "The first page at earlier moments", film_routes())
        .group("money", "Balances and payments, passed on to a mempool", money_routes())
        .group("names", "Names of people", name_routes())
        .group("work", "Work for miners in the browser, passed on to a node", work_routes())
        .group("steering", "Steers nodes whose token the explorer was given", steering_routes())
        .fallback(not_found)
}

/// A page, which may be below a path of a proxy.
fn page<F: Answer>(path: &str, summary: &str, handler: impl Handler<ExplorerState, F>) -> Route<ExplorerState> {
    let handler = Arc::new(handler);
    let below = move |explorer: Arc<ExplorerState>, request: Request| {
        let (handler, headers, cast) = (handler.clone(), request.headers.clone(), explorer.cast());
        let layer = explorer.params.layer;
        async move { view::below(&headers, cast, view::on_layer(layer, handler(explorer, request))).await }
    };
    get(path, summary, below)
        .returns(Shape::text("text/html"))
        .refuses_with_page(503, "No node or mempool answers, or the explorer itself is too busy")
        .returns_empty(304, "Unchanged since the ETag in `If-None-Match`")
        .same_origin()
}

fn page_routes() -> Vec<Route<ExplorerState>> {
    vec![
        page("/", "The network", network::page),
        page("/blocks", "The blocks, newest first", blocks::page).query::<blocks::BlocksQuery>(),
        page("/block/{name}", "A block by its height or hash", block::page)
            .query::<block::BlockQuery>()
            .refuses_with_page(404, "There is no such block"),
        page("/transactions", "Pending transactions, and the last confirmed ones", pending::page),
        page("/transaction/{id}", "A transaction and its life", transaction::page)
            .refuses_with_page(404, "The transaction is neither pending nor in the chain"),
        page("/coin/{coin}", "A coin, what made it and what spends it", coin::page)
            .refuses_with_page(404, "The best chain has never made the coin"),
        page("/transaction/{id}/trace", "What a call did, step by step", debugger::page)
            .query::<debugger::TraceQuery>()
            .refuses_with_page(404, "The transaction is not in the chain, or called no program"),
        page("/programs", "Programs, newest first", programs::page).query::<programs::ProgramsQuery>(),
        page("/program/{address}", "A program, and a form that calls it", program::page)
            .query::<program::ProgramQuery>()
            .refuses_with_page(404, "There is no program at this address"),
        page("/address/{address}", "An address, its balance and its history", address::page)
            .query::<address::AddressQuery>()
            .returns_with(302, "The address was written in upper case: its page", Shape::text("text/plain"))
            .refuses_with_page(404, "The text is no address"),
        page("/charts", "Charts", charts::page).query::<charts::ChartsQuery>(),
        page("/learn", "Exercises", learn::page),
        page("/learn/coins", "An exercise: a coin is spent whole", learn::spending::page)
            .query::<learn::spending::SpendingQuery>(),
        page("/learn/change", "An exercise: which output is the change?", learn::change::page),
        page("/learn/machine", "A few instructions, run and forgotten", machine::page).query::<machine::MachineQuery>(),
        page("/learn/programs", "Exercises with programs", exercises::page),
        page("/lab", "An experiment in virtual time", lab::page)
            .query::<lab::Query>()
            .refuses_with_page(400, "The address names no experiment")
            .refuses(503, "Other experiments are running"),
        page("/wallet", "A wallet in the browser", wallet::page),
        page("/node/{node}", "A node by its host:port", node::page).refuses_with_page(404, "The node is not known"),
        page("/search", "Finds what `q` names", search::page)
            .query::<search::SearchQuery>()
            .returns_with(302, "One thing was found: its page", Shape::text("text/plain"))
            .refuses_with_page(404, "Nothing was found"),
    ]
}

fn file_routes() -> Vec<Route<ExplorerState>> {
    let asset = |_, request: Request| async move { assets::get(&request) };
    let live = |explorer: Arc<ExplorerState>, request: Request| async move { live::live_response(&explorer, &request) };
    vec![
        get("/charts/{file}", "A chart: its numbers, `<name>.csv`, or its drawing, `<name>.svg`", charts::file)
            .query::<charts::ChartsQuery>()
            .returns(Shape::text("text/csv"))
            .returns(Shape::text("image/svg+xml"))
            .refuses_with_page(404, "There is no such chart")
            .refuses_with_page(503, NO_NODE),
        get("/blocks.csv", "The last 200 blocks, or those below a height", lists::blocks)
            .query::<blocks::BlocksQuery>()
            .returns(Shape::text("text/csv"))
            .refuses(503, NO_NODE),
        get("/transactions.csv", "Transactions that wait, the highest fee per byte first", lists::waiting)
            .returns(Shape::text("text/csv"))
            .refuses(404, NO_MONEY)
            .refuses(503, NO_MEMPOOL),
        get("/transactions/confirmed.csv", "Transactions of the last 200 blocks, newest first", lists::confirmed)
            .returns(Shape::text("text/csv"))
            .refuses(404, NO_MONEY)
            .refuses(503, NO_NODE),
        get("/block/{name}/transactions.csv", "The transactions of a block by its height or hash", lists::contents)
            .returns(Shape::text("text/csv"))
            .refuses(404, "There is no such block, or this network has no money")
            .refuses(503, NO_NODE),
        get("/people.csv", "People by name, with their balances", lists::people)
            .returns(Shape::text("text/csv"))
            .refuses(404, NO_MONEY)
            .refuses(503, NO_MEMPOOL),
        get("/address/{address}/history.csv", "The newest 1000 entries of a history", lists::history)
            .returns(Shape::text("text/csv"))
            .refuses(404, NO_MONEY)
            .refuses(503, NO_MEMPOOL),
        get("/qr/{file}", "The QR code of an address, `<address>.svg`", wallet::qr)
            .returns(Shape::text("image/svg+xml"))
            .refuses(404, "The file name is no address"),
        get("/live", "Server-sent events: parts of the first page as they change, or what has changed", live)
            .query::<live::LiveQuery>()
            .returns(Shape::events())
            .refuses(400, "There is no such part")
            .refuses(503, "Too many subscribers"),
        get("/assets/{name}", "A script, style or icon", asset)
            .returns(Shape::text("text/javascript"))
            .returns(Shape::text("text/css"))
            .returns(Shape::text("image/svg+xml"))
            .returns_empty(304, "Unchanged since the ETag in `If-None-Match`")
            .refuses(404, "There is no such file"),
    ]
}

fn film_routes() -> Vec<Route<ExplorerState>> {
    vec![
        get("/api/film", "The moments that are kept, and the chapters that forks and splits set", film::index)
            .returns(Shape::of::<film::FilmIndex>()),
        get(
            "/api/moment",
            "The parts of the first page at a moment: the last one that is kept before it",
            film::moment,
        )
        .query::<film::MomentQuery>()
        .returns(Shape::of::<film::Moment>())
        .refuses(404, "Nothing was kept yet"),
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
        get("/api/unspent/{address}", "The coins of an address, the 200 largest, on layer utxo", api::unspent)
            .path_param("address", "The address", Shape::of::<Address>())
            .returns(Shape::list_of::<UnspentCoin>())
            .refuses(404, "This network has no coins")
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

fn name_routes() -> Vec<Route<ExplorerState>> {
    vec![
        get("/api/names", "Everyone who has a name", names::list).returns(Shape::list_of::<names::NamedPerson>()),
        post("/api/names", "Takes over a name that the owner of an address has signed", names::sign)
            .body::<SignedClaim>()
            .returns(Shape::of::<names::Claimed>())
            .refuses(409, "The name or the address is taken, or a newer claim was made")
            .refuses(422, "It is not a name, was not signed now, or not by the owner")
            .refuses(503, "The book is full, or this source has its share of it"),
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

/// An order to one node.
fn order<F: Answer>(action: &str, summary: &str, handler: impl Handler<ExplorerState, F>) -> Route<ExplorerState> {
    post(&format!("/api/node/{{node}}/{action}"), summary, handler)
        .deadline(steering::DEADLINE)
        .returns(Shape::of::<steering::Outcome>())
        .refuses(403, "The explorer was not given the token of the node")
        .refuses(404, "The node, or one that the order names, is not known")
        .refuses(502, "The node could not be reached")
        .refuses(504, "The node took too long")
}

fn steering_routes() -> Vec<Route<ExplorerState>> {
    vec![
        order("mine", "Lets a node mine blocks", steering::mine).body::<steering::MineOrder>(),
        order("sync", "Lets a node ask every peer now", steering::sync).empty_body(),
        order("connect", "Connects a node with others", steering::connect).body::<steering::PeersOrder>(),
        order("cut", "Cuts a node off from others", steering::cut).body::<steering::PeersOrder>(),
        order("allow", "Lets a node talk to others again", steering::allow).body::<steering::PeersOrder>(),
        post("/api/split", "Keeps the network in two halves for a while", steering::split)
            .deadline(steering::DEADLINE)
            .empty_body()
            .returns(Shape::of::<steering::Outcome>())
            .refuses(403, "The explorer was not given the token of any node")
            .refuses(409, "The network is split already, or has fewer than two nodes")
            .refuses(503, "A node did not cut itself off"),
        post("/api/heal", "Lets the two halves talk again at once", steering::heal)
            .deadline(steering::DEADLINE)
            .empty_body()
            .returns(Shape::of::<steering::Outcome>())
            .refuses(409, "The network is not split"),
        post("/api/steal", "Starts a theft by an outside client", steering::steal)
            .body::<TheftChoice>()
            .returns(Shape::of::<steering::Outcome>())
            .refuses(403, "The explorer was not started by a simulator that carries thefts out")
            .refuses(409, "A theft goes on already")
            .refuses(503, "The simulator has stopped, or no node answers"),
    ]
}

/// People get a page for paths that do not exist; scripts get a problem.
async fn not_found(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let path = request.path();
    let layer = explorer.params.layer;
    if request.method == Method::GET && path.segments().first() != Some(&"api") {
        let no_page = async { errors::no_such_page(path.as_str()) };
        return Ok(view::below(&request.headers, explorer.cast(), view::on_layer(layer, no_page)).await);
    }
    Err(request.no_route())
}
