//! The orders that buttons on pages give: `POST /api/node/<host:port>/<action>`, `/api/split`,
//! `/api/heal` and `/api/steal`.
//!
//! Only known nodes whose token the explorer was given can be steered, and only towards known nodes: no request makes
//! the explorer or a node connect to an address of the client's choice.

use crate::network::Change;
use crate::state::ExplorerState;
use crate::steering::{Link, MAX_BLOCKS, SPLIT_TIME, SYNC_TIME, within};
use crate::thefts::TheftChoice;
use futures_util::future::join_all;
use http::StatusCode;
use runtime::client::Error;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::{Deserialize, Serialize};
use shared::block::{BlockHash, BlockId};
use shared::wire::{MineRequest, PeersUpdate, Problem, SyncReport, SyncResult};
use std::sync::Arc;
use std::time::Duration;

/// The longest that an order may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
/// How long a node may mine or sync.
const NODE_TIME: Duration = Duration::from_secs(110);
/// Most peers of one order.
const MAX_PEERS: usize = 100;

/// What an order has done, for people.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Outcome {
    message: String,
    /// Blocks that the message is about, to be shown as links.
    blocks: Vec<BlockHash>,
}

/// How many blocks to mine.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MineOrder {
    /// At most as many as a page offers.
    #[schema(minimum = 1, maximum = 20)]
    blocks: u64,
}

/// The other nodes that an order is about.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeersOrder {
    /// `host:port` of known nodes.
    #[schema(min_items = 1, max_items = 100)]
    peers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyOrder {}

/// A known node whose token the explorer has.
struct SteeredNode<'a> {
    explorer: &'a ExplorerState,
    address: &'a str,
    token: &'a str,
}

pub(crate) async fn mine(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    let MineOrder { blocks } = request.json(BODY_LIMIT).await?;
    reply::json(&SteeredNode::named_in(&request, &explorer)?.mine(blocks).await?)
}

pub(crate) async fn sync(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    let EmptyOrder {} = request.json(BODY_LIMIT).await?;
    reply::json(&SteeredNode::named_in(&request, &explorer)?.sync().await?)
}

pub(crate) async fn connect(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    link(explorer, request, Link::Connect).await
}

pub(crate) async fn cut(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    link(explorer, request, Link::Cut).await
}

pub(crate) async fn allow(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    link(explorer, request, Link::Allow).await
}

async fn link(explorer: Arc<ExplorerState>, mut request: Request, link: Link) -> Result<Response, Problem> {
    let PeersOrder { peers } = request.json(BODY_LIMIT).await?;
    reply::json(&SteeredNode::named_in(&request, &explorer)?.link(link, peers).await?)
}

pub(crate) async fn split(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    let EmptyOrder {} = request.json(BODY_LIMIT).await?;
    explorer.splitter.split(&explorer.tokens).await?;
    let message = format!(
        "The network is split. It heals by itself in {} seconds, or once each side has a block.",
        SPLIT_TIME.as_secs()
    );
    reply::json(&Outcome { message, blocks: Vec::new() })
}

pub(crate) async fn steal(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    let choice: TheftChoice = request.json(BODY_LIMIT).await?;
    let choice = choice.check().map_err(server::bad_request)?;
    let refused = || server::forbidden("only an explorer that the simulator has started lets people steal");
    let thefts = explorer.thefts.as_ref().ok_or_else(refused)?;
    if explorer.network().tip().is_none() {
        return Err(server::unavailable("no node answers, so there is nobody to pay"));
    }
    thefts.start(choice)?;
    explorer.monitor.mark_changed(Change::Nodes);
    let message = "The theft begins: the page shows how it goes.".to_owned();
    reply::json(&Outcome { message, blocks: Vec::new() })
}

pub(crate) async fn heal(explorer: Arc<ExplorerState>, mut request: Request) -> Result<Response, Problem> {
    let EmptyOrder {} = request.json(BODY_LIMIT).await?;
    explorer.splitter.heal().await?;
    reply::json(&Outcome { message: "Both halves talk again.".to_owned(), blocks: Vec::new() })
}

impl<'a> SteeredNode<'a> {
    /// The node that the path names.
    fn named_in(request: &'a Request, explorer: &'a ExplorerState) -> Result<Self, Problem> {
        let [node] = request.params()?;
        Self::new(explorer, node)
    }

    fn new(explorer: &'a ExplorerState, address: &'a str) -> Result<Self, Problem> {
        if !explorer.network().nodes.contains_key(address) {
            return Err(server::not_found(format!("no node {address:?} is known in this network")));
        }
        Ok(Self { explorer, address, token: explorer.tokens.get(address)? })
    }

    async fn mine(&self, blocks: u64) -> Result<Outcome, Problem> {
        if !(1..=MAX_BLOCKS).contains(&blocks) {
            return Err(server::bad_request(format!("blocks: {blocks} is not within 1 to {MAX_BLOCKS}")));
        }
        let request = MineRequest { blocks, data: None };
        let answer = self.explorer.upstream.client.mine(self.address, self.token, &request);
        let hashes = within(NODE_TIME, answer).await.map_err(|error| self.problem(&error))?.hashes;
        let mined = hashes.len();
        let message = format!("{} mined {mined} {}.", self.address, if mined == 1 { "block" } else { "blocks" });
        Ok(Outcome { message, blocks: hashes })
    }

