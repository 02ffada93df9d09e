//! `/live`, the event stream of open pages.
//!
//! The parts of the first page are kept rendered while someone looks at it, and sent when they have changed. All
//! readers share one rendering. A part counts as changed if it differs by more than ages, which browsers count
//! themselves.

use crate::pages::network::{self, scene_now};
use crate::stage::scene::Scene;
use crate::stage::{Fragment, Fragments};
use crate::state::ExplorerState;
use crate::view;
use futures_util::{Stream, stream};
use runtime::server::{self, Request, Response, ServerEvent, reply};
use serde::{Deserialize, Serialize};
use shared::wire::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Least time between two renderings.
const PAUSE: Duration = Duration::from_millis(250);
/// Least time between two versions of a part that changes all the time.
const SLOW: Duration = Duration::from_secs(1);
/// The headline changes with time alone, too.
const TICK: Duration = Duration::from_secs(1);

/// A part as it is sent.
#[derive(Debug, Serialize)]
struct SentPart<'a> {
    id: &'a str,
    html: &'a str,
    /// Milliseconds since 1970: ages in the part are as of then.
    now: u64,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiveQuery {
    /// The parts of the first page to send whenever they change, separated by commas. Without it, the events name what
    /// has changed.
    #[param(nullable = false)]
    parts: Option<String>,
}

/// Renders the parts whenever they change, while someone listens.
pub(crate) async fn keep(explorer: Arc<ExplorerState>, shutdown: CancellationToken) {
    let keeping = async {
        let mut state = explorer.monitor.subscribe();
        loop {
            if explorer.stage.receiver_count() == 0 {
                explorer.stage.send_replace(Arc::default());
                let _ = timeout(SLOW, explorer.stage_wanted.notified()).await;
                continue;
            }
            state.borrow_and_update();
            render(&explorer).await;
            sleep(PAUSE).await;
            // Fails only when the monitor ends, and then the explorer stops.
            let _ = timeout(TICK, state.changed()).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = keeping => {}
    }
}

async fn render(explorer: &ExplorerState) {
    let scene = scene_now(explorer).await;
    let still = scene.without_clock();
    let before = explorer.stage.borrow().clone();
    let mut fragments = (*before).clone();
    for part in network::PARTS {
        let old = before.0.get(part.id);
        if part.is_busy && old.is_some_and(|old| old.made.elapsed() < SLOW) {
            continue;
        }
        let draw = |scene: &Scene| view::with_cast(scene.cast.clone(), || (part.draw)(scene).into_string());
        let key = draw(&still);
        if old.is_none_or(|old| old.key != key) {
            let version = old.map_or(1, |old| old.version + 1);
            let (html, now) = (draw(&scene).into(), scene.now);
            fragments.0.insert(part.id, Fragment { version, made: Instant::now(), key, html, now });
        }
    }
    explorer.stage.send_if_modified(|kept| {
        let version = |fragments: &Fragments| -> Vec<u64> { fragments.0.values().map(|part| part.version).collect() };
        let is_changed = version(kept) != version(&fragments);
        *kept = Arc::new(fragments);
        is_changed
    });
}

/// Answers `GET /live`: parts of the first page, or what has changed.
///
/// # Errors
/// 400 for a part that does not exist, 503 if there are too many subscribers.
pub(crate) fn live_response(explorer: &ExplorerState, request: &Request) -> Result<Response, Problem> {
    let LiveQuery { parts } = request.query()?;
    let Some(parts) = parts else { return crate::monitor::live_response(&explorer.monitor, request) };
    let mut wanted = Vec::new();
    for id in parts.split(',') {
        let part = network::PARTS.iter().find(|part| part.id == id);
        wanted.push(part.ok_or_else(|| server::bad_request(format!("query: parts: there is no part {id:?}")))?.id);
    }
    wanted.dedup();
    let parts = sent_parts(explorer.stage.subscribe(), wanted, view::prefix_of(&request.headers));
    explorer.stage_wanted.notify_one();
    reply::compressed_events(request, parts, crate::monitor::HEARTBEAT)
}

struct Subscriber {
    fragments: watch::Receiver<Arc<Fragments>>,
    wanted: Vec<&'static str>,
    sent: BTreeMap<&'static str, u64>,
    /// The path that its proxy adds to links.
    base: String,
}

fn sent_parts(
    fragments: watch::Receiver<Arc<Fragments>>,
    wanted: Vec<&'static str>,
    base: String,
) -> impl Stream<Item = ServerEvent> + Send + 'static {
    let subscriber = Subscriber { fragments, wanted, sent: BTreeMap::new(), base };
    stream::unfold(subscriber, |mut subscriber| async move {
        let event = subscriber.next().await?;
        Some((event, subscriber))
    })
}

impl Subscriber {
    /// `None` when the explorer stops.
    async fn next(&mut self) -> Option<ServerEvent> {
        loop {
            let fragments = self.fragments.borrow_and_update().clone();
            let is_new = |id: &&&'static str| {
                fragments.0.get(**id).is_some_and(|part| self.sent.get(**id) != Some(&part.version))
            };
            if let Some(id) = self.wanted.iter().find(is_new)
                && let Some(part) = fragments.0.get(id)
            {
                self.sent.insert(id, part.version);
                let html = view::links(part.html.to_string(), &self.base);
                // Plain text and a number are always JSON.
                return ServerEvent::new("part", &SentPart { id, html: &html, now: part.now.as_ms() }).ok();
            }
            self.fragments.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::Timestamp;

    fn fragments(parts: &[(&'static str, u64)]) -> Arc<Fragments> {
        let part = |(id, version): &(&'static str, u64)| {
            let (made, html, now) = (Instant::now(), format!("<p>{version}").into(), Timestamp::from_ms(5));
            (*id, Fragment { version: *version, made, key: String::new(), html, now })
        };
        Arc::new(Fragments(parts.iter().map(part).collect()))
    }

    #[tokio::test]
    async fn a_subscriber_gets_its_parts_once_and_again_when_they_change() {
        let (publisher, fragments_seen) = watch::channel(fragments(&[("head", 1), ("chain", 1), ("people", 1)]));
        let wanted = vec!["head", "chain"];
        let mut subscriber =
            Subscriber { fragments: fragments_seen, wanted, sent: BTreeMap::new(), base: String::new() };
        assert!(subscriber.next().await.is_some() && subscriber.next().await.is_some());
        assert_eq!(subscriber.sent, BTreeMap::from([("head", 1), ("chain", 1)]));
        publisher.send_replace(fragments(&[("head", 1), ("chain", 3), ("people", 9)]));
        assert!(subscriber.next().await.is_some());
        assert_eq!(subscriber.sent, BTreeMap::from([("head", 1), ("chain", 3)]));
        drop(publisher);
        assert!(subscriber.next().await.is_none());
    }
}
