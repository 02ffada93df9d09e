//! Being listed by the tracker: registers, renews, and finds it again after it was away (docs/protocol.md §9).

use crate::client::{Client, Error};
use crate::follower::Follower;
use crate::own_address::OwnAddress;
use shared::sync::{PeerAddress, PeerSource};
use shared::wire::{Registered, Role};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the lease is renewed at the least (docs/protocol.md §9): three times before it ends.
const RENEW: Duration = Duration::from_secs(20);
/// How soon a tracker that is away is tried again, or asked for whom we miss.
const RETRY: Duration = Duration::from_secs(3);
/// Most mempools that are remembered.
const MAX_MEMPOOLS: usize = 64;

/// What the tracker answered last; kept while it is away.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The address that the service is known as, as far as is known.
    pub known_as: watch::Receiver<String>,
    /// The mempools of its network.
    pub mempools: watch::Receiver<Vec<PeerAddress>>,
}

/// Starts to register the service at `own` as `role`, and gives `follower` the nodes that the tracker names.
///
/// A node also learns its own address there, so that peers push blocks to it; a mempool wants none pushed.
///
/// # Errors
/// If no HTTP client can be made.
pub fn start(
    tracker: PeerAddress,
    role: Role,
    own: OwnAddress,
    follower: Follower,
    shutdown: CancellationToken,
) -> Result<Registration, Error> {
    let params = follower.rules().params();
    let network = params.network_id();
    let wanted = match role {
        Role::Mempool => Some(Role::Node),
        Role::Node => params.layer.has_money().then_some(Role::Mempool),
    };
    let client = Client::new(Some(network), own.known.as_ref().map(PeerAddress::as_str))?;
    let (known_as, known_as_watcher) = watch::channel(own.to_string());
    let (mempools, mempools_watcher) = watch::channel(Vec::new());
    tokio::spawn(async move {
        // With no host, the tracker takes the one that it sees us call from.
        let url = own.known.as_ref().map_or_else(|| format!(":{}", own.bound.port()), ToString::to_string);
        let mut is_listed = None;
        loop {
            let result = client.register(tracker.as_str(), &url, role).await;
            let wait = result.as_ref().map_or(RETRY, |registered| renew_after(registered, wanted));
            report(&mut is_listed, &tracker, &result);
            if let Ok(registered) = result {
                if let Some(address) = PeerAddress::new(&registered.registered)
                    && *known_as.borrow() != registered.registered
                {
                    known_as.send_replace(registered.registered);
                    if role == Role::Node && own.known.is_none() {
                        follower.set_own_address(address);
                    }
                }
                follower.offer_peers(addresses(&registered.nodes).collect(), PeerSource::Tracker);
                replace(&mempools, addresses(&registered.mempools).take(MAX_MEMPOOLS).collect());
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => return,
            }
        }
    });
    Ok(Registration { known_as: known_as_watcher, mempools: mempools_watcher })
}

fn addresses(texts: &[String]) -> impl Iterator<Item = PeerAddress> {
    texts.iter().filter_map(|text| PeerAddress::new(text))
}

/// Wakes watchers only by news.
fn replace<T: PartialEq>(channel: &watch::Sender<T>, new: T) {
    channel.send_if_modified(|old| {
        let changed = *old != new;
        *old = new;
        changed
    });
}

/// When to ask again: soon while nobody is there of a kind that we cannot do without, so that services may be started in
/// any order.
fn renew_after(registered: &Registered, wanted: Option<Role>) -> Duration {
    let is_missing = match wanted {
        Some(Role::Node) => registered.nodes.is_empty(),
        Some(Role::Mempool) => registered.mempools.is_empty(),
        None => false,
    };
    if is_missing {
        return RETRY;
    }
    // A tracker that says 0 is not to be asked without a pause.
    RENEW.min(Duration::from_secs(registered.lease_seconds.max(1)) / 3)
}

/// Logs changes, not every try.
fn report(is_listed: &mut Option<bool>, tracker: &PeerAddress, result: &Result<Registered, Error>) {
    match result {
        Ok(_) if *is_listed != Some(true) => tracing::info!(%tracker, "listed by the tracker"),
        Err(error) if *is_listed != Some(false) => {
            tracing::warn!(%tracker, %error, "the tracker does not list this service; going on without, trying again");
        }
        _ => {}
    }
    *is_listed = Some(result.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_we_cannot_do_without_is_asked_for_soon() {
        let some = || vec!["127.0.0.1:1".to_owned()];
        let answer = |nodes, mempools| Registered { registered: String::new(), lease_seconds: 60, nodes, mempools };
        let after = |registered: Registered, wanted| renew_after(&registered, wanted);
        assert_eq!(after(answer(vec![], some()), Some(Role::Node)), RETRY);
        assert_eq!(after(answer(some(), vec![]), Some(Role::Mempool)), RETRY);
        assert_eq!(after(answer(some(), vec![]), Some(Role::Node)), RENEW);
        assert_eq!(after(answer(vec![], vec![]), None), RENEW, "on layer data nobody misses a mempool");
        let short = Registered { lease_seconds: 0, ..answer(some(), some()) };
        assert_eq!(after(short, None), Duration::from_secs(1) / 3);
    }
}
