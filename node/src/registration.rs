//! Being listed by the tracker: registers, renews, and finds it again after it was away.

use crate::{NodeError, shown};
use runtime::client::{Client, Error};
use runtime::follower::Follower;
use shared::sync::{Learnt, PeerAddress};
use shared::wire::Role;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the lease is renewed at the least (docs/protocol.md §9): three times before it ends.
const RENEW: Duration = Duration::from_secs(20);
/// How soon a tracker that is away is tried again.
const RETRY: Duration = Duration::from_secs(3);

/// Starts to register; answers the address that this node is known as, as far as is known at each moment.
///
/// # Errors
/// If no HTTP client can be made.
pub(crate) fn start(
    tracker: PeerAddress,
    own: Option<PeerAddress>,
    bound: SocketAddr,
    follower: Follower,
    shutdown: CancellationToken,
) -> Result<watch::Receiver<String>, NodeError> {
    let network = follower.rules().params().network_id();
    let client = Client::new(Some(network), own.as_ref().map(PeerAddress::as_str))?;
    let (known_as, watcher) = watch::channel(shown(own.as_ref(), bound));
    tokio::spawn(async move {
        // With no host, the tracker takes the one that it sees us call from.
        let url = own.as_ref().map_or_else(|| format!(":{}", bound.port()), ToString::to_string);
        let mut is_listed = None;
        loop {
            let result = client.register(tracker.as_str(), &url, Role::Node).await;
            let wait = result.as_ref().map_or(RETRY, |registered| renew_after(registered.lease_seconds));
            report(&mut is_listed, &tracker, &result.as_ref().map(|_| ()).map_err(Clone::clone));
            if let Ok(registered) = result {
                if own.is_none()
                    && *known_as.borrow() != registered.registered
                    && let Some(address) = PeerAddress::new(&registered.registered)
                {
                    follower.set_own_address(address);
                }
                known_as.send_if_modified(|known| {
                    let changed = *known != registered.registered;
                    known.clone_from(&registered.registered);
                    changed
                });
                let nodes = registered.nodes.iter().filter_map(|node| PeerAddress::new(node));
                follower.offer_peers(nodes.collect(), Learnt::FromTracker);
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => return,
            }
        }
    });
    Ok(watcher)
}

fn renew_after(lease_seconds: u64) -> Duration {
    // A tracker that says 0 is not to be asked without a pause.
    RENEW.min(Duration::from_secs(lease_seconds.max(1)) / 3)
}

/// Logs changes, not every try.
fn report(is_listed: &mut Option<bool>, tracker: &PeerAddress, result: &Result<(), Error>) {
    match result {
        Ok(()) if *is_listed != Some(true) => tracing::info!(%tracker, "listed by the tracker"),
        Err(error) if *is_listed != Some(false) => {
            tracing::warn!(%tracker, %error, "the tracker does not list this node; going on without, trying again");
        }
        _ => {}
    }
    *is_listed = Some(result.is_ok());
}
