//! `user watch`: prints the events of a mempool and a node as they happen.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use futures_util::{Stream, StreamExt, future, stream};
use runtime::client::{self, HostPort};
use runtime::sanitize::line;
use serde::Serialize;
use shared::wire::{BlockSource, NodeEvent, PeerChange, PoolEvent};
use std::pin::Pin;

/// Print the events of a mempool and a node as they happen
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node, host:port [default: one that the tracker lists]
    #[arg(long, value_name = "HOST:PORT")]
    node: Option<HostPort>,
    /// End after N events
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,
}

/// An event, and the address of the service that sent it.
#[derive(Debug, Serialize)]
struct WatchEvent {
    at: String,
    #[serde(flatten)]
    event: ServiceEvent,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ServiceEvent {
    Pool(PoolEvent),
    Node(NodeEvent),
}

impl Output for WatchEvent {
    fn text(&self, style: Style) -> String {
        match &self.event {
            ServiceEvent::Pool(event) => pool_event_text(event, style),
            ServiceEvent::Node(event) => node_event_text(event, style),
        }
    }
}

fn pool_event_text(event: &PoolEvent, style: Style) -> String {
    match event {
        PoolEvent::Transaction(payment) => {
            let msg = if payment.msg.is_empty() { String::new() } else { format!(", message {:?}", payment.msg) };
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
            format!("payment {} is pending again: its block has left the best chain", returned.id.short())
        }
        PoolEvent::Evicted(evicted) => {
            format!("payment {} was dropped: {}", evicted.id.short(), line(&evicted.reason))
        }
    }
}

fn node_event_text(event: &NodeEvent, style: Style) -> String {
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
            "reorganisation: {} blocks undone, {} applied, fork at block {}, the tip is now block {} ({})",
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
            None => format!("mining block {} at {} hashes/s", mining.index, mining.hashrate),
        },
    }
}

type EventStream = Pin<Box<dyn Stream<Item = (String, Result<ServiceEvent, client::Error>)> + Send>>;

/// # Errors
/// Fails if neither a mempool nor a node is found, or if an event stream ends.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = context.mempool().await;
    let node = context.node(args.node.as_ref()).await;
    let mut events = match (mempool, node) {
        (Ok(mempool), Ok(node)) => {
            if mempool.network_id != node.network_id {
                return Err(Error::Usage(format!(
                    "{} and {} are of different networks",
                    mempool.address, node.address
                )));
            }
            stream::select(mempool_events(&mempool).await?, node_events(&node).await?).boxed()
        }
        (Ok(mempool), Err(error)) => {
            console.note(&format!("watching the mempool only: {error}"));
            mempool_events(&mempool).await?
        }
        (Err(error), Ok(node)) => {
            console.note(&format!("watching the node only: {error}"));
            node_events(&node).await?
        }
        (Err(error), Err(_)) => return Err(error),
    };
    let mut shown = 0;
    while args.count.is_none_or(|count| shown < count) {
        match events.next().await {
            Some((at, Ok(event))) => console.print(&WatchEvent { at, event })?,
            Some((at, Err(error))) => return Err(Error::EventsEnded(at, error.to_string())),
            None => return Err(Error::EventsEnded("the services".to_owned(), "they have stopped".to_owned())),
        }
        shown += 1;
    }
    Ok(())
}

async fn mempool_events(service: &RemoteService) -> Result<EventStream, Error> {
    let events =
        service.client.pool_events(&service.address).await.map_err(service.request_error("follow the mempool"))?;
    Ok(event_stream(service, events.map(|event| event.map(ServiceEvent::Pool))))
}

async fn node_events(service: &RemoteService) -> Result<EventStream, Error> {
    let events = service.client.events(&service.address).await.map_err(service.request_error("follow the node"))?;
    Ok(event_stream(service, events.map(|event| event.map(ServiceEvent::Node))))
}

/// Events with the address of their service, and an error when they end.
fn event_stream(
    service: &RemoteService,
    events: impl Stream<Item = Result<ServiceEvent, client::Error>> + Send + 'static,
) -> EventStream {
    let at = service.address.clone();
    let ended = stream::once(future::ready(Err(client::Error::Unreachable("it has stopped".to_owned()))));
    Box::pin(events.chain(ended).map(move |event| (at.clone(), event)))
}
