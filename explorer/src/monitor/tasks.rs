//! The tasks that keep the state up to date: they ask the tracker for services, poll each service, and listen to its
//! events.
//!
//! Each service has a task. All tasks feed one reducer, whose state is published at most 20 times a second.

use super::backfill::backfill;
use super::contents::fetch_contents;
use super::context::Context;
use crate::network::{NetworkState, Reducer, ServiceId};
use futures_util::{Stream, StreamExt};
use runtime::client::{Client, Error};
use runtime::clock::Clock;
use shared::block::Timestamp;
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::{Info, Member, Role};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Time between two requests for `/info` of a service, and for the tracker's list.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Time between an event and the request for `/info` that it causes, so that many events cause one request.
const POLL_DELAY: Duration = Duration::from_millis(250);
/// Least time between two published states.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);
/// Most events of one service per [`POLL_INTERVAL`]. Further ones wait, so that no service can keep the explorer busy.
const MAX_EVENTS: usize = 4000;
/// Time before the explorer listens to a service again: the first time, and at most.
const MIN_RETRY: Duration = Duration::from_millis(500);
const MAX_RETRY: Duration = Duration::from_secs(10);

/// Starts the tasks; returns what they share, and the state that they publish.
pub(super) fn start(
    client: Client,
    tracker: PeerAddress,
    params: &Params,
    letters: BTreeMap<String, String>,
    clock: Clock,
    shutdown: CancellationToken,
) -> (Arc<Context>, watch::Receiver<Arc<NetworkState>>) {
    let reducer = Reducer::new(tracker.as_str(), params, letters);
    let (publisher, state) = watch::channel(Arc::new(reducer.state().clone()));
    let context = Arc::new(Context {
        client,
        network: params.network_id(),
        params: params.clone(),
        max_block_bytes: params.max_block_json(),
        clock,
        reducer: Mutex::new(reducer),
        written: Notify::new(),
    });
    let publishing = context.clone().publish(publisher);
    let watching = context.clone().watch(tracker, shutdown.clone());
    let (filling, filled) = (context.clone(), state.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = async { tokio::join!(publishing, watching, fetch_contents(&filling, filled)) } => {}
        }
    });
    (context, state)
}

impl Context {
    async fn publish(self: Arc<Self>, publisher: watch::Sender<Arc<NetworkState>>) {
        loop {
            self.written.notified().await;
            publisher.send_replace(Arc::new(self.read(NetworkState::clone)));
            sleep(PUBLISH_INTERVAL).await;
        }
    }

    /// Asks the tracker for services, and starts and ends their tasks.
    async fn watch(self: Arc<Self>, tracker: PeerAddress, shutdown: CancellationToken) {
        let mut tasks: BTreeMap<ServiceId, CancellationToken> = BTreeMap::new();
        loop {
            match self.client.members(tracker.as_str()).await {
                Ok(members) => {
                    let watched = self.write(|reducer, now| reducer.set_members(now, self.services(members)));
                    tasks.retain(|service, stop| {
                        watched.contains(service) || {
                            stop.cancel();
                            false
                        }
                    });
                    for service in watched {
                        tasks.entry(service.clone()).or_insert_with(|| self.follow(service, &shutdown));
                    }
                }
                Err(error) => self.write(|reducer, _| reducer.apply_tracker_error(&error.to_string())),
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// The members of our network that have a well-formed address.
    fn services(&self, members: Vec<Member>) -> impl Iterator<Item = ServiceId> {
        let ours = members.into_iter().filter(|member| member.network_id == self.network);
        ours.filter_map(|member| Some((member.role, PeerAddress::new(&member.address)?.to_string())))
    }

    fn follow(self: &Arc<Self>, (role, address): ServiceId, shutdown: &CancellationToken) -> CancellationToken {
        let stop = shutdown.child_token();
        let (context, stopped) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            let poll_soon = Notify::new();
            tokio::select! {
                () = stopped.cancelled() => {}
                () = context.poll(role, &address, &poll_soon) => {}
                () = context.listen(role, &address, &poll_soon) => {}
            }
        });
        stop
    }

    /// Requests `/info` of a service, every [`POLL_INTERVAL`] and soon after an event; of a node also unknown blocks.
    async fn poll(&self, role: Role, address: &str, poll_soon: &Notify) {
        let mut is_first = true;
        let mut peers_at = Instant::now();
        loop {
            let answer = self.client.info(address).await.and_then(|info| self.of_our_network(info));
            match answer {
                Ok(info) => {
                    self.write(|reducer, now| reducer.apply_info(now, role, address, info));
                    if role == Role::Node {
                        if is_first || peers_at.elapsed() >= POLL_INTERVAL {
                            peers_at = Instant::now();
                            self.ask_for_peers(address).await;
                        }
                        backfill(self, address, is_first).await;
                        is_first = false;
                    }
                }
                Err(error) => self.write(|reducer, now| reducer.apply_error(now, role, address, &error.to_string())),
            }
            if timeout(POLL_INTERVAL, poll_soon.notified()).await.is_ok() {
                sleep(POLL_DELAY).await;
            }
        }
    }

    async fn ask_for_peers(&self, node: &str) {
        match self.client.node_peers(node).await {
            Ok(peers) => self.write(|reducer, now| reducer.apply_peers(now, node, &peers)),
            Err(error) => tracing::debug!(%node, %error, "cannot fetch its peers"),
        }
    }

    fn of_our_network(&self, info: Info) -> Result<Info, Error> {
        if info.network_id == self.network {
            return Ok(info);
        }
        Err(Error::Malformed(format!("it belongs to another network, {}", info.network_id)))
    }

    /// Listens to the events of a service, and connects again when they end.
    async fn listen(&self, role: Role, address: &str, poll_soon: &Notify) {
        let mut wait = MIN_RETRY;
        loop {
            let received = match role {
                Role::Node => {
                    self.receive(self.client.events(address).await, poll_soon, |reducer, now, event| {
                        reducer.apply_node_event(now, address, event);
                    })
                    .await
                }
                Role::Mempool => {
                    self.receive(self.client.pool_events(address).await, poll_soon, |reducer, now, event| {
                        reducer.apply_pool_event(now, address, event);
                    })
                    .await
                }
            };
            sleep(wait).await;
            wait = if received { MIN_RETRY } else { (wait * 2).min(MAX_RETRY) };
        }
    }

    /// Applies events until they end; returns whether there were any.
    async fn receive<E>(
        &self,
        events: Result<impl Stream<Item = Result<E, Error>>, Error>,
        poll_soon: &Notify,
        note: impl Fn(&mut Reducer, Timestamp, &E),
    ) -> bool {
        let Ok(events) = events else { return false };
        let mut events = std::pin::pin!(events);
        let (mut received, mut round, mut count) = (false, Instant::now(), 0);
        while let Some(Ok(event)) = events.next().await {
            received = true;
            self.write(|reducer, now| note(reducer, now, &event));
            poll_soon.notify_one();
            count += 1;
            if count >= MAX_EVENTS {
                sleep_until(round + POLL_INTERVAL).await;
                (round, count) = (Instant::now(), 0);
            }
        }
        received
    }
}
