//! The typed HTTP client for trackers, nodes, mempools and explorers; services, the command line and the simulator use
//! it.
//!
//! A server may be slow, broken or hostile: every call bounds the time and the size of the answer, no call follows
//! redirects or uses a proxy, and errors say how a call failed, since peers are judged by it. What an answer
//! means is the caller's business.

mod error;
mod events;
mod explorer;
mod mempool;
mod node;
mod position;
mod programs;
#[cfg(test)]
mod tests;
mod tracker;
mod transport;

pub use error::Error;
pub use explorer::NamedPerson;
pub use mempool::{ListPage, Unprocessed};
pub use position::{ChainPosition, OldestPosition};
pub use tracker::role_name;

use crate::dns::{PeerResolver, Resolver, TrustedHosts};
use reqwest::Method;
use shared::block::BlockHash;
use shared::wire::{Info, NETWORK_HEADER, NODE_HEADER};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use transport::{Bounds, from_json, read_body};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Shorter than the time after which a server with the default configuration closes idle connections.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// An HTTP client; cheap to clone, and clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    observer: Option<OldestPosition>,
}

impl Client {
    /// A client whose requests name its `network` and its `own` address (`host:port`), if given.
    ///
    /// # Errors
    /// If `own` cannot be the value of a header, or no client can be made.
    pub fn new(network: Option<BlockHash>, own: Option<&str>) -> Result<Self, Error> {
        Self::with_resolver(network, own, Resolver::default())
    }

    /// A client for addresses that peers named: names of this machine or its link are refused unless they are trusted.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn for_peers(network: Option<BlockHash>, own: Option<&str>, trusted: TrustedHosts) -> Result<Self, Error> {
        Self::with_resolver(network, own, PeerResolver::new(trusted))
    }

    fn with_resolver(
        network: Option<BlockHash>,
        own: Option<&str>,
        resolver: impl reqwest::dns::Resolve + 'static,
    ) -> Result<Self, Error> {
        let mut headers = http::HeaderMap::new();
        let identity = [(NETWORK_HEADER, network.map(|id| id.to_string())), (NODE_HEADER, own.map(str::to_owned))];
        for (name, value) in identity {
            if let Some(value) = value {
                let value = http::HeaderValue::from_str(&value).map_err(|error| Error::Malformed(error.to_string()))?;
                headers.insert(http::HeaderName::from_static(name), value);
            }
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("chainlab/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(resolver)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(4)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::of(&error))?;
        Ok(Self { http, observer: None })
    }

    /// A client that shares this one's connections and notes in `observer` which block its answers stand on.
    #[must_use]
    pub fn observed_by(&self, observer: &OldestPosition) -> Self {
        Self { http: self.http.clone(), observer: Some(observer.clone()) }
    }

    /// `GET /info` of any service.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn info(&self, address: &str) -> Result<Info, Error> {
        self.get(address, "/info", Bounds::SMALL).await
    }

    /// `GET /info`, and the IP address that the response came from.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn info_with_ip(&self, address: &str) -> Result<(Info, Option<IpAddr>), Error> {
        let answer = self.send(self.request(Method::GET, address, "/info")?, Bounds::SMALL).await?;
        let ip = answer.remote_addr().map(|remote| remote.ip());
        Ok((from_json(&read_body(answer, Bounds::SMALL.bytes).await?)?, ip))
    }

    /// `GET /info` of exactly this socket address, within 2 s and 64 KiB: no name is resolved, so the call reaches the
    /// address that the caller has checked.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn info_at(&self, address: SocketAddr) -> Result<Info, Error> {
        self.get(&address.to_string(), "/info", Bounds { time: Duration::from_secs(2), bytes: 64 * 1024 }).await
    }
}
