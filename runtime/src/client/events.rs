//! `GET /events` of a node or mempool as a stream of typed events.
//!
//! It reads the part of the server-sent events format that the services write: `event:` and `data:` lines, comments,
//! and an empty line at the end of an event. Events are bounded in size; unknown ones, as of a newer service, are
//! skipped.

use super::transport::refusal_error;
use super::{Client, Error};
use futures_util::{Stream, stream};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::wire::{NodeEvent, PoolEvent};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::timeout;

/// Longest event, in bytes.
const EVENT_BYTES: usize = 64 * 1024;
/// How long the server may take until it begins to answer.
const BEGIN: Duration = Duration::from_secs(5);
/// Longest silence: three times the server's keep-alive.
const SILENCE: Duration = crate::server::reply::KEEP_ALIVE.saturating_mul(3);

/// The events of a node.
const NODE_EVENTS: &[&str] = &["block", "reorg", "peer", "mining"];
/// The events of a mempool.
const POOL_EVENTS: &[&str] = &["transaction", "confirmed", "returned", "evicted", "conflict"];

impl Client {
    /// Subscribes to a node's events; the stream ends when the node ends it, and after an error.
    ///
    /// # Errors
    /// See [`Error`]; refused with 503 if the node has too many subscribers.
    pub async fn events(
        &self,
        address: &str,
    ) -> Result<impl Stream<Item = Result<NodeEvent, Error>> + Send + use<>, Error> {
        self.subscribe(address, NODE_EVENTS).await
    }

    /// Subscribes to a mempool's events; the stream ends when the mempool ends it, and after an error.
    ///
    /// # Errors
    /// See [`Error`]; refused with 503 if the mempool has too many subscribers.
    pub async fn pool_events(
        &self,
        address: &str,
    ) -> Result<impl Stream<Item = Result<PoolEvent, Error>> + Send + use<>, Error> {
        self.subscribe(address, POOL_EVENTS).await
    }

    async fn subscribe<E: DeserializeOwned + Send + 'static>(
        &self,
        address: &str,
        names: &'static [&'static str],
    ) -> Result<impl Stream<Item = Result<E, Error>> + Send + use<E>, Error> {
        let request = self.request(Method::GET, address, "/events")?;
        let answer = timeout(BEGIN, request.send()).await.map_err(|_| Error::Slow)?;
        let answer = answer.map_err(|error| Error::of(&error))?;
        if !answer.status().is_success() {
            return Err(timeout(BEGIN, refusal_error(answer)).await.unwrap_or(Error::Slow));
        }
        Ok(stream::unfold(Some((answer, Parser::new(names))), |state| async move {
            let (mut answer, mut parser) = state?;
            loop {
                if let Some(event) = parser.ready.pop_front() {
                    return Some((Ok(event), Some((answer, parser))));
                }
                let chunk = match timeout(SILENCE, answer.chunk()).await {
                    Ok(Ok(Some(chunk))) => chunk,
                    Ok(Ok(None)) => return None,
                    Ok(Err(error)) => return Some((Err(Error::of(&error)), None)),
                    Err(_) => return Some((Err(Error::Slow), None)),
                };
                if let Err(error) = parser.feed(&chunk) {
                    return Some((Err(error), None));
                }
            }
        }))
    }
}

/// Assembles events from chunks that begin and end anywhere.
#[derive(Debug)]
struct Parser<E> {
    /// The events that `E` has a variant for.
    names: &'static [&'static str],
    line: Vec<u8>,
    name: String,
    data: String,
    ready: VecDeque<E>,
}

impl<E: DeserializeOwned> Parser<E> {
    fn new(names: &'static [&'static str]) -> Self {
        Self { names, line: Vec::new(), name: String::new(), data: String::new(), ready: VecDeque::new() }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<(), Error> {
        for piece in chunk.split_inclusive(|c| *c == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() + self.data.len() > EVENT_BYTES {
                return Err(Error::Oversized { limit: EVENT_BYTES });
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = std::str::from_utf8(&line).map_err(|error| Error::Malformed(error.to_string()))?;
                self.take_line(line.trim_end_matches(['\n', '\r']))?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &str) -> Result<(), Error> {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.data.push_str(value),
            "" if line.is_empty() => self.finish()?,
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if !self.names.contains(&name.as_str()) {
            return Ok(());
        }
        let malformed = |error: serde_json::Error| Error::Malformed(format!("event {name}: {error}"));
        let data: Value = serde_json::from_str(&data).map_err(malformed)?;
        self.ready.push_back(serde_json::from_value(json!({"event": name, "data": data})).map_err(malformed)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ServerEvent;
    use shared::wire::{PeerChange, PeerEvent};

    fn parser() -> Parser<NodeEvent> {
        Parser::new(NODE_EVENTS)
    }

    fn peer(address: &str) -> NodeEvent {
        NodeEvent::Peer(PeerEvent { address: address.to_owned(), change: PeerChange::Lost, reason: None })
    }

    #[test]
    fn events_are_read_whatever_the_chunks_are() {
        let sent = [peer("127.0.0.1:8100"), peer("127.0.0.1:8101")];
        let mut bytes = b":\n\nevent: news\ndata: {}\n\n".to_vec();
        for event in &sent {
            let ServerEvent(frame) = ServerEvent::try_from(event).unwrap();
            bytes.extend_from_slice(&frame);
        }
        for size in [1, 2, 7, bytes.len()] {
            let mut parser = parser();
            for chunk in bytes.chunks(size) {
                parser.feed(chunk).unwrap();
            }
            assert_eq!(Vec::from(parser.ready), sent, "in chunks of {size}");
        }
    }

    #[test]
    fn an_endless_event_is_given_up() {
        let mut parser = self::parser();
        let error =
            std::iter::repeat(b"data: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n").find_map(|line| parser.feed(line).err());
        assert_eq!(error, Some(Error::Oversized { limit: EVENT_BYTES }));
        let mut parser = self::parser();
        assert!(std::iter::repeat(b"aaaaaaaa").any(|chunk| parser.feed(chunk).is_err()));
    }

    #[test]
    fn data_that_is_not_the_named_event_is_malformed() {
        let error = parser().feed(b"event: block\ndata: {\"index\":-1}\n\n").unwrap_err();
        assert!(error.to_string().contains("event block"), "{error}");
    }
}
