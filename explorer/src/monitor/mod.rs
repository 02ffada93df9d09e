//! Keeps the state of the network up to date: asks and listens to the tracker, the nodes and the mempools.

mod backfill;
mod contents;
mod context;
mod live;
mod tasks;

use crate::network::{Change, Measures, NetworkState, PaymentStep};
use context::Context;
pub(crate) use live::HEARTBEAT;
use runtime::client::Client;
use runtime::clock::Clock;
use runtime::server::{Request, Response, reply};
use shared::block::{BlockHash, Timestamp};
use shared::ledger::TransactionId;
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A handle to the monitored network; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Monitor {
    state: watch::Receiver<Arc<NetworkState>>,
    context: Arc<Context>,
}

impl Monitor {
    /// Starts tasks that monitor the network until `shutdown` is cancelled.
    pub(crate) fn start(
        client: Client,
        tracker: PeerAddress,
        params: &Params,
        letters: BTreeMap<String, String>,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Self {
        let (context, state) = tasks::start(client, tracker, params, letters, clock, shutdown);
        Self { state, context }
    }

    /// The state that was published last.
    pub(crate) fn state(&self) -> Arc<NetworkState> {
        self.state.borrow().clone()
    }

    /// Waits until `condition` holds for the state, or the explorer stops.
    pub(crate) async fn wait_until(&self, condition: impl Fn(&NetworkState) -> bool) {
        // Fails only after the monitor has ended.
        let _ = self.state.clone().wait_for(|state| condition(state)).await;
    }

    /// What happened to a payment, oldest first, as far as it is remembered.
    pub(crate) fn steps_of(&self, payment: &TransactionId) -> Vec<(Timestamp, PaymentStep)> {
        self.context.read_reducer(|reducer| reducer.steps_of(payment))
    }

    /// What was measured for charts.
    pub(crate) fn measures(&self) -> Measures {
        self.context.read_reducer(|reducer| reducer.measures().clone())
    }

    /// The state, and a notice whenever it changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<NetworkState>> {
        self.state.clone()
    }

    /// Records that a browser found a block.
    pub(crate) fn add_from_browser(&self, block: BlockHash) {
        self.context.write(|reducer, _| reducer.add_from_browser(block));
    }

    /// Makes pages fetch their parts about this, which show more than the state.
    pub(crate) fn mark_changed(&self, change: Change) {
        self.context.write(|reducer, _| reducer.mark_changed(change));
    }
}

/// Answers `GET /live`.
///
/// # Errors
/// 503 if there are too many subscribers.
pub(crate) fn live_response(monitor: &Monitor, request: &Request) -> Result<Response, Problem> {
    reply::events_with_heartbeat(request, live::changes(monitor.state.clone()), live::HEARTBEAT)
}
