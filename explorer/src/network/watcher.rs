//! Keeps the picture up to date: asks the tracker who is there, each service how it is, and listens to what they tell.
//!
//! A task for each service; all write into one notebook, and what it says is published a few times a second at the most.

use super::NetworkState;
use super::backfill::backfill;
use super::reducer::{Reducer, ServiceId};
use futures_util::{Stream, StreamExt};
use runtime::client::{Client, Error, HostPort};
use runtime::clock::Clock;
use shared::block::{BlockHash, Timestamp};
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::{Member, Role};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How often everybody is asked.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Between an event and the question that it calls for, so that many events make one question.
const POLL_DELAY: Duration = Duration::from_millis(250);
/// Between two editions of the picture.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);
/// Most events of one service in one round: what comes faster waits, so that nobody keeps us busy by talking.
const MAX_EVENTS: usize = 4000;
/// How long to wait before listening again, at first and at most.
const MIN_RETRY: Duration = Duration::from_millis(500);
const MAX_RETRY: Duration = Duration::from_secs(10);

/// Starts the tasks and answers what they share and the picture that they paint.
pub(super) fn start(
    client: Client,
    tracker: PeerAddress,
    params: &Params,
    clock: Clock,
    shutdown: CancellationToken,
) -> (Arc<Watcher>, watch::Receiver<Arc<NetworkState>>) {
    let reducer = Reducer::new(tracker.as_str(), params);
    let (publisher, state) = watch::channel(Arc::new(reducer.state().clone()));
    let watcher = Arc::new(Watcher {
        client,
        network: params.network_id(),
        max_block_bytes: usize::try_from(params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10),
        clock,
        reducer: Mutex::new(reducer),
        written: Notify::new(),
    });
    let publishing = watcher.clone().publish(publisher);
    let watching = watcher.clone().watch(tracker, shutdown.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            ((), ()) = async { tokio::join!(publishing, watching) } => {}
        }
    });
    (watcher, state)
}

/// What every task needs.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) client: Client,
    network: BlockHash,
    /// Bound on the JSON of one block.
    pub(super) max_block_bytes: usize,
    clock: Clock,
    reducer: Mutex<Reducer>,
    /// Told when something was written into the notebook.
    written: Notify,
}

impl Watcher {
    /// Writes into the notebook.
    pub(super) fn write<T>(&self, write: impl FnOnce(&mut Reducer, Timestamp) -> T) -> T {
        // A panic of another task leaves it as it was between two fields, which is good enough to be shown.
        let mut reducer = self.reducer.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = write(&mut reducer, self.clock.time());
        self.written.notify_one();
        answer
    }

    /// Reads what is written, the newest even if it is not published yet.
    pub(super) fn read<T>(&self, read: impl FnOnce(&NetworkState) -> T) -> T {
        read(self.reducer.lock().unwrap_or_else(PoisonError::into_inner).state())
    }

    async fn publish(self: Arc<Self>, publisher: watch::Sender<Arc<NetworkState>>) {
        loop {
            self.written.notified().await;
            publisher.send_replace(Arc::new(self.read(NetworkState::clone)));
            sleep(PUBLISH_INTERVAL).await;
        }
    }

    /// Asks the tracker, and starts and ends the tasks of services.
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

    /// The members of our network whose addresses are addresses.
    fn services(&self, members: Vec<Member>) -> impl Iterator<Item = ServiceId> {
        let ours = members.into_iter().filter(|member| member.network_id == self.network);
        ours.filter_map(|member| Some((member.role, member.address.parse::<HostPort>().ok()?.to_string())))
    }

    fn follow(self: &Arc<Self>, (role, address): ServiceId, shutdown: &CancellationToken) -> CancellationToken {
        let stop = shutdown.child_token();
        let (watcher, stopped) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            let poll_soon = Notify::new();
            tokio::select! {
                () = stopped.cancelled() => {}
                ((), ()) = async { tokio::join!(watcher.poll(role, &address, &poll_soon), watcher.listen(role, &address, &poll_soon)) } => {}
            }
        });
        stop
    }

    /// Asks a service how it is, every round and soon after an event; and a node for the blocks that are not known.
    async fn poll(&self, role: Role, address: &str, poll_soon: &Notify) {
        let mut is_first = true;
        loop {
            let answer = self.client.info(address).await.and_then(|info| self.of_our_network(info));
            match answer {
                Ok(info) => {
                    self.write(|reducer, now| reducer.apply_info(now, role, address, info));
                    if role == Role::Node {
                        backfill(self, address, is_first).await;
                        is_first = false;
                    }
                }
                Err(error) => self.write(|reducer, now| reducer.apply_error(now, role, address, &error.to_string())),
            }
            // Without an event it is the round that ends the wait.
            if timeout(POLL_INTERVAL, poll_soon.notified()).await.is_ok() {
                sleep(POLL_DELAY).await;
            }
        }
    }

    fn of_our_network(&self, info: shared::wire::Info) -> Result<shared::wire::Info, Error> {
        if info.network_id == self.network {
            return Ok(info);
        }
        Err(Error::Malformed(format!("it is of another network, {}", info.network_id)))
    }

    /// Listens to a service, again and again.
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

    /// Writes down events until they end; tells whether there were any.
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
