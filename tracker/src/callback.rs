//! Checks whether a caller may register an address, and whether its service runs there (docs/protocol.md §9).
//!
//! A tracker that connects to any address it is given could be used to scan networks that the caller cannot reach. So
//! the name is resolved once, its address is compared with the caller's, and exactly that address is called.

use runtime::client::{Client, Error, HostPort, role_name};
use runtime::dns::Resolver;
use runtime::server::{bad_request, forbidden, unavailable, unprocessable};
use shared::wire::{Info, Problem, Role};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most calls back at a time, for all callers together.
const MAX_CALLBACKS: usize = 64;
/// Longest time that a caller waits for its turn, and that resolving its name may take.
const MAX_WAIT: Duration = Duration::from_secs(2);

pub(crate) struct Callback {
    client: Client,
    resolver: Resolver,
    allow_foreign: bool,
    turns: Semaphore,
}

/// A service that answered the call back as the kind that it was registered as.
pub(crate) struct VerifiedService {
    pub(crate) address: HostPort,
    pub(crate) info: Info,
}

impl Callback {
    pub(crate) fn new(allow_foreign: bool) -> Result<Self, Error> {
        let turns = Semaphore::new(MAX_CALLBACKS);
        Ok(Self { client: Client::new(None, None)?, resolver: Resolver::default(), allow_foreign, turns })
    }

    /// Calls `url` back, if `caller` may register it, and checks that a service with `role` answers.
    pub(crate) async fn verify(&self, caller: IpAddr, url: &str, role: Role) -> Result<VerifiedService, Problem> {
        let address = address(caller, url)?;
        let turn = timeout(MAX_WAIT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(unavailable("the tracker makes too many calls back at the moment; try again"));
        };
        let socket = self.resolve(caller, &address).await?;
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
        Ok(VerifiedService { address, info })
    }

    /// The address to connect to.
    async fn resolve(&self, caller: IpAddr, address: &HostPort) -> Result<SocketAddr, Problem> {
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

/// Parses `host:port`, or `:port` for a port of the caller.
fn address(caller: IpAddr, url: &str) -> Result<HostPort, Problem> {
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
pub(crate) fn is_local_address(ip: IpAddr) -> bool {
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
        let callback = Callback::new(false).unwrap();
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
        let callback = Callback::new(true).unwrap();
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
