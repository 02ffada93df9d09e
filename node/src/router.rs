//! The node's routes (docs/protocol.md §10).

use crate::routes::chain::{self, BlockQuery, BlockchainQuery, HeadersQuery};
use crate::routes::work::{self, WorkQuery};
use crate::routes::{exchange, steering};
use crate::state::NodeState;
use runtime::server::{Request, Route, Router, Shape, get, post, reply};
use shared::block::{BlockJson, COMPACT_TYPE, HeaderJson};
use shared::chain::BranchTip;
use shared::wire::{
    AnnounceResponse, Announcement, BlockEvent, BlockResponse, BlocksRequest, HeadersRequest, MineRequest,
    MineResponse, MiningEvent, PeerEvent, PeerInfo, PeersUpdate, ReorgEvent, SyncReport, WorkOffer, WorkSolution,
};
use std::sync::Arc;
use std::time::Duration;

/// `POST /mine` returns when all its blocks are mined.
const MINE_DEADLINE: Duration = Duration::from_secs(600);

const HEIGHT_OR_HASH: &str = "^([0-9]{1,16}|[0-9a-fA-F]{64})$";

pub(crate) fn router() -> Router<NodeState> {
    Router::new("Chainlab node", "Follows the chain, serves it, and mines (docs/protocol.md §10).")
        .token("The text in the file `token` of the node's data folder")
        .group("chain", "Blocks, headers and tips of the stored chain", chain_routes())
        .group("exchange", "What nodes exchange", exchange_routes())
        .group("steering", "Peers, sync and mining on demand", steering_routes())
        .group("work", "Mining outside of the node", work_routes())
        .group("events", "What happens, as it happens", [events_route()])
        .schema::<BlockEvent>()
        .schema::<ReorgEvent>()
        .schema::<PeerEvent>()
        .schema::<MiningEvent>()
}

fn chain_routes() -> Vec<Route<NodeState>> {
    vec![
        get("/chainlength", "The number of blocks on the best chain, genesis included", chain::length)
            .returns(Shape::number()),
        get("/block/{id}", "The block at a height of the best chain, or with a hash on any branch", chain::block)
            .path_param(
                "id",
                "A height of at most 16 digits, or a hash of 64 hex digits",
                Shape::pattern(HEIGHT_OR_HASH),
            )
            .returns(Shape::of::<BlockJson>())
            .refuses(404, "The node stores no such block"),
        get("/block", "The same as `GET /block/{id}`", chain::block_by_query)
            .query::<BlockQuery>()
            .returns(Shape::of::<BlockJson>())
            .refuses(404, "The node stores no such block"),
        get("/blockchain", "The best chain as one JSON array", chain::blockchain)
            .details("Streamed in constant memory. If the chain is reorganised meanwhile, the connection breaks off.")
            .query::<BlockchainQuery>()
            .returns(Shape::list_of::<BlockJson>()),
        get("/headers", "Headers of the best chain; `Link` names the next page", chain::headers)
            .query::<HeadersQuery>()
            .returns(Shape::list_of::<HeaderJson>()),
        get("/tips", "The tips of the best chain, of up to 50 side branches and 50 invalid ones", chain::tips)
            .returns(Shape::list_of::<BranchTip>()),
    ]
}

fn exchange_routes() -> Vec<Route<NodeState>> {
    vec![
        post("/block", "Offers a block", exchange::push)
            .body::<BlockJson>()
            .returns_with(201, "Stored, on the best chain or on a side branch", Shape::of::<BlockResponse>())
            .returns_with(200, "Known already", Shape::of::<BlockResponse>())
            .returns_with(202, "Cannot be judged yet, for the given reason", Shape::of::<BlockResponse>())
            .refuses(429, "Too many invalid blocks came from the machine that the request comes from")
            .refuses(422, "The block breaks the rule that `rule` names"),
        post("/announce", "Says that there is a block; the node answers whether it wants it", exchange::announce)
            .details("`wanted` blocks are then offered to `/block`.")
            .body::<Announcement>()
            .returns(Shape::of::<AnnounceResponse>()),
        post("/sync/headers", "Up to 2000 headers after a point that both chains have", exchange::headers)
            .details("They follow the first hash of the locator that is on the node's best chain.")
            .body::<HeadersRequest>()
            .returns(Shape::list_of::<HeaderJson>())
            .returns_with(200, "OK", Shape::text(COMPACT_TYPE))
            .refuses(409, "No hash of the locator is on the best chain, or the request is for another network"),
        post("/sync/blocks", "Blocks by hash as NDJSON, up to 500 or 8 MiB, at least one", exchange::blocks)
            .details("In the order of the request; the first unknown hash ends the answer.")
            .body::<BlocksRequest>()
            .returns_with(200, "One block a line", Shape::text(COMPACT_TYPE))
            .returns_with(200, "One block a line", Shape::text("application/x-ndjson")),
    ]
}

fn steering_routes() -> Vec<Route<NodeState>> {
    vec![
        get("/peers", "All known peers, and why nothing is exchanged with some", steering::peers)
            .returns(Shape::list_of::<PeerInfo>()),
        post("/peers", "Adds, removes, blocks or unblocks peers, and returns the list", steering::update_peers)
            .needs_token()
            .body::<PeersUpdate>()
            .returns(Shape::list_of::<PeerInfo>()),
        post("/sync", "Asks every peer now; returns when no better chain is left to fetch", steering::sync)
            .needs_token()
            .optional_empty_body()
            .returns(Shape::of::<SyncReport>()),
        post("/mine", "Mines blocks now at full speed, and returns their hashes", steering::mine)
            .details("On layer `data` they carry `data`, on layer `transaction` what is pending in the mempools.")
            .needs_token()
            .deadline(MINE_DEADLINE)
            .body::<MineRequest>()
            .returns(Shape::of::<MineResponse>())
            .refuses(422, "The blocks would break the rule that `rule` names")
            .refuses(429, "Too many requests to mine are waiting"),
    ]
}

fn work_routes() -> Vec<Route<NodeState>> {
    vec![
        get("/work", "Work for an outside miner", work::offer)
            .details("Append a nonce of 16 hex digits to `seal` and hash it, until the hash is at most `target`.")
            .query::<WorkQuery>()
            .returns(Shape::of::<WorkOffer>())
            .refuses(429, "The caller's address has too many open offers for the next block"),
        post("/work", "A nonce that solves offered work", work::solve)
            .details("The answers are those of `POST /block`.")
            .body::<WorkSolution>()
            .returns_with(201, "The block is stored", Shape::of::<BlockResponse>())
            .refuses(404, "The work is too old (`rule` is `stale`), or was never offered (`not-offered`)")
            .refuses(422, "The hash is above the target"),
    ]
}

fn events_route() -> Route<NodeState> {
    let events =
        |node: Arc<NodeState>, request: Request| async move { reply::broadcast(&request, node.follower.subscribe()) };
    get("/events", "Server-sent events `block`, `reorg`, `peer` and `mining` with JSON data", events)
        .returns(Shape::events())
        .refuses(503, "Too many subscribers")
}
