//! `GET /live`: reports which parts of the state have changed, to each subscriber at most four times a second.
//!
//! Nothing is queued: a subscriber compares the versions that it saw last with the current ones, so a slow one gets one
//! event for many changes.

use crate::network::{Change, NetworkState, Versions};
use futures_util::{Stream, stream};
use runtime::server::ServerEvent;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Longest silence. `live.js` says that a page is not up to date after more than twice this time.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);
/// Least time between two rounds of events.
const PAUSE: Duration = Duration::from_millis(250);

struct Subscriber {
    state: watch::Receiver<Arc<NetworkState>>,
    seen: Versions,
    /// Changes of this round that are not sent yet.
    pending: Vec<Change>,
    next_round: Instant,
}

/// The changes of the state from now on, as events without data.
pub(super) fn changes(state: watch::Receiver<Arc<NetworkState>>) -> impl Stream<Item = ServerEvent> + Send + 'static {
    stream::unfold(Subscriber::new(state), |mut subscriber| async move {
        let change = subscriber.next().await?;
        // An empty object is always JSON.
        let event = ServerEvent::new(change.name(), &serde_json::Map::new()).ok()?;
        Some((event, subscriber))
    })
}

impl Subscriber {
    fn new(state: watch::Receiver<Arc<NetworkState>>) -> Self {
        let seen = state.borrow().versions;
        Self { state, seen, pending: Vec::new(), next_round: Instant::now() }
    }

    /// `None` when the monitor has ended.
    async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.pending.pop() {
                return Some(change);
            }
            self.state.changed().await.ok()?;
            sleep_until(self.next_round).await;
            let now = self.state.borrow_and_update().versions;
            self.pending = now.changed_since(&self.seen);
            if !self.pending.is_empty() {
                self.seen = now;
                self.next_round = Instant::now() + PAUSE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(publisher: &watch::Sender<Arc<NetworkState>>, changes: &[Change]) {
        publisher.send_modify(|state| {
            let state = Arc::make_mut(state);
            changes.iter().for_each(|change| state.versions.mark(*change));
        });
    }

    #[tokio::test]
    async fn many_changes_of_a_part_are_one_event() {
        let (publisher, _state) = watch::channel(Arc::new(NetworkState::default()));
        let mut subscriber = Subscriber::new(publisher.subscribe());
        for _ in 0..1000 {
            publish(&publisher, &[Change::Blocks, Change::News]);
        }
        let mut sent = [subscriber.next().await.unwrap().name(), subscriber.next().await.unwrap().name()];
        sent.sort_unstable();
        assert_eq!(sent, ["blocks", "ticker"]);
        assert!(subscriber.pending.is_empty());
        publish(&publisher, &[Change::Pool]);
        assert_eq!(subscriber.next().await, Some(Change::Pool));
        drop(publisher);
        assert_eq!(subscriber.next().await, None);
    }
}
