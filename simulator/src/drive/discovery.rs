//! Waits until there is a network to drive: a tracker that answers, a node, and where there is money a mempool.
//!
//! Each may be started after us, so nothing of that is an error; what is waited for is told when it changes, and now and
//! then. It never guesses between networks.

use crate::event::{RunEvent, TimedEvent};
use crate::numbers::plural;
use crate::screen::Screen;
use anyhow::bail;
use futures_util::StreamExt;
use futures_util::stream::iter;
use runtime::client::Client;
use shared::block::BlockHash;
use shared::params::Params;
use shared::wire::{Member, Role, Tip};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is told that the same is still waited for.
const REMIND: Duration = Duration::from_secs(30);
/// Most nodes that are asked, and how many at a time.
const MOST: usize = 100;
const AT_A_TIME: usize = 16;

/// A network to drive.
pub(super) struct FoundNetwork {
    pub(super) params: Params,
    /// The nodes that answer, and where they stand.
    pub(super) nodes: Vec<(String, Tip)>,
    /// A mempool that answers, where there is money.
    pub(super) mempool: Option<String>,
}

/// What a look showed.
enum Discovery {
    Found(FoundNetwork),
    NotYet(String),
}

/// Looks until there is one: that of the id `ours`, or the only one. What is missing is told on `screen`.
///
/// # Errors
/// If there are several, or nobody takes the output.
pub(super) async fn find<W: Write>(
    tracker: &str,
    ours: BlockHash,
    screen: &mut Screen<W>,
) -> anyhow::Result<FoundNetwork> {
    let (client, began) = (Client::new(None, None)?, Instant::now());
    let (mut told, mut told_at) = (String::new(), began);
    loop {
        let reason = match look(&client, tracker, ours).await? {
            Discovery::Found(found) => return Ok(found),
            Discovery::NotYet(reason) => reason,
        };
        if reason != told || told_at.elapsed() >= REMIND {
            let at_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            screen.show(&[TimedEvent { at_ms, event: RunEvent::Waiting { reason: reason.clone() } }])?;
            (told, told_at) = (reason, Instant::now());
        }
        sleep(LOOK).await;
    }
}

async fn look(client: &Client, tracker: &str, ours: BlockHash) -> anyhow::Result<Discovery> {
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
    let asked: Vec<_> = iter(asked).buffered(AT_A_TIME).collect().await;
    let (mut params, mut nodes, mut silent) = (None, Vec::new(), None);
    for (address, info) in asked {
        match info {
            Ok(info) if info.network_id == network && info.tip.is_some() => {
                params = params.or_else(|| read(info.network, network));
                nodes.extend(info.tip.map(|tip| (address, tip)));
            }
            Ok(_) => {}
            Err(error) => silent = Some(format!("no node answers: {address}: {error}")),
        }
    }
    let Some(params) = params else {
        let reason = silent.unwrap_or_else(|| "no node tells the network's parameters".to_owned());
        return Ok(Discovery::NotYet(reason));
    };
    let mempool = if params.layer.has_money() { mempool(client, &members, network).await } else { None };
    if params.layer.has_money() && mempool.is_none() {
        let nodes = plural(nodes.len() as u64, "node");
        return Ok(Discovery::NotYet(format!("{nodes} answered, and no mempool does")));
    }
    Ok(Discovery::Found(FoundNetwork { params, nodes, mempool }))
}

/// The network that is meant, if any has a node: that of the id `ours`, or the only one.
fn choose(members: &[Member], ours: BlockHash) -> anyhow::Result<Option<BlockHash>> {
    let networks: BTreeSet<BlockHash> = of(members, Role::Node).map(|node| node.network_id).collect();
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

/// A mempool of the network that answers.
async fn mempool(client: &Client, members: &[Member], network: BlockHash) -> Option<String> {
    for address in addresses(members, Role::Mempool, network) {
        if client.info(&address).await.is_ok() {
            return Some(address);
        }
    }
    None
}

/// Where the members of a role are, in one network.
fn addresses(members: &[Member], role: Role, network: BlockHash) -> Vec<String> {
    let members = of(members, role).filter(|member| member.network_id == network).take(MOST);
    members.map(|member| member.address.clone()).collect()
}

/// The members of a role.
fn of(members: &[Member], role: Role) -> impl Iterator<Item = &Member> {
    members.iter().filter(move |member| member.role == role)
}

/// Parameters that a node tells; payments are signed for the id, so it must be theirs.
fn read(network: serde_json::Value, id: BlockHash) -> Option<Params> {
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
        let told = || serde_json::to_value(&params).unwrap();
        assert_eq!(read(told(), params.network_id()), Some(params.clone()));
        assert_eq!(read(told(), BlockHash::of("another")), None);
        assert_eq!(read(serde_json::json!({"name": 1}), params.network_id()), None);
    }
}
