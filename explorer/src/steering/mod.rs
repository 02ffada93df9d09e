//! `POST /api/node/<host:port>/<action>`: what the buttons of a node's page do, with the token that only this process has;
//! [`split`] is about the whole network.
//!
//! Only nodes of the picture whose token we were given can be steered, and only towards nodes of the picture: nobody
//! makes us, or them, call on strangers.

pub(crate) mod split;

use crate::service::Explorer;
use futures_util::future::join_all;
use http::StatusCode;
use runtime::client::Error;
use runtime::server::{self, BODY_LIMIT, Request, Response, reply};
use serde::{Deserialize, Serialize};
use shared::block::{BlockHash, BlockId};
use shared::wire::{MineRequest, PeersUpdate, Problem, SyncReport, SyncResult};
use std::time::Duration;
use tokio::time::timeout;

/// The longest that any of it may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
/// How long a node may mine or sync.
const MINE_TIME: Duration = Duration::from_secs(110);
/// How long nodes that may talk again are given to look at each other's chains.
const SYNC_TIME: Duration = Duration::from_secs(10);
/// Most blocks that one press of a button mines.
pub(crate) const MAX_BLOCKS: u64 = 20;
/// Most nodes that one press of a button is about.
const MAX_PEERS: usize = 100;

/// What came of it, for people.
#[derive(Debug, Serialize)]
struct Outcome {
    message: String,
    /// Blocks that it is about, to look at.
    blocks: Vec<BlockHash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MineOrder {
    blocks: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersOrder {
    peers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyOrder {}

/// A node that can be steered.
struct SteeredNode<'a> {
    explorer: &'a Explorer,
    address: &'a str,
    token: &'a str,
}

/// How two nodes are to treat each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Connect,
    Cut,
    Allow,
}

pub(crate) async fn steer(
    explorer: &Explorer,
    node: &str,
    action: &str,
    mut request: Request,
) -> Result<Response, Problem> {
    let node = SteeredNode::new(explorer, node)?;
    let outcome = match action {
        "mine" => node.mine(request.json::<MineOrder>(BODY_LIMIT).await?.blocks).await,
        "sync" => {
            let EmptyOrder {} = request.json(BODY_LIMIT).await?;
            node.sync().await
        }
        "connect" => node.link(Link::Connect, request.json::<PeersOrder>(BODY_LIMIT).await?.peers).await,
        "cut" => node.link(Link::Cut, request.json::<PeersOrder>(BODY_LIMIT).await?.peers).await,
        "allow" => node.link(Link::Allow, request.json::<PeersOrder>(BODY_LIMIT).await?.peers).await,
        _ => return Err(server::not_found("a node can be told to mine, sync, connect, cut and allow")),
    }?;
    reply::json(&outcome)
}

/// Splits the whole network, or heals it.
pub(crate) async fn whole(explorer: &Explorer, action: &str, mut request: Request) -> Result<Response, Problem> {
    let EmptyOrder {} = request.json(BODY_LIMIT).await?;
    let outcome = if action == "split" { split::split(explorer).await } else { split::heal(explorer).await };
    reply::json(&outcome?)
}

impl<'a> SteeredNode<'a> {
    fn new(explorer: &'a Explorer, address: &'a str) -> Result<Self, Problem> {
        if !explorer.watch.state().nodes.contains_key(address) {
            return Err(server::not_found(format!("no node {address:?} is known in this network")));
        }
        let token = explorer.token(address).ok_or_else(|| {
            server::forbidden(format!("the explorer was not given the token of {address}, so it cannot steer it"))
        })?;
        Ok(Self { explorer, address, token })
    }

    async fn mine(&self, blocks: u64) -> Result<Outcome, Problem> {
        if !(1..=MAX_BLOCKS).contains(&blocks) {
            return Err(server::bad_request(format!("blocks: {blocks} is not within 1 to {MAX_BLOCKS}")));
        }
        let request = MineRequest { blocks, data: None };
        let answer = self.explorer.upstream.client.mine(self.address, self.token, &request);
        let hashes = within(MINE_TIME, answer).await.map_err(|error| self.problem(&error))?.hashes;
        let mined = hashes.len();
        let message = format!("{} mined {mined} {}.", self.address, if mined == 1 { "block" } else { "blocks" });
        Ok(Outcome { message, blocks: hashes })
    }

    async fn sync(&self) -> Result<Outcome, Problem> {
        let report = self.sync_within(MINE_TIME).await.map_err(|error| self.problem(&error))?;
        Ok(Outcome { message: format!("{}.", sync_sentence(self.address, &report)), blocks: vec![report.to.hash] })
    }

    async fn sync_within(&self, time: Duration) -> Result<SyncReport, Error> {
        within(time, self.explorer.upstream.client.sync_now(self.address, self.token)).await
    }

