//! The HTTP kit that all services share (docs/protocol.md §8).
//!
//! A service says who it is, describes its endpoints, and answers requests; the kit does what is the same everywhere:
//! `/running`, `/info`, `/metrics`, `/openapi.json`, `/docs`, the checks of host, origin, media type and network,
//! problem+json for every refusal, bounds on connections, headers, bodies, streams and time, and graceful shutdown.
//! One warp filter collects a request; a service routes it with a plain `match`. No rule of the chain belongs here.

mod common;
mod connection;
mod dispatch;
mod docs;
mod guard;
mod path;
mod problem;
pub mod reply;
mod request;
mod routes;
mod settings;
mod signal;
mod stall;
#[cfg(test)]
mod tests;

pub use path::{RequestPath, Segments};
pub use problem::{bad_request, conflict, forbidden, internal, not_found, problem, unavailable, unprocessable};
pub use reply::{Response, ServerEvent};
pub use request::{BODY_LIMIT, Request};
pub use settings::{Limits, Settings};
pub use signal::stop_on_signal;

use shared::wire::{Info, Problem};
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What a program offers over HTTP besides what all of them offer.
pub trait Service: Send + Sync + 'static {
    /// The answer of `GET /info`; called for each, so it must not compute or wait.
    fn info(&self) -> Info;

    /// Describes the service's own endpoints; its paths also tell 404 from 405 and label the metrics. Called once.
    fn openapi(&self) -> utoipa::openapi::OpenApi;

    /// Answers a request that passed the kit's checks; ends with `_ => Err(request.no_route())`.
    ///
    /// It is dropped when the client goes away or its time is up, so what must not stop halfway belongs into a task.
    fn handle(&self, request: Request) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// How long this request may take until its answer begins, where that is not [`Limits::request`].
    fn deadline(&self, _request: &Request) -> Option<Duration> {
        None
    }
}

/// What requests and answers need of the running server.
#[derive(Debug)]
struct ServerContext {
    limits: Limits,
    token: Option<String>,
    routes: routes::Routes,
    streams: Arc<Semaphore>,
    /// KiB that bodies above [`BODY_LIMIT`] may take together.
    large_bodies: Arc<Semaphore>,
    subscribers: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// Serves `service` on `listener` until `shutdown` is cancelled; then answers that have begun may end within
/// [`Limits::grace`], and server-sent events end at once.
///
/// Metrics are recorded with the recorder that is installed when this is called.
///
/// # Errors
/// If the listener has no address or the OpenAPI description is not JSON; what goes wrong with one connection ends
/// only that one.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    settings: Settings,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let limits = settings.limits;
    let app = dispatch::App::new(service, settings, shutdown.clone()).map_err(io::Error::other)?;
    tracing::debug!(address = %listener.local_addr()?, "serving");
    connection::accept_all(&listener, Arc::new(app), limits, shutdown).await;
    Ok(())
}
