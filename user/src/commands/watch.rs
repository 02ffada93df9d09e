//! `user watch`: tells what happens in a mempool and on a node, as it happens.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::{Context, Found};
use futures_util::{Stream, StreamExt, future, stream};
use runtime::client::{self, HostPort};
use runtime::printable::line;
use serde::Serialize;
use shared::wire::{BlockSource, NodeEvent, PeerChange, PoolEvent};
use std::pin::Pin;

/// Follow what happens in a mempool and on a node
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node, host:port [default: one that the tracker knows]
    #[arg(long, value_name = "HOST:PORT")]
    node: Option<HostPort>,
    /// End after so many events
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,
}

/// Something that happened.
#[derive(Debug, Serialize)]
struct Told {
    at: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum What {
    Pool(PoolEvent),
    Node(NodeEvent),
}

impl Output for Told {
    fn text(&self, style: Style) -> String {
        match &self.what {
            What::Pool(event) => of_pool(event, style),
            What::Node(event) => of_node(event, style),
        }
    }
}

fn of_pool(event: &PoolEvent, style: Style) -> String {
    match event {
        PoolEvent::Transaction(payment) => {
            let msg = if payment.msg.is_empty() { String::new() } else { format!(", saying {:?}", payment.msg) };
            let (from, to) = (payment.from.short(), payment.to.short());
            format!("payment {} of {} LAB from {from} to {to}{msg}", payment.id.short(), style.strong(payment.amount))
        }
        PoolEvent::Confirmed(confirmed) => {
            format!(
                "payment {} is {} by block {}",
                confirmed.id.short(),
                style.good("confirmed"),
                confirmed.block.index
            )
        }
        PoolEvent::Returned(returned) => {
            format!("payment {} is pending again: its block was undone", returned.id.short())
        }
        PoolEvent::Evicted(evicted) => {
            format!("payment {} was given up: {}", evicted.id.short(), line(&evicted.reason))
        }
    }
}

fn of_node(event: &NodeEvent, style: Style) -> String {
    match event {
        NodeEvent::Block(block) => {
            let how = match (block.source, &block.from) {
                (BlockSource::Mined, _) => "mined here".to_owned(),
                (BlockSource::Pushed, Some(from)) => format!("from {}", line(from)),
                (BlockSource::Pushed, None) => "pushed".to_owned(),
                (BlockSource::Synced, _) => "synced".to_owned(),
            };
            let side = if block.best { "" } else { ", on a side branch" };
            let (index, hash) = (style.strong(block.index), block.hash.short());
            format!("block {index} ({hash}) {how}, difficulty {}{side}", block.difficulty)
        }
        NodeEvent::Reorg(reorg) => format!(
            "reorganised: {} undone, {} applied, fork at {}, now on {} ({})",
            reorg.undone,
            reorg.applied,
            reorg.fork.index,
            reorg.to.index,
            reorg.to.hash.short()
        ),
        NodeEvent::Peer(peer) => {
            let change = match peer.change {
                PeerChange::Connected => "connected",
                PeerChange::Lost => "lost",
                PeerChange::Dropped => "dropped",
                PeerChange::Blocked => "blocked",
                PeerChange::Unblocked => "unblocked",
                PeerChange::Removed => "removed",
            };
            let why = peer.reason.as_ref().map_or(String::new(), |reason| format!(": {}", line(reason)));
            format!("peer {} {change}{why}", line(&peer.address))
        }
        NodeEvent::Mining(mining) => match mining.found {
            Some(hash) => format!("found block {} ({})", mining.index, hash.short()),
            None => format!("searches for block {} at {} hashes/s", mining.index, mining.hashrate),
        },
    }
}

type Source = Pin<Box<dyn Stream<Item = (String, Result<What, client::Error>)> + Send>>;

/// Follows, until a service ends it or enough was told.
///
/// # Errors
/// Neither mempool nor node can be found, or one of them stops telling.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await;
    let node = context.node(args.node.as_ref()).await;
    let mut events = match (mempool, node) {
        (Ok(mempool), Ok(node)) => {
            if mempool.id != node.id {
                return Err(Error::Usage(format!("{} and {} are of different networks", mempool.at, node.at)));
            }
            stream::select(of_mempool(&mempool).await?, of_node_at(&node).await?).boxed()
        }
        (Ok(mempool), Err(error)) => {
            console.note(&format!("only the mempool: {error}"));
            of_mempool(&mempool).await?
        }
        (Err(error), Ok(node)) => {
            console.note(&format!("only the node: {error}"));
            of_node_at(&node).await?
        }
        (Err(error), Err(_)) => return Err(error),
    };
    let mut told = 0;
    while args.count.is_none_or(|count| told < count) {
        match events.next().await {
            Some((at, Ok(what))) => console.show(&Told { at, what })?,
            Some((at, Err(error))) => return Err(Error::EventsEnded(at, error.to_string())),
            None => return Err(Error::EventsEnded("everybody".to_owned(), "they have stopped".to_owned())),
        }
        told += 1;
    }
    Ok(())
}

async fn of_mempool(found: &Found) -> Result<Source, Error> {
    let events = found.client.pool_events(&found.at).await.map_err(found.failed("follow the mempool"))?;
    Ok(source(found, events.map(|event| event.map(What::Pool))))
}

async fn of_node_at(found: &Found) -> Result<Source, Error> {
    let events = found.client.events(&found.at).await.map_err(found.failed("follow the node"))?;
    Ok(source(found, events.map(|event| event.map(What::Node))))
}

/// Events with who told them; that they have ended is told, too.
fn source(found: &Found, events: impl Stream<Item = Result<What, client::Error>> + Send + 'static) -> Source {
    let at = found.at.clone();
    let ended = stream::once(future::ready(Err(client::Error::Unreachable("it has stopped".to_owned()))));
    Box::pin(events.chain(ended).map(move |event| (at.clone(), event)))
}
