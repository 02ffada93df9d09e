//! The tracker: where nodes and mempools find one another (docs/protocol.md §9).
//!
//! It is neutral: it lists members of any network, and tells each who registers only those of its own. It holds nothing
//! on disk and knows no rule of the chain; who is alive, what it lists and whom it refuses is all there is to it.

mod api;
mod callback;
mod members;
mod service;

pub use members::{Caps, Full, Members, Registration};

use runtime::server::{self, Limits};
use shared::params::Params;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What a tracker needs to know to run.
#[derive(Default)]
pub struct Settings {
    /// Section `[tracker]`: lease, caps and whether foreign addresses may be registered. The listener is bound already.
    pub tracker: shared::config::TrackerConfig,
    /// Section `[http]`.
    pub http: shared::config::HttpConfig,
    /// What `/info` says of the network; the tracker itself serves all networks.
    pub network: Params,
    /// Renders `/metrics`.
    pub metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tracker, http, network, .. } = self;
        f.debug_struct("Settings")
            .field("tracker", tracker)
            .field("http", http)
            .field("network", network)
            .finish_non_exhaustive()
    }
}

/// Runs a tracker on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// If the listener has no address or the client for calling back cannot be set up.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> io::Result<()> {
    let Settings { tracker, http, network, metrics } = settings;
    let address = listener.local_addr()?;
    let kit = server::Settings {
        hosts: http.hosts.iter().chain([&tracker.host]).cloned().collect(),
        token: None,
        // None, so that members of every network are heard.
        network: None,
        metrics,
        limits: Limits::from(&http),
    };
    let service = service::TrackerService::new(address, &tracker, &network).map_err(io::Error::other)?;
    tracing::info!(%address, "tracker listens");
    server::serve(listener, Arc::new(service), kit, shutdown).await
}
