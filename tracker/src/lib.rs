//! The tracker: where nodes and mempools find one another (docs/protocol.md §9).
//!
//! It lists members of any network, and returns to each only the members of its own. It stores nothing on disk and
//! knows no rule of the chain.

mod callback;
mod members;
mod router;
mod routes;
mod state;

pub use members::{MemberLimits, MemberTable, NewMember, TableFull};

use runtime::server;
use shared::params::Params;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What a tracker needs to run.
#[derive(Default)]
pub struct Settings {
    /// Section `[tracker]`. The port in it is not used: the listener is bound already.
    pub tracker: shared::config::TrackerConfig,
    /// Section `[http]`.
    pub http: shared::config::HttpConfig,
    /// The network in `/info`; the tracker serves all networks.
    pub network: Params,
    /// `host:port` of the explorer, for the page that people get at `/`.
    pub explorer: Option<String>,
    /// Renders `/metrics`.
    pub metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tracker, http, network, explorer, .. } = self;
        f.debug_struct("Settings")
            .field("tracker", tracker)
            .field("http", http)
            .field("network", network)
            .field("explorer", explorer)
            .finish_non_exhaustive()
    }
}

/// Runs a tracker on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// If the listener has no address, or no HTTP client can be made.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: CancellationToken) -> io::Result<()> {
    let Settings { tracker, http, network, explorer, metrics } = settings;
    let address = listener.local_addr()?;
    // Without a network, so that members of all networks can register.
    let kit = server::Settings { metrics, explorer, ..server::Settings::new(&http, &tracker.host, None) };
    let state =
        state::TrackerState::new(address, &tracker, http.max_source_percent, &network).map_err(io::Error::other)?;
    tracing::info!(%address, "tracker listens");
    server::serve(listener, Arc::new(state), router::router(), kit, shutdown).await
}
