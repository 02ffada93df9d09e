//! Keeps the picture up to date.

use super::{Change, Picture, Watch};
use runtime::client::Client;
use runtime::clock::Clock;
use runtime::server::{Request, Response, ServerEvent, reply};
use shared::params::Params;
use shared::sync::PeerAddress;
use shared::wire::Problem;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

pub(super) fn start(_client: Client, _tracker: PeerAddress, _params: &Params, _clock: Clock, _shutdown: CancellationToken) -> Watch {
    let (_, picture) = watch::channel(Arc::new(Picture::default()));
    let (changes, _) = broadcast::channel(64);
    Watch { picture, changes }
}

pub(super) fn live(_changes: &broadcast::Sender<Change>, request: &Request) -> Result<Response, Problem> {
    reply::events(request, futures_util::stream::pending::<ServerEvent>())
}
