//! What is known of the network: who is there, which blocks they hold, what happened lately. [`watching`] asks and
//! listens, [`notebook`] makes of it a [`picture`]; pages only read.

mod agreement;
mod backfill;
mod links;
mod live;
mod notebook;
mod picture;
mod ticker;
mod watching;

pub(crate) use agreement::{Agreement, Branch};
pub(crate) use picture::{Contact, Fact, HEIGHTS, Picture, Seen, Topic, chain};

use runtime::client::Client;
use runtime::clock::Clock;
use runtime::server::{Request, Response};
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::Problem;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use watching::Watcher;

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
    Ticker,
}

impl Change {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Nodes, Self::Blocks, Self::Pool, Self::Ticker];

    /// Its name in `/live` and in `data-live`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Blocks => "blocks",
            Self::Pool => "pool",
            Self::Ticker => "ticker",
        }
    }
}

/// A handle to the picture, kept up to date by tasks; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    picture: watch::Receiver<Arc<Picture>>,
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
        let (watcher, picture) = watching::start(client, tracker, params, clock, shutdown);
        Self { picture, watcher }
    }

    /// What is known now.
    pub(crate) fn picture(&self) -> Arc<Picture> {
        self.picture.borrow().clone()
    }

    /// Waits until the picture is like that.
    pub(crate) async fn shows(&self, is: impl Fn(&Picture) -> bool) {
        // Once nobody paints it any more, the explorer stops.
        let _ = self.picture.clone().wait_for(|picture| is(picture)).await;
    }

    /// What pages show beside the nodes has changed, though the picture has not.
    pub(crate) fn nudge(&self) {
        self.watcher.write(|notebook, _| notebook.mark(Change::Nodes));
    }

    /// `GET /live`: tells pages that something has changed, so that they fetch themselves again.
    pub(crate) fn live(&self, request: &Request) -> Result<Response, Problem> {
        live::answer(self.picture.clone(), request)
    }
}
