//! Waits until there is a network to drive: a tracker and a node that answer and, where there is money, a mempool.
//!
//! Each may be started after the simulator, so it is no error if one is missing. What is missing is printed when it
//! changes, and now and then. With several networks to choose from, it never guesses.

use crate::event::{RunEvent, TimedEvent};
use crate::numbers::plural;
use crate::options::check_layer;
use crate::screen::Screen;
use anyhow::bail;
use futures_util::StreamExt;
use futures_util::stream::iter;
use runtime::client::Client;
use shared::block::BlockHash;
use shared::chain::Tip;
use shared::params::Params;
use shared::wire::{Member, Role};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time between two attempts.
const RETRY: Duration = Duration::from_secs(1);
/// How often the same missing part is printed again.
const REMIND: Duration = Duration::from_secs(30);
/// Most nodes that are asked, and most at the same time.
const MAX_NODES: usize = 100;
const MAX_CONCURRENT: usize = 16;

/// A network to drive.
pub(super) struct FoundNetwork {
    pub(super) params: Params,
    /// The nodes that answer, with their tips.
    pub(super) nodes: Vec<(String, Tip)>,
    /// `host:port` of a mempool that answers; `None` on a layer without money.
    pub(super) mempool: Option<String>,
}

/// The result of an attempt.
enum Discovery {
    Found(FoundNetwork),
    /// Something is missing: what, and why.
    NotYet(String),
}

/// Waits for the network with the id `ours` or, if the tracker lists only one network, for that one. Prints what is
/// missing.
///
/// # Errors
/// If the tracker lists several other networks, or the output cannot be written.
pub(super) async fn find<W: Write>(
    tracker: &str,
    ours: BlockHash,
    screen: &mut Screen<W>,
) -> anyhow::Result<FoundNetwork> {
    let (client, began) = (Client::new(None, None)?, Instant::now());
    let (mut printed, mut printed_at) = (String::new(), began);
    loop {
        let reason = match attempt(&client, tracker, ours).await? {
            Discovery::Found(found) => return Ok(found),
            Discovery::NotYet(reason) => reason,
        };
        if reason != printed || printed_at.elapsed() >= REMIND {
            let at_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            screen.show(&[TimedEvent { at_ms, event: RunEvent::Waiting { reason: reason.clone() } }])?;
            (printed, printed_at) = (reason, Instant::now());
        }
        sleep(RETRY).await;
    }
}

async fn attempt(client: &Client, tracker: &str, ours: BlockHash) -> anyhow::Result<Discovery> {
    let members = match client.members(tracker).await {
        Ok(members) => members,
        Err(error) => return Ok(Discovery::NotYet(format!("the tracker {tracker} does not answer: {error}"))),
    };
    let Some(network) = choose(&members, ours)? else {
        return Ok(Discovery::NotYet(format!("the tracker {tracker} lists no node")));
    };
    let asked = addresses(&members, Role::Node, network).into_iter().map(|address| {
        let client = client.clone();
        async move {
            let info = client.info(&address).await;
            (address, info)
        }
    });
    let asked: Vec<_> = iter(asked).buffered(MAX_CONCURRENT).collect().await;
    let (mut params, mut nodes, mut silent) = (None, Vec::new(), None);
    for (address, info) in asked {
        match info {
            Ok(info) if info.network_id == network && info.tip.is_some() => {
                params = params.or_else(|| parse_params(info.network, network));
                nodes.extend(info.tip.map(|tip| (address, tip)));
            }
            Ok(_) => {}
            Err(error) => silent = Some(format!("no node answers: {address}: {error}")),
        }
    }
    let Some(params) = params else {
        let reason = silent.unwrap_or_else(|| "no node gives the network's parameters".to_owned());
        return Ok(Discovery::NotYet(reason));
    };
    check_layer(params.layer, true)?;
    let mempool = if params.layer.has_money() { mempool(client, &members, network).await } else { None };
    if params.layer.has_money() && mempool.is_none() {
        let nodes = plural(nodes.len() as u64, "node");
        return Ok(Discovery::NotYet(format!("{nodes} answered, but no mempool")));
    }
    Ok(Discovery::Found(FoundNetwork { params, nodes, mempool }))
}

/// Chooses the network with the id `ours` or else the only one. `None` if no network has a node.
fn choose(members: &[Member], ours: BlockHash) -> anyhow::Result<Option<BlockHash>> {
    let networks: BTreeSet<BlockHash> = with_role(members, Role::Node).map(|node| node.network_id).collect();
    match networks.iter().collect::<Vec<_>>()[..] {
        _ if networks.contains(&ours) => Ok(Some(ours)),
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        _ => {
            let ids: Vec<String> = networks.iter().map(|id| id.short().to_string()).collect();
            bail!("the tracker lists nodes of several networks, {}; choose one by --config", ids.join(", "))
        }
    }
}

/// Returns a mempool of the network that answers.
async fn mempool(client: &Client, members: &[Member], network: BlockHash) -> Option<String> {
    for address in addresses(members, Role::Mempool, network) {
        if client.info(&address).await.is_ok() {
            return Some(address);
        }
    }
    None
}

/// `host:port` of each service of a role in one network.
fn addresses(members: &[Member], role: Role, network: BlockHash) -> Vec<String> {
    let members = with_role(members, role).filter(|member| member.network_id == network).take(MAX_NODES);
    members.map(|member| member.address.clone()).collect()
}

/// The services of a role.
fn with_role(members: &[Member], role: Role) -> impl Iterator<Item = &Member> {
    members.iter().filter(move |member| member.role == role)
}

/// Parses the parameters that a node gives. They must have the network's id, because payments are signed for it.
fn parse_params(network: serde_json::Value, id: BlockHash) -> Option<Params> {
    let params: Params = serde_json::from_value(network).ok()?;
    (params.check().is_ok() && params.network_id() == id).then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::Timestamp;

    fn node(network: &str) -> Member {
        let network_id = BlockHash::of(network);
        Member { address: format!("{network}:1"), role: Role::Node, network_id, tip: None, last_seen: Timestamp::EPOCH }
    }

    #[test]
    fn it_never_guesses_between_networks() {
        let (ours, id) = (BlockHash::of("ours"), |name| Some(BlockHash::of(name)));
        let chosen = |names: &[&str]| choose(&names.iter().map(|name| node(name)).collect::<Vec<_>>(), ours);
        assert_eq!(chosen(&[]).unwrap(), None);
        assert_eq!(chosen(&["other", "other"]).unwrap(), id("other"));
        assert_eq!(chosen(&["other", "ours", "third"]).unwrap(), id("ours"));
        let error = chosen(&["other", "third"]).unwrap_err().to_string();
        assert!(error.contains("choose one by --config") && error.contains(&id("third").unwrap().short().to_string()));
        let mempool = Member { role: Role::Mempool, ..node("other") };
        assert_eq!(choose(&[mempool], ours).unwrap(), None, "a mempool alone makes no network");
    }

    #[test]
    fn parameters_must_be_those_of_the_id() {
        let params = Params::default();
        let json = || serde_json::to_value(&params).unwrap();
        assert_eq!(parse_params(json(), params.network_id()), Some(params.clone()));
        assert_eq!(parse_params(json(), BlockHash::of("another")), None);
        assert_eq!(parse_params(serde_json::json!({"name": 1}), params.network_id()), None);
    }
}
