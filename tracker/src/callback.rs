//! Checks whether a caller may register an address, and whether its service runs there (docs/protocol.md §9).
//!
//! A tracker that connects to any address it is given could be used to scan networks that the caller cannot reach. So
//! the name is resolved once, its address is compared with the caller's, and exactly that address is called.
//!
//! A service that hangs holds a turn for seconds. So each source has a share of the turns, each address is called once
//! at a time, and members that are listed and answered last time have turns of their own.

use runtime::client::{Client, Error, role_name};
use runtime::dns::Resolver;
use runtime::server::{Places, Source, bad_request, forbidden, unavailable, unprocessable};
use shared::sync::PeerAddress;
use shared::wire::{Info, Problem, Role};
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::timeout;

/// Most calls back at a time to services that are not listed, or did not answer last time.
const MAX_NEW: usize = 48;
/// Most calls back at a time to other members, whose leases are renewed.
const MAX_RENEWALS: usize = 16;
/// Longest time that a caller waits for its turn, and that resolving its name may take.
const MAX_WAIT: Duration = Duration::from_secs(2);

pub(crate) struct Callback {
    client: Client,
    resolver: Resolver,
    allow_foreign: bool,
    new: Arc<Places>,
    renewals: Arc<Places>,
    /// The addresses that are being called.
    called: Mutex<HashSet<SocketAddr>>,
}

impl Callback {
    /// `source_percent` is the share of the turns that one source has, see [`Places`].
    pub(crate) fn new(allow_foreign: bool, source_percent: usize) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(None, None)?,
            resolver: Resolver::default(),
            allow_foreign,
            new: Places::new(MAX_NEW, source_percent),
            renewals: Places::new(MAX_RENEWALS, source_percent),
            called: Mutex::default(),
        })
    }

    /// Calls `address` back, if `caller` may register it, and checks that a service with `role` answers.
    pub(crate) async fn verify(
        &self,
        caller: IpAddr,
        source: Source,
        address: &PeerAddress,
        role: Role,
        is_renewal: bool,
    ) -> Result<Info, Problem> {
        let turns = if is_renewal { &self.renewals } else { &self.new };
        let _turn = turns.take(source, 1, MAX_WAIT).await.map_err(|full| {
            unavailable(format!("the tracker makes too many calls back at the moment ({full}); try again"))
        })?;
        let socket = self.resolve(caller, address).await?;
        let Some(_call) = Call::begin(&self.called, socket) else {
            return Err(unavailable(format!("the tracker is calling {socket} already; try again")));
        };
        let info = self.client.info_at(socket).await.map_err(|error| {
            let hint = "the tracker must be able to reach what it lists (firewall? wrong port? not started yet?)";
            unprocessable("callback", format!("GET http://{socket}/info failed: {error}; {hint}"))
        })?;
        let service = role_name(role);
        if info.service != service {
            let got: String = info.service.chars().take(32).collect();
            return Err(unprocessable(
                "role",
                format!("expected a {service} at {address}, but its /info says {got:?}"),
            ));
        }
        Ok(info)
    }

    /// The address to connect to.
    async fn resolve(&self, caller: IpAddr, address: &PeerAddress) -> Result<SocketAddr, Problem> {
        let found = timeout(MAX_WAIT, self.resolver.addresses(address.host())).await;
        let Ok(Ok(found)) = found else {
            return Err(unprocessable("callback", format!("{} does not resolve to an address", address.host())));
        };
        let caller_is_here = is_local_address(caller);
        let allowed = |ip: IpAddr| {
            if ip.is_unspecified() || ip.is_multicast() {
                return false;
            }
            let own = if caller_is_here { is_local_address(ip) } else { ip == caller };
            own || self.allow_foreign
        };
        let mut found = found.into_iter().map(|ip| SocketAddr::new(ip.to_canonical(), address.port()));
        found.find(|socket| allowed(socket.ip())).ok_or_else(|| {
            forbidden(format!(
                "{address} is not an address of {caller}, where the request came from; register as :{port}, or start \
                 the tracker with allow_foreign = true in [tracker]",
                port = address.port()
            ))
        })
    }
}

