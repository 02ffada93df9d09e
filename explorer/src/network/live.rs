//! `GET /live`: which parts of the picture have changed, told to each subscriber at most four times a second.
//!
//! Nothing is queued for a subscriber: it compares the counts that it saw last with those of now, so who is slow is told
//! once of all that it missed.

use super::Change;
use super::picture::{Picture, Versions};
use futures_util::{Stream, stream};
use runtime::server::{Request, Response, ServerEvent, reply};
use shared::wire::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Between two rounds of news.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn answer(picture: watch::Receiver<Arc<Picture>>, request: &Request) -> Result<Response, Problem> {
    reply::events(request, news(picture))
}

struct Subscriber {
    picture: watch::Receiver<Arc<Picture>>,
    seen: Versions,
    /// What is to be told yet of this round.
    telling: Vec<Change>,
    next_round: Instant,
}

fn news(picture: watch::Receiver<Arc<Picture>>) -> impl Stream<Item = ServerEvent> + Send + 'static {
    let seen = picture.borrow().versions;
    let subscriber = Subscriber { picture, seen, telling: Vec::new(), next_round: Instant::now() };
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
            if let Some(change) = self.telling.pop() {
                return Some(change);
            }
            self.picture.changed().await.ok()?;
            sleep_until(self.next_round).await;
            let now = self.picture.borrow_and_update().versions;
            self.telling = now.changed_since(&self.seen);
            if !self.telling.is_empty() {
                self.seen = now;
                self.next_round = Instant::now() + PAUSE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(painter: &watch::Sender<Arc<Picture>>, changes: &[Change]) {
        painter.send_modify(|picture| {
            let picture = Arc::make_mut(picture);
            changes.iter().for_each(|change| picture.versions.mark(*change));
        });
    }

    fn subscriber(painter: &watch::Sender<Arc<Picture>>) -> Subscriber {
        let picture = painter.subscribe();
        let seen = picture.borrow().versions;
        Subscriber { picture, seen, telling: Vec::new(), next_round: Instant::now() }
    }

    #[tokio::test]
    async fn what_changed_often_is_told_once_and_the_rest_not_at_all() {
        let (painter, _picture) = watch::channel(Arc::new(Picture::default()));
        let mut subscriber = subscriber(&painter);
        for _ in 0..1000 {
            paint(&painter, &[Change::Blocks, Change::Ticker]);
        }
        let mut told = [subscriber.next().await.unwrap().name(), subscriber.next().await.unwrap().name()];
        told.sort_unstable();
        assert_eq!(told, ["blocks", "ticker"]);
        assert!(subscriber.telling.is_empty());
        paint(&painter, &[Change::Pool]);
        assert_eq!(subscriber.next().await, Some(Change::Pool));
        drop(painter);
        assert_eq!(subscriber.next().await, None);
    }
}