    async fn sync(&self) -> Result<Outcome, Problem> {
        let report = self.sync_within(NODE_TIME).await.map_err(|error| self.problem(&error))?;
        Ok(Outcome { message: format!("{}.", sync_sentence(self.address, &report)), blocks: vec![report.to.hash] })
    }

    async fn sync_within(&self, time: Duration) -> Result<SyncReport, Error> {
        within(time, self.explorer.upstream.client.sync_now(self.address, self.token)).await
    }

    /// Connects this node with `peers`, or cuts it off: on its side, and on the side of each peer whose token we have.
    async fn link(&self, link: Link, peers: Vec<String>) -> Result<Outcome, Problem> {
        if !(1..=MAX_PEERS).contains(&peers.len()) {
            return Err(server::bad_request(format!("peers: {} is not within 1 to {MAX_PEERS}", peers.len())));
        }
        let state = self.explorer.network();
        let unknown = peers.iter().find(|peer| *peer == self.address || !state.nodes.contains_key(*peer));
        if let Some(unknown) = unknown {
            return Err(server::not_found(format!("{unknown:?} is no other node that is known in this network")));
        }
        self.update(link.update(peers.clone())).await.map_err(|error| self.problem(&error))?;
        let others = peers.iter().filter_map(|peer| SteeredNode::new(self.explorer, peer).ok()).collect::<Vec<_>>();
        let own = || link.update(vec![self.address.to_owned()]);
        let updated = join_all(others.iter().map(|other| other.update(own()))).await;
        let one_sided = peers.len() - updated.iter().filter(|result| result.is_ok()).count();
        let mut message = link.sentence(self.address, &peers.join(", "));
        if one_sided > 0 {
            message.push_str(" Only this side could be told.");
        }
        let blocks = if link == Link::Cut { Vec::new() } else { self.sync_with(&others, &mut message).await };
        Ok(Outcome { message, blocks })
    }

    /// Syncs this node and `others`, which would otherwise wait for their next poll. Adds to `message` what changed,
    /// and returns the new tips.
    async fn sync_with(&self, others: &[SteeredNode<'_>], message: &mut String) -> Vec<BlockHash> {
        let nodes = std::iter::once(self).chain(others);
        let reports = join_all(nodes.map(async |node| (node.address, node.sync_within(SYNC_TIME).await))).await;
        let mut blocks = Vec::new();
        for (address, report) in reports {
            if let Ok(report) = report
                && report.result != SyncResult::Authoritative
            {
                message.push_str(&format!(" {}.", sync_sentence(address, &report)));
                blocks.push(report.to.hash);
            }
        }
        blocks.dedup();
        blocks
    }

    async fn update(&self, update: PeersUpdate) -> Result<(), Error> {
        self.explorer.upstream.client.update_peers(self.address, self.token, &update).await
    }

    fn problem(&self, error: &Error) -> Problem {
        let address = self.address;
        match error {
            Error::Refused(problem) if problem.status == 401 => server::problem(
                StatusCode::BAD_GATEWAY,
                format!("the explorer was given a token for {address} that {address} does not accept"),
            ),
            Error::Refused(problem) if problem.status < 500 => {
                Problem { detail: format!("{address} refuses: {}", problem.detail), ..(**problem).clone() }
            }
            Error::Slow => server::problem(
                StatusCode::GATEWAY_TIMEOUT,
                format!("{address} is not done after {} s; look at its page again later", NODE_TIME.as_secs()),
            ),
            error => server::problem(StatusCode::BAD_GATEWAY, format!("{address}: {error}")),
        }
    }
}

/// What a sync has changed, without a full stop.
fn sync_sentence(address: &str, SyncReport { result, from, to }: &SyncReport) -> String {
    let name = |block: &BlockId| format!("block {} ({})", block.index, block.hash.short());
    match result {
        SyncResult::Authoritative => format!("Nobody has a better chain: {address} stays on {}", name(to)),
        SyncResult::Updated => {
            let added = to.index.above(from.index);
            let blocks = if added == 1 { "block" } else { "blocks" };
            format!("{address} was {added} {blocks} behind: it was on {} and is now on {}", name(from), name(to))
        }
        SyncResult::Reorganised => {
            format!("{address} was on a branch with less work: it left {} and is now on {}", name(from), name(to))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::Height;

    #[test]
    fn a_sync_is_reported_in_words() {
        let id = |index: u64| BlockId { index: Height(index), hash: BlockHash::of(index.to_string()) };
        let sentence = |result, from, to| sync_sentence("a:1", &SyncReport { result, from: id(from), to: id(to) });
        let stays = sentence(SyncResult::Authoritative, 5, 5);
        assert!(stays.starts_with("Nobody has a better chain: a:1 stays on block 5 ("), "{stays}");
        assert!(sentence(SyncResult::Updated, 5, 6).contains("1 block behind: it was on block 5 ("));
        assert!(sentence(SyncResult::Updated, 5, 8).contains("3 blocks behind"));
        assert!(sentence(SyncResult::Reorganised, 5, 7).contains("it left block 5 ("));
    }
}