/// A call to an address, which no other call is made to meanwhile.
struct Call<'a> {
    called: &'a Mutex<HashSet<SocketAddr>>,
    socket: SocketAddr,
}

impl<'a> Call<'a> {
    fn begin(called: &'a Mutex<HashSet<SocketAddr>>, socket: SocketAddr) -> Option<Self> {
        let is_first = called.lock().unwrap_or_else(PoisonError::into_inner).insert(socket);
        // Lazily: dropping a `Call` ends it.
        is_first.then(|| Self { called, socket })
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.called.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.socket);
    }
}

/// Parses `host:port`, or `:port` for a port of the caller.
pub(crate) fn address(caller: IpAddr, url: &str) -> Result<PeerAddress, Problem> {
    let bad = |error: &dyn std::fmt::Display| bad_request(format!("url: {error}"));
    match url.strip_prefix(':') {
        Some(port) => {
            let text = SocketAddr::new(caller, 0).to_string();
            let host = text.strip_suffix('0').unwrap_or(&text);
            format!("{host}{port}").parse().map_err(|error| bad(&error))
        }
        None => url.parse().map_err(|error| bad(&error)),
    }
}

/// Whether this machine has the address: only then it can be bound.
fn is_local_address(ip: IpAddr) -> bool {
    let socket = if ip.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    !ip.is_unspecified() && socket.is_ok_and(|socket| socket.bind(SocketAddr::new(ip, 0)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    /// From a range for documentation (RFC 5737), so no machine has it.
    const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    async fn check(callback: &Callback, caller: IpAddr, address: &str) -> Result<String, u16> {
        let address = address.parse().unwrap();
        callback.resolve(caller, &address).await.map(|socket| socket.to_string()).map_err(|problem| problem.status)
    }

    #[tokio::test]
    async fn a_caller_may_register_only_itself() {
        let callback = Callback::new(false, 25).unwrap();
        for (caller, address, expected) in [
            (HERE, "127.0.0.1:8100", Ok("127.0.0.1:8100")),
            (HERE, "127.0.0.2:8100", Ok("127.0.0.2:8100")),
            (HERE, "192.0.2.1:8100", Err(403)),
            (HERE, "0.0.0.0:8100", Err(403)),
            (HERE, "224.0.0.1:8100", Err(403)),
            (AWAY, "192.0.2.1:8100", Ok("192.0.2.1:8100")),
            (AWAY, "[::ffff:192.0.2.1]:8100", Ok("192.0.2.1:8100")),
            (AWAY, "127.0.0.1:8100", Err(403)),
            (AWAY, "localhost:8100", Err(403)),
            (AWAY, "192.0.2.2:8100", Err(403)),
            (AWAY, "169.254.169.254:80", Err(403)),
            (AWAY, "0.0.0.0:8100", Err(403)),
        ] {
            let got = check(&callback, caller, address).await;
            assert_eq!(got.as_deref().map_err(|status| *status), expected, "{caller} registers {address}");
        }
    }

    #[tokio::test]
    async fn allow_foreign_lifts_this_restriction() {
        let callback = Callback::new(true, 25).unwrap();
        assert_eq!(check(&callback, AWAY, "127.0.0.1:8100").await.as_deref(), Ok("127.0.0.1:8100"));
        assert_eq!(check(&callback, HERE, "0.0.0.0:8100").await, Err(403));
    }

    #[test]
    fn a_port_alone_means_the_callers_address() {
        for (caller, url, expected) in [
            (HERE, ":8100", Some("127.0.0.1:8100")),
            ("::1".parse().unwrap(), ":8100", Some("[::1]:8100")),
            (HERE, "b:8100", Some("b:8100")),
            (HERE, ":0", None),
            (HERE, ":", None),
            (HERE, "", None),
            (HERE, ":8100/path", None),
            (HERE, "http://b:8100", None),
        ] {
            assert_eq!(address(caller, url).ok().map(|address| address.to_string()).as_deref(), expected, "{url}");
        }
    }
}
