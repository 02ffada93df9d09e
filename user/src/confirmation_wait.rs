//! Waits until a transaction has enough confirmations, or has left the mempool for good.
//!
//! Polling the mempool is enough; its events only make the wait shorter and give the reason why a transaction was
//! dropped.

use crate::Error;
use crate::console::{Console, Output, Style};
use crate::services::RemoteService;
use futures_util::{Stream, StreamExt, future};
use runtime::client;
use serde::Serialize;
use shared::ledger::TransactionId;
use shared::wire::{ConflictEvent, EvictedEvent, PoolEvent};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout as within};

/// Time between two requests to the mempool.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Failed requests in a row before the wait fails: a restart of the mempool is shorter.
const MAX_FAILURES: u32 = 20;

/// How much later than an answer of the mempool the event about the same change may arrive.
const EVENT_DELAY: Duration = Duration::from_secs(2);

/// Events of a mempool.
pub(crate) type Events = Pin<Box<dyn Stream<Item = Result<PoolEvent, client::Error>> + Send>>;

/// One step of the wait.
#[derive(Debug, Serialize)]
struct Progress {
    id: TransactionId,
    confirmations: u64,
    wanted: u64,
}

impl Output for Progress {
    fn text(&self, style: Style) -> String {
        match self.confirmations {
            0 => "pending".to_owned(),
            n if n >= self.wanted => style.good(format!("{n} of {} confirmations", self.wanted)),
            n => format!("{n} of {} confirmations", self.wanted),
        }
    }
}

/// Subscribes to the mempool's events; `None` if it has no place left for a listener.
pub(crate) async fn subscribe(mempool: &RemoteService) -> Option<Events> {
    let events = mempool.client.pool_events(&mempool.address).await.ok()?;
    Some(Box::pin(events))
}

/// Waits for `wanted` confirmations and prints each step.
pub(crate) async fn wait(
    mempool: &RemoteService,
    id: TransactionId,
    wanted: u64,
    timeout: Duration,
    mut events: Option<Events>,
    console: &mut Console,
) -> Result<(), Error> {
    let began = Instant::now();
    let bar = console.progress(wanted, "confirmations");
    let (mut shown, mut failures, mut reason) = (None, 0, None);
    loop {
        match mempool.client.confirmations(&mempool.address, &id).await {
            Ok(confirmations) => {
                failures = 0;
                bar.set_position(confirmations.min(wanted));
                if shown != Some(confirmations) {
                    shown = Some(confirmations);
                    if !console.shows_progress() || confirmations >= wanted {
                        bar.finish_and_clear();
                        // A closed terminal does not end the wait, whose result is the exit code.
                        let _ = console.print(&Progress { id, confirmations, wanted });
                    }
                }
                if confirmations >= wanted {
                    return Ok(());
                }
            }
            Err(error) if error.status() == Some(404) => {
                let reason = match reason {
                    None => eviction_reason(id, &mut events).await,
                    known => known,
                };
                let unknown = || "the mempool does not say why".to_owned();
                return Err(Error::LeftPool { id, reason: reason.unwrap_or_else(unknown) });
            }
            Err(error) => {
                failures += 1;
                if failures >= MAX_FAILURES {
                    return Err(mempool.request_error(format!("go on waiting for {id}"))(error));
                }
            }
        }
        if began.elapsed() >= timeout {
            bar.finish_and_clear();
            return Err(Error::WaitTimeout { id, got: shown.unwrap_or(0), wanted, seconds: timeout.as_secs() });
        }
        tokio::select! {
            () = sleep(POLL_INTERVAL) => {}
            event = next_event_about(id, &mut events) => {
                match event {
                    PoolEvent::Evicted(evicted) => reason = Some(reason_of(evicted)),
                    PoolEvent::Conflict(ConflictEvent { newcomer, coin, taken: true, .. }) => {
                        console.note(&format!("transaction {newcomer} has spent its coin {coin}"));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Why the mempool has dropped a transaction: the event that says so may arrive after the mempool's 404.
async fn eviction_reason(id: TransactionId, events: &mut Option<Events>) -> Option<String> {
    let eviction = async {
        while events.is_some() {
            if let PoolEvent::Evicted(evicted) = next_event_about(id, events).await {
                return Some(reason_of(evicted));
            }
        }
        None
    };
    within(EVENT_DELAY, eviction).await.ok().flatten()
}

/// Why it was dropped, and the id of the transaction that replaced it.
fn reason_of(evicted: EvictedEvent) -> String {
    match evicted.by {
        Some(by) => format!("{} by {by}", evicted.reason),
        None => evicted.reason,
    }
}

/// The next event about a transaction. Once the stream has ended, it waits for ever.
async fn next_event_about(id: TransactionId, events: &mut Option<Events>) -> PoolEvent {
    if let Some(stream) = events {
        while let Some(Ok(event)) = stream.next().await {
            let subject = match &event {
                PoolEvent::Transaction(transaction) => transaction.id(),
                PoolEvent::Confirmed(confirmed) => confirmed.id,
                PoolEvent::Returned(returned) => returned.id,
                PoolEvent::Evicted(evicted) => evicted.id,
                PoolEvent::Conflict(conflict) => conflict.pending,
            };
            if subject == id {
                return event;
            }
        }
        *events = None;
    }
    future::pending().await
}
