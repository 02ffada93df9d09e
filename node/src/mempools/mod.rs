//! Polls the mempools for the candidates of the next block.
//!
//! A mempool may be slow, unreachable or lying: its list is bounded, checked, and dropped as soon as it does not
//! answer, and the lists of the others are used without waiting for it. `shared::pool` chooses the transactions of a
//! block, and the layer decides whether they are valid on the chain.

mod candidates;
mod polled;

pub(crate) use candidates::Candidates;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use polled::{PolledMempool, PullResult, TransactionCheck};
use runtime::client::Client;
use runtime::follower::Follower;
use shared::keys::Verifier;
use shared::ledger::TransactionRules;
use shared::params::Params;
use shared::pool::{Room, Weights};
use shared::sync::PeerAddress;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Most mempools that are polled; the tracker's list has no more.
const MAX_MEMPOOLS: usize = 64;
/// Most mempools that are polled at a time.
const MAX_PULLS: usize = 8;
/// How often a mining node polls them, unless blocks are rare ([`Params::poll_ms`]).
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// Longest time that [`Mempools::refresh`] waits; after it, the caller uses the candidates that are there.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Most requests for a refresh that wait at a time; more return at once.
const MAX_REFRESHES: usize = 64;

/// A handle to the candidates of all mempools; cheap to clone.
#[derive(Clone)]
pub(crate) struct Mempools {
    candidates: watch::Receiver<Candidates>,
    requests: Option<mpsc::Sender<RefreshRequest>>,
}

/// Asks that all lists are at most `max_age` old.
struct RefreshRequest {
    max_age: Duration,
    done: oneshot::Sender<()>,
}

pub(crate) struct PullSettings {
    /// The mempools to poll.
    pub(crate) named: watch::Receiver<Vec<PeerAddress>>,
    /// Knows which addresses are blocked.
    pub(crate) follower: Follower,
    /// Whether to poll regularly; otherwise only on [`Mempools::refresh`].
    pub(crate) is_regular: bool,
    /// Bytes of a block's data for transactions.
    pub(crate) room: usize,
    pub(crate) verifier: Arc<dyn Verifier>,
}

impl Mempools {
    /// For layers without transactions: never has candidates.
    pub(crate) fn none() -> Self {
        Self { candidates: watch::channel(Candidates::default()).1, requests: None }
    }

    /// Polls the mempools until `shutdown` is cancelled.
    pub(crate) fn start(client: Client, params: &Params, settings: PullSettings, shutdown: CancellationToken) -> Self {
        let (candidates, watcher) = watch::channel(Candidates::default());
        let (requests, request_queue) = mpsc::channel(MAX_REFRESHES);
        // At most 2^20 (docs/protocol.md §2).
        let count = params.max_transactions as usize;
        let puller = Puller {
            client,
            check: TransactionCheck {
                rules: TransactionRules::of(params),
                weights: Weights::of(params),
                verifier: settings.verifier,
                room: Room { count, bytes: settings.room },
            },
            named: settings.named,
            follower: settings.follower,
            period: Duration::from_millis(params.poll_ms(PERIOD.as_millis() as u64)),
            mempools: Vec::new(),
            pulls: FuturesUnordered::new(),
            waiters: Vec::new(),
            candidates,
        };
        if count > 0 {
            tokio::spawn(puller.run(settings.is_regular, request_queue, shutdown));
        }
        Self { candidates: watcher, requests: Some(requests) }
    }

    /// The current candidates for the next block.
    pub(crate) fn candidates(&self) -> Candidates {
        self.candidates.borrow().clone()
    }

    /// A receiver that wakes at each change of the candidates.
    pub(crate) fn watch(&self) -> watch::Receiver<Candidates> {
        self.candidates.clone()
    }

    /// Waits until all lists are at most `max_age` old, but no longer than [`MAX_WAIT`].
    ///
    /// Zero also polls mempools that are paused, so it must not be used for requests without the token.
    pub(crate) async fn refresh(&self, max_age: Duration) {
        let Some(requests) = &self.requests else { return };
        let (done, answer) = oneshot::channel();
        if requests.try_send(RefreshRequest { max_age, done }).is_ok() {
            // However it ends, the caller uses the candidates that are there.
            let _ = timeout(MAX_WAIT, answer).await;
        }
    }
}

