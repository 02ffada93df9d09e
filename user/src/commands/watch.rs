//! `user watch`: prints the events of a mempool and a node as they happen.

use crate::Error;
use crate::answers;
use crate::console::{Console, Output, Style};
use crate::services::{Context, RemoteService};
use futures_util::{Stream, StreamExt};
use runtime::client;
use runtime::sanitize::{self, line};
use serde::Serialize;
use shared::block::BlockHash;
use shared::ledger::{TransactionRules, Transfer};
use shared::sync::PeerAddress;
use shared::wire::{BlockSource, ConflictEvent, NodeEvent, PeerChange, PoolEvent};
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Print the events of a mempool and a node as they happen
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node, host:port [default: one that the tracker lists]
    #[arg(long, value_name = "HOST:PORT")]
    node: Option<PeerAddress>,
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
    Stream(StreamEvent),
}

/// What happens to the stream of events itself. They do not count for `--count`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
enum StreamEvent {
    Interrupted { reason: String },
    Resumed {},
}

impl Output for WatchEvent {
    fn text(&self, style: Style) -> String {
        match &self.event {
            ServiceEvent::Pool(event) => pool_event_text(event, style),
            ServiceEvent::Node(event) => node_event_text(event, style),
            ServiceEvent::Stream(StreamEvent::Interrupted { reason }) => {
                format!("-- no events from {}: {}; trying again", self.at, line(reason))
            }
            ServiceEvent::Stream(StreamEvent::Resumed {}) => {
                format!("-- {} is back; events in between are missing", self.at)
            }
        }
    }
}

fn pool_event_text(event: &PoolEvent, style: Style) -> String {
    match event {
        PoolEvent::Transaction(payment) => {
            let msg = if payment.msg().is_empty() {
                String::new()
            } else {
                format!(", message {}", sanitize::quoted(payment.msg()))
            };
            let Transfer { from, to, amount, .. } = payment.transfer();
            let (from, to) = (from.short(), to.short());
            format!("payment {} of {} LAB from {from} to {to}{msg}", payment.id().short(), style.strong(amount))
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
            let by = evicted.by.map_or_else(String::new, |by| format!(" by {}", by.short()));
            format!("payment {} was dropped: {}{by}", evicted.id.short(), line(&evicted.reason))
        }
        PoolEvent::Conflict(conflict) => {
            let ConflictEvent { coin, pending, newcomer, taken } = conflict;
            let end = if *taken { "and takes its place" } else { "and was refused" };
            let (coin, pending, newcomer) = (coin.short(), pending.short(), newcomer.short());
            format!("coin {coin} of pending payment {pending} is spent again by {newcomer}, {end}")
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

/// Time between two attempts to find a service again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a service may be away before watching it fails.
const MAX_OUTAGE: Duration = Duration::from_secs(600);

/// What to watch: a mempool, or the node that a flag may name.
#[derive(Debug, Clone)]
enum Target {
    Mempool,
    Node(Option<PeerAddress>),
}

type Events = Pin<Box<dyn Stream<Item = Result<ServiceEvent, client::Error>> + Send>>;

impl Target {
    async fn find(&self, context: &Context) -> Result<RemoteService, Error> {
        match self {
            Self::Mempool => context.mempool().await,
            Self::Node(named) => context.node(named.as_ref()).await,
        }
    }

    async fn subscribe(&self, service: &RemoteService) -> Result<Events, Error> {
        let (client, at) = (&service.client, &service.address);
        Ok(match self {
            Self::Mempool => {
                let events = client.pool_events(at).await.map_err(service.request_error("follow the mempool"))?;
                let rules = TransactionRules::of(&service.params);
                Box::pin(events.map(move |event| answers::event(event?, &rules).map(ServiceEvent::Pool)))
            }
            Self::Node(_) => {
                let events = client.events(at).await.map_err(service.request_error("follow the node"))?;
                Box::pin(events.map(|event| event.map(ServiceEvent::Node)))
            }
        })
    }

    /// Finds the service again after an outage, perhaps at another address, and subscribes to it.
    async fn resume(&self, context: &Context, network: BlockHash) -> Result<(RemoteService, Events), Error> {
        let service = self.find(context).await?;
        if service.network_id != network {
            let reason = "it is on another network now".to_owned();
            return Err(Error::UnusableNetwork { at: service.address, reason });
        }
        let events = self.subscribe(&service).await?;
        Ok((service, events))
    }
}

/// A service that is watched.
struct Watched {
    target: Target,
    service: RemoteService,
    events: Events,
}

impl Watched {
    async fn start(target: Target, context: &Context) -> Result<Self, Error> {
        let service = target.find(context).await?;
        let events = target.subscribe(&service).await?;
        Ok(Self { target, service, events })
    }

    /// Sends events until nobody receives them. When the service goes away, it waits for it to come back.
    async fn follow(mut self, context: Context, updates: mpsc::Sender<Result<WatchEvent, Error>>) {
        loop {
            let reason = loop {
                let event = match self.events.next().await {
                    Some(Ok(event)) => event,
                    Some(Err(error)) => break error.to_string(),
                    None => break "it has stopped".to_owned(),
                };
                if updates.send(Ok(self.event(event))).await.is_err() {
                    return;
                }
            };
            let interrupted = self.event(ServiceEvent::Stream(StreamEvent::Interrupted { reason: reason.clone() }));
            if updates.send(Ok(interrupted)).await.is_err() {
                return;
            }
            let began = Instant::now();
            loop {
                sleep(PAUSE).await;
                match self.target.resume(&context, self.service.network_id).await {
                    Ok((service, events)) => {
                        (self.service, self.events) = (service, events);
                        break;
                    }
                    Err(_) if began.elapsed() < MAX_OUTAGE => {}
                    Err(_) => {
                        let _ = updates.send(Err(Error::EventsEnded(self.service.address, reason))).await;
                        return;
                    }
                }
            }
            if updates.send(Ok(self.event(ServiceEvent::Stream(StreamEvent::Resumed {})))).await.is_err() {
                return;
            }
        }
    }

    fn event(&self, event: ServiceEvent) -> WatchEvent {
        WatchEvent { at: self.service.address.clone(), event }
    }
}

/// # Errors
/// Fails if neither a mempool nor a node is found, or if one of them stays away for ten minutes.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let mempool = Watched::start(Target::Mempool, context).await;
    let node = Watched::start(Target::Node(args.node), context).await;
    let watched = match (mempool, node) {
        (Ok(mempool), Ok(node)) => {
            let (one, other) = (&mempool.service, &node.service);
            if one.network_id != other.network_id {
                let reason = format!("{} and {} are of different networks", one.address, other.address);
                return Err(Error::Usage(reason));
            }
            vec![mempool, node]
        }
        (Ok(mempool), Err(error)) => {
            console.note(&format!("watching the mempool only: {error}"));
            vec![mempool]
        }
        (Err(error), Ok(node)) => {
            console.note(&format!("watching the node only: {error}"));
            vec![node]
        }
        (Err(error), Err(_)) => return Err(error),
    };
    let (sender, mut updates) = mpsc::channel(64);
    // They end with this set.
    let mut tasks = JoinSet::new();
    for watched in watched {
        tasks.spawn(watched.follow(context.clone(), sender.clone()));
    }
    drop(sender);
    let mut shown = 0;
    while args.count.is_none_or(|count| shown < count) {
        let Some(update) = updates.recv().await else { break };
        let update = update?;
        shown += u64::from(!matches!(update.event, ServiceEvent::Stream(_)));
        console.print(&update)?;
    }
    Ok(())
}
