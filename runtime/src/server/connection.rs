//! Accepts connections, bounds their number and the time of their headers, and ends them at shutdown.
//!
//! This module knows TCP and hyper; what a request means is `dispatch`'s.

use super::answer::{AnswerBody, Exchange};
use super::dispatch::{App, Remote, filter, origin_form};
use super::places::{Places, Source};
use super::problem::internal;
use super::reply::Response;
use super::stall::StallTimeout;
use super::{Limits, Service};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest request line and headers together, in bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Most connections at a time that get [`TOO_MANY_CONNECTIONS`]; more are closed without an answer.
const MAX_REFUSALS: usize = 32;

/// The answer to a connection beyond the limit.
const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: application/problem+json\r\nContent-Length: 128\r\nConnection: close\r\nRetry-After: 1\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"too many connections at the moment; try again later\"}";

pub(super) async fn accept_all<S: Service>(
    listener: &TcpListener,
    app: Arc<App<S>>,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header).max_buf_size(MAX_HEADER_BYTES).half_close(false);
    let answer = TowerToHyperService::new(warp::service(filter(app.clone())));
    let places = Places::new(limits.max_connections, limits.source_percent);
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let graceful = GracefulShutdown::new();
    let tasks = TaskTracker::new();
    let kill = CancellationToken::new();

    while let Some((stream, remote)) = accept(listener, &shutdown).await {
        let local = stream.local_addr().unwrap_or(remote);
        let source = Source::new(remote.ip(), local.ip());
        let Ok(place) = places.try_take(source, 1) else {
            if let Ok(refusal) = refusals.clone().try_acquire_owned() {
                tasks.spawn(async move {
                    refuse(stream).await;
                    drop(refusal);
                });
            }
            continue;
        };
        // An answer is written at once; waiting for more data would only delay it.
        let _ = stream.set_nodelay(true);
        let remote = Remote { address: SocketAddr::new(remote.ip().to_canonical(), remote.port()), source };
        let exchange = Arc::new(Exchange::default());
        let io = StallTimeout::new(stream, exchange.clone(), limits.stall, limits.half_closed);
        let (app, answer) = (app.clone(), answer.clone());
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            exchange.begin();
            let (app, answer, exchange) = (app.clone(), answer.clone(), exchange.clone());
            async move {
                let response = guarded(&app, remote, request, |request| answer.call(request)).await;
                Ok::<_, Infallible>(AnswerBody::of(response, exchange))
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(io), service));
        let kill = kill.clone();
        tasks.spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(remote = %remote.address, %error, "a connection ended with an error");
                },
                () = kill.cancelled() => {}
            }
            drop(place);
        });
    }

    tasks.close();
    if timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::debug!("closing connections that did not end in time");
    }
    kill.cancel();
    tasks.wait().await;
}

/// Lets `answer` handle the request. No request gets past here that warp cannot take, and no panic either.
async fn guarded<S: Service, F>(
    app: &App<S>,
    remote: Remote,
    mut request: hyper::Request<Incoming>,
    answer: impl FnOnce(hyper::Request<Incoming>) -> F,
) -> Response
where
    F: Future<Output = Result<Response, Infallible>>,
{
    if let Err(problem) = origin_form(&mut request) {
        return app.refuse(&problem);
    }
    request.extensions_mut().insert(remote);
    match AssertUnwindSafe(async { answer(request).await }).catch_unwind().await {
        Ok(Ok(response)) => response,
        Err(_) => {
            tracing::error!(remote = %remote.address, "a request made the service panic");
            app.refuse(&internal("a defect of this service; its log says more"))
        }
    }
}

/// The next connection; `None` once the service is to stop.
async fn accept(listener: &TcpListener, shutdown: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(connection) => return Some(connection),
            Err(error) => {
                // Either the client is gone already, or file descriptors have run out, which takes a moment to pass.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Sends the fixed refusal without parsing the request.
async fn refuse(mut stream: TcpStream) {
    let send = async {
        stream.write_all(TOO_MANY_CONNECTIONS).await?;
        stream.shutdown().await?;
        // Closing with unread input resets the connection, and the client might not receive the answer.
        let mut ignored = [0; 1024];
        for _ in 0..64 {
            if stream.read(&mut ignored).await? == 0 {
                break;
            }
        }
        Ok::<_, std::io::Error>(())
    };
    let _ = timeout(Duration::from_secs(1), send).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_refusal_is_a_well_formed_answer() {
        let text = std::str::from_utf8(TOO_MANY_CONNECTIONS).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
        assert_eq!(serde_json::from_str::<shared::wire::Problem>(body).unwrap().status, 503);
    }
}
