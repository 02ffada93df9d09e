//! The body of an answer while it is sent: in pieces, with its place in the shared pools and a deadline.
//!
//! hyper takes a body as fast as the body gives it. A long answer in one piece would seem to be sent at once, and give
//! its place back while megabytes of it wait for a slow reader.

use super::places::Place;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::time::Instant;

/// Longest piece that hyper gets at a time, in bytes; only so much of an answer is out of the body's sight.
const PIECE: usize = 64 << 10;

/// What holds for an answer until it is sent; an extension of its response.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerBounds {
    /// The bytes of the answer in the pool of all answers.
    pub(super) place: Option<Arc<Place>>,
    /// When the connection is closed if the client has not read the answer.
    pub(super) deadline: Option<Instant>,
}

const IDLE: u8 = 0;
/// The body has ended, but its last bytes may not be written yet.
const ENDED: u8 = 1;
const ANSWERING: u8 = 2;

/// What the two ends of a connection know of the request that is being answered; HTTP/1 has one at a time.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    state: AtomicU8,
    deadline: Mutex<Option<Instant>>,
    at_end: AtomicWaker,
}

impl Exchange {
    /// A request has arrived.
    pub(super) fn begin(&self) {
        self.state.store(ANSWERING, Ordering::Release);
    }

    /// Everything that hyper had is written.
    pub(super) fn flushed(&self) {
        if self.state.compare_exchange(ENDED, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.set_deadline(None);
            self.at_end.wake();
        }
    }

    pub(super) fn is_answering(&self) -> bool {
        self.state.load(Ordering::Acquire) != IDLE
    }

    pub(super) fn wake_at_end(&self, waker: &Waker) {
        self.at_end.register(waker);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_deadline(&self, deadline: Option<Instant>) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }
}

/// A body in pieces of at most [`PIECE`] bytes.
#[derive(Debug)]
pub(super) struct AnswerBody<B> {
    inner: B,
    /// What is left of the last piece of `inner`.
    rest: Bytes,
    exchange: Arc<Exchange>,
    _place: Option<Arc<Place>>,
}

impl<B> AnswerBody<B> {
    /// The response with its body under the bounds that it carries.
    pub(super) fn of(mut response: http::Response<B>, exchange: Arc<Exchange>) -> http::Response<Self> {
        let AnswerBounds { place, deadline } = response.extensions_mut().remove().unwrap_or_default();
        exchange.set_deadline(deadline);
        response.map(|inner| Self { inner, rest: Bytes::new(), exchange, _place: place })
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            match frame.into_data() {
                Ok(data) => this.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, inner) = (self.rest.len() as u64, self.inner.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        self.exchange.state.store(ENDED, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    #[tokio::test]
    async fn a_long_body_comes_in_pieces_of_the_same_bytes() {
        let bytes: Vec<u8> = (0..PIECE * 2 + 7).map(|n| n as u8).collect();
        let response = http::Response::new(Full::new(Bytes::from(bytes.clone())));
        let mut body = AnswerBody::of(response, Arc::default()).into_body();
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let (mut lengths, mut all) = (Vec::new(), Vec::new());
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            lengths.push(data.len());
            all.extend_from_slice(&data);
            assert_eq!(body.size_hint().exact(), Some((bytes.len() - all.len()) as u64));
        }
        assert_eq!((lengths, all), (vec![PIECE, PIECE, 7], bytes));
        assert!(body.is_end_stream());
    }

    #[test]
    fn an_answer_is_over_when_its_body_has_ended_and_is_written() {
        let exchange = Arc::new(Exchange::default());
        exchange.begin();
        let body = AnswerBody::of(http::Response::new(()), exchange.clone());
        exchange.flushed();
        assert!(exchange.is_answering(), "a flush in between is not the end");
        drop(body);
        assert!(exchange.is_answering(), "the last bytes may not be written yet");
        exchange.flushed();
        assert!(!exchange.is_answering());
    }
}
