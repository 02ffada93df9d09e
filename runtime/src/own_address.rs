//! What others reach a service at, from what it was told and where it listens.

use shared::sync::PeerAddress;
use std::fmt;
use std::net::SocketAddr;

/// A text that should have been `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} is not an address: expected host:port")]
pub struct InvalidAddress {
    /// What it was given for.
    what: &'static str,
    /// What it says.
    text: String,
}

/// A service's own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAddress {
    /// Where it listens.
    pub bound: SocketAddr,
    /// What others reach it at; not known if it listens on all addresses and nobody said.
    pub known: Option<PeerAddress>,
}

impl OwnAddress {
    /// The address of a service that was told to listen on `host` and listens at `bound`.
    ///
    /// # Errors
    /// If what it was told is no address.
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

/// An address that was configured; `what` is how an error names it.
///
/// # Errors
/// If it is none.
pub fn parse_address(what: &'static str, text: &str) -> Result<PeerAddress, InvalidAddress> {
    PeerAddress::new(text).ok_or_else(|| InvalidAddress { what, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_it_was_told_to_say_or_where_it_listens() {
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
        assert_eq!(error, "--advertise \"class\" is not an address: expected host:port");
    }
}
