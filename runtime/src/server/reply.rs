//! Answers of success: whole bodies, streams with a deadline, and server-sent events, which end with the service.
//!
//! For a refusal, return a [`Problem`].

use super::answer::AnswerBounds;
use super::compress::{ChunkEncoder, accepts_gzip};
use super::events::{ServerEvent, frames};
use super::places::Place;
use super::problem::unavailable;
use super::request::Request;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use shared::wire::Problem;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use sync_wrapper::SyncStream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use warp::Reply;

/// The answer of a handler.
pub type Response = warp::reply::Response;

/// Longest silence in a stream of events: after it, the event `heartbeat` shows that the connection is alive.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// 200 with a value as JSON.
///
/// # Errors
/// 500 if the value cannot be written as JSON, which is a defect of its type.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Response, Problem> {
    status(StatusCode::OK, value)
}

/// `status` with a value as JSON.
///
/// # Errors
/// As [`json`].
pub fn status<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| super::problem::internal(error.to_string()))?;
    Ok(whole(status, "application/json", body.into()))
}

/// 200 with bytes that are JSON already.
pub fn json_bytes(body: impl Into<Bytes>) -> Response {
    whole(StatusCode::OK, "application/json", body.into())
}

/// 200 with a bare JSON number.
pub fn number(number: u64) -> Response {
    whole(StatusCode::OK, "application/json", number.to_string().into())
}

/// 200 with plain text.
pub fn text(text: impl Into<Bytes>) -> Response {
    whole(StatusCode::OK, "text/plain; charset=utf-8", text.into())
}

/// 200 with HTML.
pub fn html(page: impl Into<Bytes>) -> Response {
    whole(StatusCode::OK, "text/html; charset=utf-8", page.into())
}

/// An answer with a whole body.
pub fn whole(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// 200 with a body that is made while it is sent.
///
/// An error of the stream, or its deadline ([`Limits::stream`](super::Limits::stream)), closes the connection, so that
/// the client notices that the body is incomplete.
///
/// # Errors
/// 503 if the maximum of streams is being sent.
pub fn stream<E>(
    request: &Request,
    content_type: &'static str,
    chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Result<Response, Problem>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let place = request.context.streams.try_take(request.source, 1);
    let place = place.map_err(|full| unavailable(format!("too many streams at the moment ({full}); try again")))?;
    Ok(stream_in(place, request.context.limits.stream, content_type, chunks))
}

/// [`stream()`] with a deadline and a limit of the caller: holds `place` until the stream ends.
pub fn stream_in<E>(
    place: Place,
    within: Duration,
    content_type: &'static str,
    chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Response
where
    E: std::error::Error + Send + Sync + 'static,
{
    let deadline = Instant::now() + within;
    let chunks = stream::unfold(Some((Box::pin(chunks), place)), move |state| async move {
        let (mut chunks, place) = state?;
        // A timeout alone would not check the clock while chunks are always ready.
        if Instant::now() >= deadline {
            return Some((Err(io::Error::from(io::ErrorKind::TimedOut)), None));
        }
        match timeout_at(deadline, chunks.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some((chunks, place)))),
            Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
            Ok(None) => None,
            Err(_) => Some((Err(io::Error::from(io::ErrorKind::TimedOut)), None)),
        }
    });
    let mut response = streaming(content_type, chunks);
    // The stream sees its deadline only when it is asked for more, which a slow reader may never cause.
    response.extensions_mut().insert(AnswerBounds { place: None, deadline: Some(deadline) });
    response
}

/// 200 with server-sent events until the stream, the client or the service ends, and a heartbeat after each silence of
/// [`KEEP_ALIVE`]. A client that reconnects gets the event `gap` first: it must ask for the state.
///
/// # Errors
/// 503 if the maximum of subscribers is connected.
pub fn events(
    request: &Request,
    events: impl Stream<Item = ServerEvent> + Send + 'static,
) -> Result<Response, Problem> {
    events_with_heartbeat(request, events, KEEP_ALIVE)
}

/// [`events`] with another interval of heartbeats.
///
/// # Errors
/// As [`events`].
pub fn events_with_heartbeat(
    request: &Request,
    events: impl Stream<Item = ServerEvent> + Send + 'static,
    heartbeat: Duration,
) -> Result<Response, Problem> {
    stream_events(request, events, heartbeat, None)
}

/// [`events_with_heartbeat`], compressed if the client accepts that. For events that are large and alike.
///
/// # Errors
/// As [`events`].
pub fn compressed_events(
    request: &Request,
    events: impl Stream<Item = ServerEvent> + Send + 'static,
    heartbeat: Duration,
) -> Result<Response, Problem> {
    let encoder = accepts_gzip(&request.headers).then(ChunkEncoder::new);
    stream_events(request, events, heartbeat, encoder)
}

fn stream_events(
    request: &Request,
    events: impl Stream<Item = ServerEvent> + Send + 'static,
    heartbeat: Duration,
    mut encoder: Option<ChunkEncoder>,
) -> Result<Response, Problem> {
    let is_compressed = encoder.is_some();
    let place = request.context.subscribers.try_take(request.source, 1);
    let place = place.map_err(|full| unavailable(format!("too many subscribers at the moment ({full})")))?;
    let is_resumed = request.headers.contains_key("last-event-id");
    let frames = frames(events, is_resumed, heartbeat).take_until(request.shutdown().cancelled_owned());
    let frames = frames.map(move |frame| {
        // Held until the stream ends.
        let _place = &place;
        match &mut encoder {
            Some(encoder) => encoder.chunk(&frame),
            None => Ok::<_, io::Error>(frame),
        }
    });
    let mut response = streaming("text/event-stream", frames);
    if is_compressed {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// [`events`] from a channel. A subscriber that falls behind misses events, and gets the event `gap` in their place, so
/// that it does not delay the others.
///
/// # Errors
/// As [`events`].
pub fn broadcast<E>(request: &Request, receiver: Receiver<Arc<E>>) -> Result<Response, Problem>
where
    E: Send + Sync + 'static,
    for<'a> ServerEvent: TryFrom<&'a E>,
{
    let sent = stream::unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Ok(event) => Some((Some(event), receiver)),
            Err(RecvError::Lagged(_)) => Some((None, receiver)),
            Err(RecvError::Closed) => None,
        }
    });
    let sent = sent.filter_map(|event: Option<Arc<E>>| async move {
        event.map_or(Some(ServerEvent::gap()), |event| ServerEvent::try_from(event.as_ref()).ok())
    });
    events(request, sent)
}

fn streaming(
    content_type: &'static str,
    chunks: impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static,
) -> Response {
    // warp requires streams that are `Sync`, which few are. A body is polled from one task only, so the wrapper is
    // sound.
    let mut response = warp::reply::stream(SyncStream::new(chunks)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
