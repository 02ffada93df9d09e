//! The verified sender of a request: the address in `Chainlab-Node`, if the request came from there.

use runtime::dns::Resolver;
use runtime::server::Request;
use shared::sync::PeerAddress;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Look-ups of names at a time; requests beyond it count as without a sender.
static LOOK_UPS: Semaphore = Semaphore::const_new(4);
/// How long resolving a name may take.
const RESOLVE: Duration = Duration::from_secs(1);

/// The claimed address, if its host is the one that the request came from. The port is not verified, so the name proves
/// nothing: it is only good for asking the node at this address.
pub(crate) async fn verified_sender(resolver: &Resolver, request: &Request) -> Option<PeerAddress> {
    let address = PeerAddress::new(request.claimed_node()?)?;
    let from = request.remote.ip();
    if address.is_local() {
        // One loopback address may connect from another one; from another machine, a loopback address means nothing.
        return from.is_loopback().then_some(address);
    }
    let Ok(_place) = LOOK_UPS.try_acquire() else { return None };
    let found = tokio::time::timeout(RESOLVE, resolver.addresses(address.host())).await.ok()?.ok()?;
    found.iter().any(|ip| ip.to_canonical() == from.to_canonical()).then_some(address)
}
