//! The address at which others reach a service, from its configuration and the address that it listens on.

use shared::sync::{BadPeerAddress, PeerAddress};
use std::fmt;
use std::net::SocketAddr;

/// A configured text that is not `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {reason}")]
pub struct InvalidAddress {
    what: &'static str,
    reason: BadPeerAddress,
}

/// A service's own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAddress {
    /// The socket that it listens on.
    pub bound: SocketAddr,
    /// Where others reach it; `None` if it listens on all addresses and none is advertised.
    pub known: Option<PeerAddress>,
}

impl OwnAddress {
    /// The address of a service with the configured `host` that listens on `bound`; `advertise` wins over both.
    ///
    /// # Errors
    /// If `host` or `advertise` do not make an address.
    pub fn new(host: &str, advertise: Option<&str>, bound: SocketAddr) -> Result<Self, InvalidAddress> {
        let known = if let Some(advertised) = advertise {
            Some(parse_address("--advertise", advertised)?)
        } else if bound.ip().is_unspecified() {
            None
        } else {
            let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
            Some(parse_address("--host", &format!("{host}:{}", bound.port()))?)
        };
        Ok(Self { bound, known })
    }
}

impl fmt::Display for OwnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.known {
            Some(known) => known.fmt(f),
            None => self.bound.fmt(f),
        }
    }
}

/// Parses a configured address; `what` names it in the error.
///
/// # Errors
/// If `text` is not `host:port`.
pub fn parse_address(what: &'static str, text: &str) -> Result<PeerAddress, InvalidAddress> {
    text.parse().map_err(|reason| InvalidAddress { what, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_it_advertises_or_else_where_it_listens() {
        for (host, advertise, bound, expected) in [
            ("127.0.0.1", None, "127.0.0.1:8100", Some("127.0.0.1:8100")),
            ("localhost", None, "127.0.0.1:8100", Some("localhost:8100")),
            ("::1", None, "[::1]:8100", Some("[::1]:8100")),
            ("0.0.0.0", None, "0.0.0.0:8100", None),
            ("0.0.0.0", Some("class:80"), "0.0.0.0:8100", Some("class:80")),
        ] {
            let bound: SocketAddr = bound.parse().unwrap();
            let own = OwnAddress::new(host, advertise, bound).unwrap();
            assert_eq!(own.known.as_ref().map(PeerAddress::as_str), expected);
            assert_eq!(own.to_string(), expected.map_or(bound.to_string(), str::to_owned));
        }
        let error = OwnAddress::new("::", Some("class"), "[::]:8100".parse().unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("--advertise \"class\" is not an address: expected host:port"), "{error}");
    }
}
