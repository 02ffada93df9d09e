//! The HTTP kit that all services share (docs/protocol.md §8).
//!
//! A program states its routes in a [`Router`] and shares a [`Service`] among its handlers. The kit does what is the
//! same everywhere: `/running`, `/info`, `/metrics`, `/openapi.json`, `/docs`, the checks of host, origin, media type
//! and network, problem+json for every refusal, bounds on connections, headers, bodies, streams and time, and graceful
//! shutdown. No rule of the chain belongs here.

mod answer;
mod common;
pub mod compress;
mod connection;
mod describe;
mod dispatch;
mod docs;
mod events;
mod front;
mod guard;
mod identity;
mod number;
mod path;
mod places;
mod problem;
pub mod reply;
mod request;
mod route;
mod router;
mod settings;
mod shape;
mod signal;
mod stall;
mod table;
mod template;
#[cfg(test)]
mod tests;

pub use events::ServerEvent;
pub use identity::Identity;
pub use number::{NotANumber, Number};
pub use path::{RequestPath, Segments};
pub use places::{Full, LOCAL_PERCENT, Place, Places, Source};
pub use problem::{bad_request, conflict, forbidden, internal, not_found, problem, unavailable, unprocessable};
pub use reply::Response;
pub use request::{BODY_LIMIT, Request};
pub use route::{Answer, Handler, Route, get, post};
pub use router::Router;
pub use settings::{Limits, Settings};
pub use shape::Shape;
pub use signal::stop_on_signal;

use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::block::Height;
use shared::wire::{Info, Problem};
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the kit asks of the state that a program's handlers share.
pub trait Service: Send + Sync + 'static {
    /// The answer of `GET /info`; called for each such request, so it must not compute or wait.
    fn info(&self) -> Info;

    /// The newest block that the service knows; nodes and mempools. Called before the handler of each reading request,
    /// so that the answer stands on this block or a newer one.
    fn stands_on(&self) -> Option<StandsOn> {
        None
    }

    /// Checks a request before its handler runs; called for all but the common endpoints.
    ///
    /// # Errors
    /// The refusal of the request.
    fn admit(&self, _request: &Request) -> Result<(), Problem> {
        Ok(())
    }
}

/// The block that an answer stands on, for the headers `Chainlab-Height` and `Chainlab-Age-Ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandsOn {
    /// Its height.
    pub height: Height,
    /// Its age in milliseconds, by the clock of the service.
    pub age_ms: u64,
}

/// What requests and answers need from the server.
struct ServerContext {
    limits: Limits,
    token: Option<String>,
    openapi: Bytes,
    metrics: Option<PrometheusHandle>,
    streams: Arc<Places>,
    /// In KiB; shared by all bodies above [`BODY_LIMIT`].
    large_bodies: Arc<Places>,
    subscribers: Arc<Places>,
    shutdown: CancellationToken,
}

/// Serves the routes of `router` with the state `service` on `listener` until `shutdown` is cancelled. Then begun
/// answers may end within [`Limits::grace`], and server-sent events end at once.
///
/// Metrics go to the recorder that is installed when this is called.
///
/// # Errors
/// If the listener has no address, or two routes have the same path and method. An error of one connection ends only
/// that connection.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    router: Router<S>,
    settings: Settings,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let settings = Settings { limits: settings.limits.within_open_files(), ..settings };
    let limits = settings.limits;
    let app = dispatch::App::new(service, router, settings, shutdown.clone())?;
    tracing::debug!(address = %listener.local_addr()?, "serving");
    connection::accept_all(&listener, Arc::new(app), limits, shutdown).await;
    Ok(())
}
