//! `host:port`, checked: what comes from flags, trackers and peers must be an address and nothing more, or
//! `host:80/path?query` would let a stranger choose what we ask.

use shared::sync::host_name;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A host name or IP address and a port.
///
/// # Invariants
/// The host is a DNS name, an IPv4 address, or an IPv6 address (kept without brackets), at most 253 bytes, lower-case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

/// A text that is not `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address: expected host:port like 127.0.0.1:8100, classroom-3:8100 or [::1]:8100")]
pub struct BadAddress(String);

impl HostPort {
    /// # Errors
    /// If `host` is neither a name nor an IP address (IPv6 with or without brackets), or the port is 0.
    pub fn new(host: &str, port: u16) -> Result<Self, BadAddress> {
        let bad = || BadAddress(format!("{}:{port}", host.chars().take(300).collect::<String>()));
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare.unwrap_or(host).parse::<Ipv6Addr>() {
            Ok(v6) => v6.to_string(),
            Err(_) => host_name(host).ok_or_else(bad)?,
        };
        if port == 0 {
            return Err(bad());
        }
        Ok(Self { host, port })
    }

    /// The host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl FromStr for HostPort {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.chars().take(300).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        // "::1:80" could be read in two ways, "+80" and "080" are other spellings.
        if (host.contains(':') && !host.starts_with('[')) || port.starts_with(['+', '0']) {
            return Err(bad());
        }
        Self::new(host, port.parse().map_err(|_| bad())?).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_nothing_else() {
        for (text, expected) in [
            ("127.0.0.1:8100", Some("127.0.0.1:8100")),
            ("[::1]:8100", Some("[::1]:8100")),
            ("[0:0::1]:8100", Some("[::1]:8100")),
            ("node_1.classroom:65535", Some("node_1.classroom:65535")),
            ("LocalHost:80", Some("localhost:80")),
            (":8100", None),
            ("host", None),
            ("host:", None),
            ("host:0", None),
            ("host:65536", None),
            ("host:+80", None),
            ("host:080", None),
            ("::1:80", None),
            ("[::1:80", None),
            ("[host]:80", None),
            ("user@host:80", None),
            ("host/path:80", None),
            ("host:80/path", None),
            ("a?b:80", None),
            ("a#b:80", None),
            ("a b:80", None),
            ("a..b:80", None),
            ("-a:80", None),
            ("127.1:80", None),
            ("2130706433:80", None),
            ("0x7f.1:80", None),
            ("höst:80", None),
            ("<script>:80", None),
        ] {
            assert_eq!(text.parse::<HostPort>().ok().map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
    }
}