    /// Links this node and `peers`, or parts them: here, and on their side as far as we may.
    async fn link(&self, link: Link, peers: Vec<String>) -> Result<Outcome, Problem> {
        if !(1..=MAX_PEERS).contains(&peers.len()) {
            return Err(server::bad_request(format!("peers: {} is not within 1 to {MAX_PEERS}", peers.len())));
        }
        let state = self.explorer.watch.state();
        let stranger = peers.iter().find(|peer| *peer == self.address || !state.nodes.contains_key(*peer));
        if let Some(stranger) = stranger {
            return Err(server::not_found(format!("{stranger:?} is no other node that is known in this network")));
        }
        self.update(link, peers.clone()).await.map_err(|error| self.problem(&error))?;
        let others = peers.iter().filter_map(|peer| SteeredNode::new(self.explorer, peer).ok()).collect::<Vec<_>>();
        let sync_sentence =
            join_all(others.iter().map(|other| other.update(link, vec![self.address.to_owned()]))).await;
        let one_sided = peers.len() - sync_sentence.iter().filter(|sync_sentence| sync_sentence.is_ok()).count();
        let mut message = link.sentence(self.address, &peers.join(", "));
        if one_sided > 0 {
            message.push_str(" Only this side could be told.");
        }
        let mut blocks = Vec::new();
        if link != Link::Cut {
            // Who asked before the other side would answer again would wait for its next poll.
            let everybody = std::iter::once(self).chain(&others);
            let reports = join_all(everybody.map(async |node| (node.address, node.sync_within(SYNC_TIME).await))).await;
            for (address, report) in
                reports.iter().filter_map(|(address, report)| Some((address, report.as_ref().ok()?)))
            {
                if report.result != SyncResult::Authoritative {
                    message.push_str(&format!(" {}.", self::sync_sentence(address, report)));
                    blocks.push(report.to.hash);
                }
            }
            blocks.dedup();
        }
        Ok(Outcome { message, blocks })
    }

    async fn update(&self, link: Link, peers: Vec<String>) -> Result<(), Error> {
        self.explorer.upstream.client.update_peers(self.address, self.token, &link.update(peers)).await
    }

    fn problem(&self, error: &Error) -> Problem {
        let address = self.address;
        match error {
            Error::Refused(problem) if problem.status == 401 => server::problem(
                StatusCode::BAD_GATEWAY,
                format!("the token that the explorer was given for {address} is not the one that {address} wants"),
            ),
            Error::Refused(problem) if problem.status < 500 => {
                Problem { detail: format!("{address} refuses: {}", problem.detail), ..problem.clone() }
            }
            Error::Slow => server::problem(
                StatusCode::GATEWAY_TIMEOUT,
                format!("{address} is still at it after {} s; look at its page again later", MINE_TIME.as_secs()),
            ),
            error => server::problem(StatusCode::BAD_GATEWAY, format!("{address}: {error}")),
        }
    }
}

impl Link {
    fn update(self, peers: Vec<String>) -> PeersUpdate {
        match self {
            // Whoever connects two nodes does not want them to stay cut apart.
            Self::Connect | Self::Allow => PeersUpdate { add: peers.clone(), unblock: peers, ..PeersUpdate::default() },
            Self::Cut => PeersUpdate { block: peers, ..PeersUpdate::default() },
        }
    }

    fn sentence(self, node: &str, peers: &str) -> String {
        match self {
            Self::Connect => format!("{node} is connected to {peers}."),
            Self::Cut => {
                format!("{node} is cut off from {peers}. What a node that talks to both passes on still arrives.")
            }
            Self::Allow => format!("{node} may talk to {peers} again."),
        }
    }
}

/// What came of asking every peer, without a full stop.
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

async fn within<T>(time: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(time, answer).await.unwrap_or(Err(Error::Slow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::Height;

    #[test]
    fn a_sync_is_told_in_words() {
        let id = |index: u64| BlockId { index: Height(index), hash: BlockHash::of(index.to_string()) };
        let sync_sentence = |result, from, to| sync_sentence("a:1", &SyncReport { result, from: id(from), to: id(to) });
        assert!(
            sync_sentence(SyncResult::Authoritative, 5, 5)
                .starts_with("Nobody has a better chain: a:1 stays on block 5 (")
        );
        assert!(sync_sentence(SyncResult::Updated, 5, 6).contains("1 block behind: it was on block 5 ("));
        assert!(sync_sentence(SyncResult::Updated, 5, 8).contains("3 blocks behind"));
        assert!(sync_sentence(SyncResult::Reorganised, 5, 7).contains("it left block 5 ("));
    }

    #[test]
    fn to_connect_is_to_allow_as_well() {
        let peers = || vec!["a:1".to_owned()];
        let update = Link::Connect.update(peers());
        assert_eq!((update.add, update.unblock, update.block), (peers(), peers(), vec![]));
        let update = Link::Cut.update(peers());
        assert_eq!((update.add, update.unblock, update.block), (vec![], vec![], peers()));
    }
}
