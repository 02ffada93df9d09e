//! Which addresses a host's name stands for, asked anew every few seconds.
//!
//! A service that comes back under its name at another address must be found soon, as containers do. What DNS says may be
//! remembered for long (Docker says 10 minutes), and the operating system's own resolver holds a thread for each
//! question; so this one forgets what it knows, and reads `/etc/hosts` and `/etc/resolv.conf` again.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long answers are remembered.
const FRESH: Duration = Duration::from_secs(3);
/// How long one question to a name server may take; it is asked twice.
const QUESTION: Duration = Duration::from_secs(2);

/// Resolves names; cheap to clone, and clones share what they remember.
#[derive(Debug, Clone, Default)]
pub struct Resolver {
    current: Arc<Mutex<Option<(Instant, TokioResolver)>>>,
}

impl Resolver {
    /// The addresses of a host, which may be one itself.
    ///
    /// # Errors
    /// It has none, or no name server answers.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        Ok(self.current()?.lookup_ip(host).await?.iter().collect())
    }

    fn current(&self) -> Result<TokioResolver, NetError> {
        // What is in it is replaced as a whole, so one that a panic poisoned is still right.
        let mut held = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((since, resolver)) if since.elapsed() < FRESH => Ok(resolver.clone()),
            _ => {
                let resolver = new_resolver()?;
                *held = Some((Instant::now(), resolver.clone()));
                Ok(resolver)
            }
        }
    }
}

/// A resolver that has read the system's configuration just now; where there is none, it knows the hosts file alone.
fn new_resolver() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::debug!(%error, "no configuration of name servers");
        TokioResolver::builder_with_config(
            ResolverConfig::from_parts(None, vec![], vec![]),
            TokioRuntimeProvider::default(),
        )
    });
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.timeout = QUESTION;
    builder.build()
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            // The client puts the port in place of 0.
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    async fn a_name_of_nobody_is_an_error() {
        // Reserved never to be one (RFC 6761); where no name server is, that is an error too.
        assert!(Resolver::default().addresses("nobody.invalid").await.is_err());
    }

    #[tokio::test]
    async fn what_is_remembered_is_forgotten() {
        let resolver = Resolver::default();
        let old = Instant::now().checked_sub(FRESH).unwrap();
        *resolver.current.lock().unwrap() = Some((old, new_resolver().unwrap()));
        resolver.current().unwrap();
        let since = resolver.current.lock().unwrap().as_ref().unwrap().0;
        assert!(since > old, "a new one took its place");
        resolver.current().unwrap();
        assert_eq!(resolver.current.lock().unwrap().as_ref().unwrap().0, since, "and stays for a while");
    }
}
