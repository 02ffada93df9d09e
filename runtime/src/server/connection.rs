//! Accepts connections, bounds their number and the time of their headers, and ends them at shutdown.
//!
//! This module knows TCP and hyper; what a request means is `dispatch`'s.

use super::dispatch::{App, Remote, filter};
use super::stall::StallTimeout;
use super::{Limits, Service};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
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
    let answer = TowerToHyperService::new(warp::service(filter(app)));
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let graceful = GracefulShutdown::new();
    let tasks = TaskTracker::new();
    let kill = CancellationToken::new();

    while let Some((stream, remote)) = accept(listener, &shutdown).await {
        let Ok(place) = places.clone().try_acquire_owned() else {
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
        let remote = Remote(SocketAddr::new(remote.ip().to_canonical(), remote.port()));
        let answer = answer.clone();
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(remote);
            answer.call(request)
        });
        let io = StallTimeout::new(TokioIo::new(stream), limits.stall);
        let connection = graceful.watch(http.serve_connection(io, service));
        let kill = kill.clone();
        tasks.spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(remote = %remote.0, %error, "a connection ended with an error");
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