struct Puller {
    client: Client,
    check: TransactionCheck,
    named: watch::Receiver<Vec<PeerAddress>>,
    follower: Follower,
    period: Duration,
    mempools: Vec<PolledMempool>,
    /// At most [`MAX_PULLS`].
    pulls: FuturesUnordered<BoxFuture<'static, PullResult>>,
    /// At most [`MAX_REFRESHES`].
    waiters: Vec<RefreshWaiter>,
    candidates: watch::Sender<Candidates>,
}

/// Waits until all mempools were polled since a moment.
struct RefreshWaiter {
    since: Instant,
    done: oneshot::Sender<()>,
}

impl Puller {
    async fn run(
        mut self,
        is_regular: bool,
        mut requests: mpsc::Receiver<RefreshRequest>,
        shutdown: CancellationToken,
    ) {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick(), if is_regular => self.mark_due(),
                Some(request) = requests.recv(), if self.waiters.len() < MAX_REFRESHES => self.accept(request),
                Some(pulled) = self.pulls.next() => self.record(pulled),
            }
            self.begin_pulls();
            self.reply_to_waiters();
        }
    }

    /// Removes mempools that are not named any more or are blocked, and adds new ones.
    fn sync_mempools(&mut self) {
        let named = self.named.borrow_and_update().clone();
        let allowed = named.into_iter().filter(|mempool| !self.follower.is_blocked(mempool.as_str()));
        let named: Vec<_> = allowed.take(MAX_MEMPOOLS).collect();
        let known = self.mempools.len();
        self.mempools.retain(|mempool| named.contains(&mempool.address));
        let is_changed = self.mempools.len() < known;
        for address in named {
            if self.mempools.iter().all(|mempool| mempool.address != address) {
                self.mempools.push(PolledMempool::new(address));
            }
        }
        if is_changed {
            self.publish();
        }
    }

    fn mark_due(&mut self) {
        self.sync_mempools();
        let now = Instant::now();
        for mempool in self.mempools.iter_mut().filter(|mempool| mempool.is_due(now)) {
            mempool.is_wanted = true;
        }
    }

    fn accept(&mut self, RefreshRequest { max_age, done }: RefreshRequest) {
        self.sync_mempools();
        let now = Instant::now();
        let since = now.checked_sub(max_age).unwrap_or(now);
        for mempool in self.mempools.iter_mut().filter(|mempool| mempool.is_older_than(since)) {
            mempool.is_wanted |= max_age.is_zero() || mempool.is_due(now);
        }
        self.waiters.push(RefreshWaiter { since, done });
    }

    fn record(&mut self, pulled: PullResult) {
        let mempool = self.mempools.iter_mut().find(|mempool| mempool.address == pulled.address);
        if mempool.is_some_and(|mempool| mempool.record(pulled, Instant::now())) {
            self.publish();
        }
    }

    /// Starts to poll the wanted mempools, at most [`MAX_PULLS`] at a time, the quickest of the last time first.
    fn begin_pulls(&mut self) {
        let mut wanted: Vec<_> = self.mempools.iter_mut().filter(|m| m.is_wanted && !m.is_asked).collect();
        wanted.sort_by_key(|mempool| mempool.took);
        let places = MAX_PULLS.saturating_sub(self.pulls.len());
        for mempool in wanted.into_iter().take(places) {
            self.pulls.push(Box::pin(mempool.pull(self.client.clone(), self.check.clone())));
        }
    }

    /// Replies to the waiters whose polls are done, and drops those that have stopped waiting.
    fn reply_to_waiters(&mut self) {
        let (mempools, waiters) = (&self.mempools, std::mem::take(&mut self.waiters));
        let is_held_up = |request: &RefreshWaiter| {
            mempools
                .iter()
                .any(|mempool| mempool.is_older_than(request.since) && (mempool.is_wanted || mempool.is_asked))
        };
        for request in waiters.into_iter().filter(|request| !request.done.is_closed()) {
            if is_held_up(&request) {
                self.waiters.push(request);
            } else {
                // Sending fails if the waiter stopped waiting just now.
                let _ = request.done.send(());
            }
        }
    }

    fn publish(&self) {
        self.candidates.send_replace(self.mempools.iter().map(PolledMempool::lists).collect());
    }
}
