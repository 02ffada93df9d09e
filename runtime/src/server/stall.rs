//! A connection that ends if its client does not read its answer, and that lives a little longer if the client has sent
//! everything it wants to send.
//!
//! hyper bounds the time for a request, but not the time in which a client reads the answer: without this module, a
//! client that reads nothing, or a byte now and then, would keep its connection and answer for ever. And hyper drops an
//! unfinished answer as soon as the client closes its sending side, which is how some programs end a request.

use super::answer::Exchange;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// A connection on which every write must make progress within `stall`, and every answer must be written by its
/// deadline.
#[derive(Debug)]
pub(super) struct StallTimeout<T> {
    io: T,
    exchange: Arc<Exchange>,
    stall: Duration,
    half_closed: Duration,
    /// Runs while a write is pending.
    writing: Option<Pin<Box<Sleep>>>,
    /// Runs once the client has closed its sending side during an answer.
    closing: Option<Pin<Box<Sleep>>>,
}

impl<T> StallTimeout<T> {
    pub(super) const fn new(io: T, exchange: Arc<Exchange>, stall: Duration, half_closed: Duration) -> Self {
        Self { io, exchange, stall, half_closed, writing: None, closing: None }
    }

    fn bounded<R>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.writing = None;
            return written;
        }
        let (exchange, stall) = (&self.exchange, self.stall);
        let timer = self.writing.get_or_insert_with(|| {
            let stalled = Instant::now() + stall;
            Box::pin(sleep_until(exchange.deadline().map_or(stalled, |deadline| deadline.min(stalled))))
        });
        ready!(timer.as_mut().poll(cx));
        // If the connection is polled again before it is dropped, the result must be the same.
        timer.as_mut().reset(Instant::now());
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StallTimeout<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
            if buffer.filled().len() > before || !this.exchange.is_answering() {
                return Poll::Ready(Ok(()));
            }
        }
        // The end of the input, which hyper learns once the answer is written.
        this.exchange.wake_at_end(cx.waker());
        if !this.exchange.is_answering() {
            return Poll::Ready(Ok(()));
        }
        let half_closed = this.half_closed;
        this.closing.get_or_insert_with(|| Box::pin(sleep(half_closed))).as_mut().poll(cx).map(Ok)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StallTimeout<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        let flushed = ready!(self.bounded(cx, flushed));
        // hyper flushes the connection after it has written everything that it has.
        self.exchange.flushed();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::{AnswerBody, AnswerBounds};
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_client_that_reads_a_byte_now_and_then_does_not_keep_its_answer() {
        let (mut client, server) = duplex(16);
        let exchange = Arc::new(Exchange::default());
        exchange.begin();
        let mut response = http::Response::new(());
        let deadline = Some(Instant::now() + Duration::from_millis(200));
        response.extensions_mut().insert(AnswerBounds { place: None, deadline });
        let _body = AnswerBody::of(response, exchange.clone());
        let long = Duration::from_secs(60);
        let mut server = StallTimeout::new(server, exchange, long, long);
        let drip = async {
            // Each byte makes room for a write, so that the connection never stalls.
            while client.read_u8().await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let write = async move { server.write_all(&[0; 10_000]).await };
        let (written, ()) = tokio::join!(write, drip);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
