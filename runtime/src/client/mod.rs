//! The typed HTTP client: how services, the command line and the simulator ask trackers, nodes and mempools.
//!
//! Whoever answers may be slow, broken or hostile: every call has a deadline and a size that its answer may not exceed,
//! nothing follows redirects or goes through a proxy, and each way to fail is told apart, since peers are judged by it.
//! It decides nothing: what an answer means is the caller's business.

mod address;
mod error;
mod events;
mod mempool;
mod node;
#[cfg(test)]
mod tests;
mod tracker;
mod transport;

pub use address::{BadAddress, HostPort};
pub use error::Error;
pub use mempool::{ListPage, Unprocessed};
pub use tracker::role_name;

use crate::dns::Resolver;
use shared::block::BlockHash;
use shared::wire::{Info, NETWORK_HEADER, NODE_HEADER};
use std::net::SocketAddr;
use std::time::Duration;
use transport::Bounds;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Idle connections are dropped before a server with default bounds drops them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// A client; cheap to clone, and clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// A client that says of which `network` it is and under which `own` address (`host:port`) it is reached, where it
    /// has them.
    ///
    /// # Errors
    /// If `own` cannot be a header or no client can be set up.
    pub fn new(network: Option<BlockHash>, own: Option<&str>) -> Result<Self, Error> {
        let mut headers = http::HeaderMap::new();
        let said = [(NETWORK_HEADER, network.map(|id| id.to_string())), (NODE_HEADER, own.map(str::to_owned))];
        for (name, value) in said {
            if let Some(value) = value {
                let value = http::HeaderValue::from_str(&value).map_err(|error| Error::Malformed(error.to_string()))?;
                headers.insert(http::HeaderName::from_static(name), value);
            }
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("chainlab/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Resolver::default())
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
        Ok(Self { http })
    }

    /// `GET /info` of any service.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn info(&self, address: &str) -> Result<Info, Error> {
        self.get(address, "/info", Bounds::SMALL).await
    }

    /// `GET /info` of exactly this socket address, within 2 s and 64 KiB: no name is resolved again, so the address
    /// that was checked is the one that is connected to.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn info_at(&self, address: SocketAddr) -> Result<Info, Error> {
        self.get(&address.to_string(), "/info", Bounds { time: Duration::from_secs(2), bytes: 64 * 1024 }).await
    }
}
