//! Resolves host names, and forgets the results after a few seconds.
//!
//! A service that comes back at another address under the same name, as containers do, must be found soon. DNS records
//! may stay valid for long (10 minutes in Docker), and the operating system's resolver blocks a thread for each query.
//! So this resolver drops its cache, and reads `/etc/hosts` and `/etc/resolv.conf` again. Names that only the operating
//! system knows (`.local` by mDNS, other sources of NSS) are left to it: it is asked if DNS finds nothing.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use shared::sync::PeerAddress;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a resolver and its cache are used.
const MAX_AGE: Duration = Duration::from_secs(3);
/// How long one query to a name server may take; each query is sent twice.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the operating system may take.
const SYSTEM_TIMEOUT: Duration = Duration::from_secs(3);
/// Queries to the operating system at a time: each blocks a thread, and goes on after the timeout.
const SYSTEM_QUERIES: usize = 8;

/// Resolves host names; cheap to clone, and clones share the cache.
#[derive(Debug, Clone, Default)]
pub struct Resolver {
    current: Arc<Mutex<Option<(Instant, TokioResolver)>>>,
}

impl Resolver {
    /// The addresses of a host; those of an IP address are itself.
    ///
    /// # Errors
    /// If the host has no address, or no name server replies.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let found: Result<Vec<IpAddr>, NetError> = match self.current() {
            Ok(resolver) => resolver.lookup_ip(host).await.map(|found| found.iter().collect()),
            Err(error) => Err(error),
        };
        match found {
            Ok(addresses) if !addresses.is_empty() => Ok(addresses),
            // The error of DNS is the better one: it tells an unknown name from a silent server.
            found => system_addresses(host).await.map_or(found, Ok),
        }
    }

    fn current(&self) -> Result<TokioResolver, NetError> {
        // The value is replaced as a whole, so a lock that a panic poisoned is still usable.
        let mut held = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((since, resolver)) if since.elapsed() < MAX_AGE => Ok(resolver.clone()),
            _ => {
                let resolver = new_resolver()?;
                *held = Some((Instant::now(), resolver.clone()));
                Ok(resolver)
            }
        }
    }
}

/// The addresses of a host by the operating system; `None` if it finds none in time.
async fn system_addresses(host: &str) -> Option<Vec<IpAddr>> {
    static PLACES: Semaphore = Semaphore::const_new(SYSTEM_QUERIES);
    let place = PLACES.try_acquire().ok()?;
    let host = (host.to_owned(), 0);
    // A task of its own, which keeps its place until the blocked thread is free.
    let query = tokio::spawn(async move {
        let found = tokio::net::lookup_host(host).await;
        drop(place);
        found.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>())
    });
    let found = tokio::time::timeout(SYSTEM_TIMEOUT, query).await.ok()?.ok()?.ok()?;
    (!found.is_empty()).then_some(found)
}

/// A resolver with the system's current configuration; without one, it only reads the hosts file.
fn new_resolver() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::debug!(%error, "no name servers are configured");
        TokioResolver::builder_with_config(
            ResolverConfig::from_parts(None, vec![], vec![]),
            TokioRuntimeProvider::default(),
        )
    });
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.timeout = QUERY_TIMEOUT;
    builder.build()
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            // The HTTP client replaces port 0.
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}

/// Most names in a [`TrustedHosts`].
const MAX_TRUSTED: usize = 4096;

/// Names that may belong to this machine, because the user or the tracker named them, not a peer; clones share them.
#[derive(Debug, Clone, Default)]
pub struct TrustedHosts(Arc<Mutex<HashSet<String>>>);

impl TrustedHosts {
    /// Trusts the hosts of these addresses; beyond a bound, further ones stay untrusted.
    pub fn add<'a>(&self, addresses: impl IntoIterator<Item = &'a PeerAddress>) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            if hosts.len() < MAX_TRUSTED
                && let Some((host, _)) = address.as_str().rsplit_once(':')
            {
                hosts.insert(host.to_owned());
            }
        }
    }

    fn contains(&self, host: &str) -> bool {
        host == "localhost" || self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }
}

/// Resolves names that peers named: what such a name stands for is known only when it is connected to, and a stranger
/// must not make a service call its own machine or link.
#[derive(Debug, Clone)]
pub(crate) struct PeerResolver {
    resolver: Resolver,
    trusted: TrustedHosts,
}

/// A name that only a trusted source may give.
#[derive(Debug, thiserror::Error)]
#[error("{0} is an address of this machine or link, which a peer may not name")]
struct LocalName(String);

impl PeerResolver {
    pub(crate) fn new(trusted: TrustedHosts) -> Self {
        Self { resolver: Resolver::default(), trusted }
    }
}

impl Resolve for PeerResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { resolver, trusted } = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let mut found = resolver.addresses(&host).await?;
            if !trusted.contains(&host) {
                found.retain(|ip| !is_local(*ip));
                if found.is_empty() {
                    return Err(LocalName(host).into());
                }
            }
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}

/// Whether an address can only mean the machine, or the link, that it is used on.
fn is_local(ip: IpAddr) -> bool {
    PeerAddress::new(&SocketAddr::new(ip, 1).to_string()).is_none_or(|address| address.is_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_is_resolved_only_if_it_is_trusted() {
        let trusted = TrustedHosts::default();
        let resolver = PeerResolver::new(trusted.clone());
        // Every name below `localhost` means this machine (RFC 6761).
        let resolve = async |name: &str| resolver.resolve(name.parse().unwrap()).await.map(Iterator::count);
        let error = resolve("Evil.localhost").await.unwrap_err().to_string();
        assert!(error.contains("evil.localhost"), "{error}");
        assert!(resolve("localhost").await.unwrap() > 0, "an address filter judges this one");
        trusted.add(&[PeerAddress::new("evil.localhost:80").unwrap()]);
        assert!(resolve("evil.localhost").await.unwrap() > 0);
    }

    #[tokio::test]
    async fn an_address_stands_for_itself_and_localhost_for_this_machine() {
        let resolver = Resolver::default();
        for address in ["192.0.2.1", "2001:db8::1"] {
            assert_eq!(resolver.addresses(address).await.unwrap(), [address.parse::<IpAddr>().unwrap()]);
        }
        let found = resolver.addresses("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[tokio::test]
    async fn the_operating_system_knows_names_of_its_own() {
        let found = system_addresses("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        assert_eq!(system_addresses("nobody.invalid").await, None);
        // `127.1` is an address to the system only: DNS and the hosts file have no such name.
        assert_eq!(Resolver::default().addresses("127.1").await.unwrap(), [IpAddr::from([127, 0, 0, 1])]);
    }

    #[tokio::test]
    async fn an_unknown_name_is_an_error() {
        // `.invalid` is reserved never to resolve (RFC 6761); without a name server the result is an error too.
        assert!(Resolver::default().addresses("nobody.invalid").await.is_err());
    }

    #[tokio::test]
    async fn the_cache_is_dropped_after_its_age() {
        let resolver = Resolver::default();
        let old = Instant::now().checked_sub(MAX_AGE).unwrap();
        *resolver.current.lock().unwrap() = Some((old, new_resolver().unwrap()));
        resolver.current().unwrap();
        let since = resolver.current.lock().unwrap().as_ref().unwrap().0;
        assert!(since > old, "a new one took its place");
        resolver.current().unwrap();
        assert_eq!(resolver.current.lock().unwrap().as_ref().unwrap().0, since, "and stays for a while");
    }
}
