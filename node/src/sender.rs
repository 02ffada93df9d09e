//! Who sent a request: what `Chainlab-Node` says, where that can be true.

use runtime::client::HostPort;
use runtime::dns::Resolver;
use runtime::server::Request;
use shared::sync::PeerAddress;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Look-ups of names at a time; requests that come while all are under way count as nobody's.
static LOOK_UPS: Semaphore = Semaphore::const_new(4);
/// How long resolving a name may take.
const RESOLVE: Duration = Duration::from_secs(1);

/// The sender's address, if its host is where the request came from: what a block does wrong is held against its
/// sender, so nobody may name somebody else.
pub(crate) async fn verified_sender(resolver: &Resolver, request: &Request) -> Option<PeerAddress> {
    let address = PeerAddress::new(request.claimed_node()?)?;
    let from = request.remote.ip();
    if address.is_local() {
        // A loopback address is reached from another one of them, and says nothing between machines.
        return from.is_loopback().then_some(address);
    }
    let host: HostPort = address.as_str().parse().ok()?;
    let Ok(_place) = LOOK_UPS.try_acquire() else { return None };
    let found = tokio::time::timeout(RESOLVE, resolver.addresses(host.host())).await.ok()?.ok()?;
    found.iter().any(|ip| ip.to_canonical() == from.to_canonical()).then_some(address)
}
