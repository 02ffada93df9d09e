//! What is known of the network: who is there, which blocks they hold, what happened lately. [`watching`] asks and
//! listens, [`notebook`] makes of it a [`picture`]; pages only read.

mod agreement;
mod backfill;
mod link_changes;
mod live;
mod news;
mod reducer;
mod state;
mod watcher;

pub(crate) use agreement::{Agreement, FollowedBranch};
pub(crate) use state::{BlockSummary, KEPT_HEIGHTS, NetworkState, NewsItem, ServiceState, Topic, chain};

use runtime::client::Client;
use runtime::clock::Clock;
use runtime::server::{Request, Response};
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::Problem;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use watcher::Watcher;

/// What changed; its name is the name of the server-sent event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// Who is there, and how each is.
    Nodes,
    /// The blocks, or which of them are on the best chain.
    Blocks,
    /// What waits in the mempools.
    Pool,
    /// The ticker.
    News,
}

impl Change {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Nodes, Self::Blocks, Self::Pool, Self::News];

    /// Its name in `/live` and in `data-live`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Blocks => "blocks",
            Self::Pool => "pool",
            Self::News => "ticker",
        }
    }
}

/// A handle to the picture, kept up to date by tasks; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    state: watch::Receiver<Arc<NetworkState>>,
    watcher: Arc<Watcher>,
}

impl Watch {
    /// Starts to watch, until `shutdown` is cancelled.
    pub(crate) fn start(
        client: Client,
        tracker: PeerAddress,
        params: &Params,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Self {
        let (watcher, state) = watcher::start(client, tracker, params, clock, shutdown);
        Self { state, watcher }
    }

    /// What is known now.
    pub(crate) fn state(&self) -> Arc<NetworkState> {
        self.state.borrow().clone()
    }

    /// Waits until the picture is like that.
    pub(crate) async fn wait_until(&self, is: impl Fn(&NetworkState) -> bool) {
        // Once nobody paints it any more, the explorer stops.
        let _ = self.state.clone().wait_for(|state| is(state)).await;
    }

    /// What pages show beside the nodes has changed, though the picture has not.
    pub(crate) fn nudge(&self) {
        self.watcher.write(|reducer, _| reducer.mark_changed(Change::Nodes));
    }

    /// `GET /live`: tells pages that something has changed, so that they fetch themselves again.
    pub(crate) fn live(&self, request: &Request) -> Result<Response, Problem> {
        live::response(self.state.clone(), request)
    }
}
