//! `GET /live`: which parts of the picture have changed, told to each subscriber at most four times a second.
//!
//! Nothing is queued for a subscriber: it compares the counts that it saw last with those of now, so who is slow is told
//! once of all that it missed.

use super::Change;
use super::state::{NetworkState, Versions};
use futures_util::{Stream, stream};
use runtime::server::{Request, Response, ServerEvent, reply};
use shared::wire::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Between two rounds of news.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn response(state: watch::Receiver<Arc<NetworkState>>, request: &Request) -> Result<Response, Problem> {
    reply::events(request, changes(state))
}

struct Subscriber {
    state: watch::Receiver<Arc<NetworkState>>,
    seen: Versions,
    /// What is to be told yet of this round.
    pending: Vec<Change>,
    next_round: Instant,
}

fn changes(state: watch::Receiver<Arc<NetworkState>>) -> impl Stream<Item = ServerEvent> + Send + 'static {
    let seen = state.borrow().versions;
    let subscriber = Subscriber { state, seen, pending: Vec::new(), next_round: Instant::now() };
    stream::unfold(subscriber, |mut subscriber| async move {
        let change = subscriber.next().await?;
        // An empty object is always JSON.
        let event = ServerEvent::new(change.name(), &serde_json::Map::new()).ok()?;
        Some((event, subscriber))
    })
}

impl Subscriber {
    /// None when nobody paints the picture any more.
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

    fn subscriber(publisher: &watch::Sender<Arc<NetworkState>>) -> Subscriber {
        let state = publisher.subscribe();
        let seen = state.borrow().versions;
        Subscriber { state, seen, pending: Vec::new(), next_round: Instant::now() }
    }

    #[tokio::test]
    async fn what_changed_often_is_told_once_and_the_rest_not_at_all() {
        let (publisher, _picture) = watch::channel(Arc::new(NetworkState::default()));
        let mut subscriber = subscriber(&publisher);
        for _ in 0..1000 {
            publish(&publisher, &[Change::Blocks, Change::News]);
        }
        let mut told = [subscriber.next().await.unwrap().name(), subscriber.next().await.unwrap().name()];
        told.sort_unstable();
        assert_eq!(told, ["blocks", "ticker"]);
        assert!(subscriber.pending.is_empty());
        publish(&publisher, &[Change::Pool]);
        assert_eq!(subscriber.next().await, Some(Change::Pool));
        drop(publisher);
        assert_eq!(subscriber.next().await, None);
    }
}
