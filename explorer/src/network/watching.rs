//! Keeps the picture up to date: asks the tracker who is there, each service how it is, and listens to what they tell.
//!
//! A task for each service; all write into one notebook, and what it says is published a few times a second at the most.

use super::Picture;
use super::backfill::backfill;
use super::notebook::{Notebook, Service};
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
const ROUND: Duration = Duration::from_secs(2);
/// Between an event and the question that it calls for, so that many events make one question.
const SOON: Duration = Duration::from_millis(250);
/// Between two editions of the picture.
const EDITION: Duration = Duration::from_millis(50);
/// Most events of one service in one round: what comes faster waits, so that nobody keeps us busy by talking.
const MAX_EVENTS: usize = 4000;
/// How long to wait before listening again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Starts the tasks and answers what they share and the picture that they paint.
pub(super) fn start(
    client: Client,
    tracker: PeerAddress,
    params: &Params,
    clock: Clock,
    shutdown: CancellationToken,
) -> (Arc<Watcher>, watch::Receiver<Arc<Picture>>) {
    let notebook = Notebook::new(tracker.as_str(), params);
    let (painter, picture) = watch::channel(Arc::new(notebook.picture().clone()));
    let watcher = Arc::new(Watcher {
        client,
        network: params.network_id(),
        max_block_bytes: usize::try_from(params.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6) + (4 << 10),
        clock,
        notebook: Mutex::new(notebook),
        written: Notify::new(),
    });
    let publishing = watcher.clone().publish(painter);
    let watching = watcher.clone().watch(tracker, shutdown.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            ((), ()) = async { tokio::join!(publishing, watching) } => {}
        }
    });
    (watcher, picture)
}

/// What every task needs.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) client: Client,
    network: BlockHash,
    /// Bound on the JSON of one block.
    pub(super) max_block_bytes: usize,
    clock: Clock,
    notebook: Mutex<Notebook>,
    /// Told when something was written into the notebook.
    written: Notify,
}

impl Watcher {
    /// Writes into the notebook.
    pub(super) fn write<T>(&self, write: impl FnOnce(&mut Notebook, Timestamp) -> T) -> T {
        // A panic of another task leaves it as it was between two fields, which is good enough to be shown.
        let mut notebook = self.notebook.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = write(&mut notebook, self.clock.time());
        self.written.notify_one();
        answer
    }

    /// Reads what is written, the newest even if it is not published yet.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Picture) -> T) -> T {
        read(self.notebook.lock().unwrap_or_else(PoisonError::into_inner).picture())
    }

    async fn publish(self: Arc<Self>, painter: watch::Sender<Arc<Picture>>) {
        loop {
            self.written.notified().await;
            painter.send_replace(Arc::new(self.read(Picture::clone)));
            sleep(EDITION).await;
        }
    }

    /// Asks the tracker, and starts and ends the tasks of services.
    async fn watch(self: Arc<Self>, tracker: PeerAddress, shutdown: CancellationToken) {
        let mut tasks: BTreeMap<Service, CancellationToken> = BTreeMap::new();
        loop {
            match self.client.members(tracker.as_str()).await {
                Ok(members) => {
                    let watched = self.write(|notebook, now| notebook.listed(now, self.services(members)));
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
                Err(error) => self.write(|notebook, _| notebook.tracker_failed(&error.to_string())),
            }
            sleep(ROUND).await;
        }
    }

    /// The members of our network whose addresses are addresses.
    fn services(&self, members: Vec<Member>) -> impl Iterator<Item = Service> {
        let ours = members.into_iter().filter(|member| member.network_id == self.network);
        ours.filter_map(|member| Some((member.role, member.address.parse::<HostPort>().ok()?.to_string())))
    }

    fn follow(self: &Arc<Self>, (role, address): Service, shutdown: &CancellationToken) -> CancellationToken {
        let stop = shutdown.child_token();
        let (watcher, stopped) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            let soon = Notify::new();
            tokio::select! {
                () = stopped.cancelled() => {}
                ((), ()) = async { tokio::join!(watcher.ask(role, &address, &soon), watcher.listen(role, &address, &soon)) } => {}
            }
        });
        stop
    }

    /// Asks a service how it is, every round and soon after an event; and a node for the blocks that are not known.
    async fn ask(&self, role: Role, address: &str, soon: &Notify) {
        let mut is_first = true;
        loop {
            let answer = self.client.info(address).await.and_then(|info| self.of_our_network(info));
            match answer {
                Ok(info) => {
                    self.write(|notebook, now| notebook.answered(now, role, address, info));
                    if role == Role::Node {
                        backfill(self, address, is_first).await;
                        is_first = false;
                    }
                }
                Err(error) => self.write(|notebook, now| notebook.failed(now, role, address, &error.to_string())),
            }
            // Without an event it is the round that ends the wait.
            if timeout(ROUND, soon.notified()).await.is_ok() {
                sleep(SOON).await;
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
    async fn listen(&self, role: Role, address: &str, soon: &Notify) {
        let mut wait = FIRST_WAIT;
        loop {
            let heard = match role {
                Role::Node => {
                    self.hear(self.client.events(address).await, soon, |notebook, now, event| {
                        notebook.node_said(now, address, event);
                    })
                    .await
                }
                Role::Mempool => {
                    self.hear(self.client.pool_events(address).await, soon, |notebook, now, event| {
                        notebook.pool_said(now, address, event);
                    })
                    .await
                }
            };
            sleep(wait).await;
            wait = if heard { FIRST_WAIT } else { (wait * 2).min(LONGEST_WAIT) };
        }
    }

    /// Writes down events until they end; tells whether there were any.
    async fn hear<E>(
        &self,
        events: Result<impl Stream<Item = Result<E, Error>>, Error>,
        soon: &Notify,
        note: impl Fn(&mut Notebook, Timestamp, &E),
    ) -> bool {
        let Ok(events) = events else { return false };
        let mut events = std::pin::pin!(events);
        let (mut heard, mut round, mut count) = (false, Instant::now(), 0);
        while let Some(Ok(event)) = events.next().await {
            heard = true;
            self.write(|notebook, now| note(notebook, now, &event));
            soon.notify_one();
            count += 1;
            if count >= MAX_EVENTS {
                sleep_until(round + ROUND).await;
                (round, count) = (Instant::now(), 0);
            }
        }
        heard
    }
}
