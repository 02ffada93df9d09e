//! The frames of a stream of server-sent events: an opening, numbered events, heartbeats, and the notice of a gap.
//!
//! Each event has an `id`, so that a client which reconnects says so (`Last-Event-ID`). Events between two streams are
//! not kept: such a client gets `gap` first, and so does one that reads too slowly. After a gap, a client must ask for
//! the state. Heartbeats are events, not comments, because scripts of pages see only events.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use shared::wire::{NodeEvent, PoolEvent};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// How long clients wait before they reconnect, and a comment so that they see at once that they are subscribed.
const OPENING: &[u8] = b"retry: 2000\n:\n\n";
/// The connection is alive, though nothing has happened.
const HEARTBEAT: &[u8] = b"event: heartbeat\ndata: {}\n\n";
/// The client has missed events.
const GAP: &[u8] = b"event: gap\ndata: {}\n\n";

/// Tells streams of different runs of a program apart.
static RUN: LazyLock<u128> =
    LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis()));
static STREAMS: AtomicU64 = AtomicU64::new(0);

/// One server-sent event as it is written to subscribers, but for its id.
#[derive(Debug, Clone)]
pub struct ServerEvent(pub(crate) Bytes);

impl ServerEvent {
    /// An event with a `name` (one word) and JSON data.
    ///
    /// # Errors
    /// If the data cannot be written as JSON, which is a defect of its type.
    pub fn new(name: &str, data: &impl Serialize) -> Result<Self, serde_json::Error> {
        // serde_json writes no line breaks, so the data is one line.
        Ok(Self(format!("event: {name}\ndata: {}\n\n", serde_json::to_string(data)?).into()))
    }

    /// Tells a subscriber that it has missed events.
    pub(super) const fn gap() -> Self {
        Self(Bytes::from_static(GAP))
    }
}

impl TryFrom<&NodeEvent> for ServerEvent {
    type Error = serde_json::Error;

    fn try_from(event: &NodeEvent) -> Result<Self, serde_json::Error> {
        match event {
            NodeEvent::Block(data) => Self::new("block", data),
            NodeEvent::Reorg(data) => Self::new("reorg", data),
            NodeEvent::Peer(data) => Self::new("peer", data),
            NodeEvent::Mining(data) => Self::new("mining", data),
        }
    }
}

impl TryFrom<&PoolEvent> for ServerEvent {
    type Error = serde_json::Error;

    fn try_from(event: &PoolEvent) -> Result<Self, serde_json::Error> {
        match event {
            PoolEvent::Transaction(data) => Self::new("transaction", data),
            PoolEvent::Confirmed(data) => Self::new("confirmed", data),
            PoolEvent::Returned(data) => Self::new("returned", data),
            PoolEvent::Conflict(data) => Self::new("conflict", data),
            PoolEvent::Evicted(data) => Self::new("evicted", data),
        }
    }
}

/// The frames of one stream. `is_resumed` if the client has had a stream before; a heartbeat is sent after each silence
/// of `heartbeat`.
pub(super) fn frames(
    events: impl Stream<Item = ServerEvent> + Send + 'static,
    is_resumed: bool,
    heartbeat: Duration,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let name = format!("{:x}-{:x}", *RUN, STREAMS.fetch_add(1, Ordering::Relaxed));
    let gap = stream::iter(is_resumed.then(ServerEvent::gap));
    let events = Box::pin(gap.chain(events));
    let numbered = stream::unfold((events, 0_u64), move |(mut events, number)| {
        let name = name.clone();
        async move {
            match timeout(heartbeat, events.next()).await {
                Ok(Some(ServerEvent(frame))) => {
                    let frame = [format!("id: {name}-{number:x}\n").as_bytes(), &frame].concat();
                    Some((Bytes::from(frame), (events, number + 1)))
                }
                Ok(None) => None,
                Err(_) => Some((Bytes::from_static(HEARTBEAT), (events, number))),
            }
        }
    });
    stream::iter([Bytes::from_static(OPENING)]).chain(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SILENCE: Duration = Duration::from_secs(15);

    fn event(name: &str) -> ServerEvent {
        ServerEvent::new(name, &serde_json::Map::new()).unwrap()
    }

    async fn text(frames: impl Stream<Item = Bytes>) -> String {
        let frames: Vec<Bytes> = frames.collect().await;
        String::from_utf8(frames.concat()).unwrap()
    }

    #[tokio::test]
    async fn each_event_has_an_id_of_its_own_and_clients_know_when_to_reconnect() {
        let mut ids = BTreeSet::new();
        for _ in 0..2 {
            let text = text(frames(stream::iter([event("block"), event("reorg")]), false, SILENCE)).await;
            assert!(text.starts_with("retry: 2000\n:\n\nid: ") && !text.contains("gap"), "{text}");
            assert!(text.contains("\nevent: block\ndata: {}\n\nid: "), "{text}");
            ids.extend(text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned));
        }
        assert_eq!(ids.len(), 4, "{ids:?}");
    }

    #[tokio::test]
    async fn a_client_that_reconnects_is_told_of_the_gap_before_anything_else() {
        let text = text(frames(stream::iter([event("block")]), true, SILENCE)).await;
        let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(names, ["gap", "block"]);
    }

    #[tokio::test]
    async fn a_silent_stream_has_heartbeats_that_scripts_can_see() {
        let silent = frames(stream::pending(), false, Duration::from_millis(1)).take(4);
        assert_eq!(text(silent).await.matches("event: heartbeat\ndata: {}\n\n").count(), 3);
    }
}
