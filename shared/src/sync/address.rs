//! `host:port`, the address of a service in flags, configurations, lists of trackers and requests of peers.
//!
//! It is an address and nothing more: `host:80/path?query` would let others choose what we request. No name is resolved
//! here.

use core::net::IpAddr;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// `host:port` of a service: a DNS name or an IP address, and a port that is not 0.
///
/// # Invariants
/// One spelling for each address: lower case, an IPv6 host in brackets, no leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    text: Arc<str>,
    port: u16,
}

/// A text that is not `host:port`; holds its first [`PeerAddress::MAX_BYTES`] characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address: expected host:port like 127.0.0.1:8100, classroom-3:8100 or [::1]:8100")]
pub struct BadPeerAddress(String);

impl PeerAddress {
    /// Longest address that is accepted, in bytes: a DNS name has at most 253.
    pub const MAX_BYTES: usize = 300;

    /// The address `text`, or `None` if it is malformed; [`str::parse`] gives the reason to people.
    pub fn new(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        // "::1:80" could be read in two ways, "+80" and "080" are other spellings.
        if text.len() > Self::MAX_BYTES || port.starts_with(['+', '0']) {
            return None;
        }
        let port: u16 = port.parse().ok()?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) => format!("[{}]", v6.parse::<core::net::Ipv6Addr>().ok()?),
            None => host_name(host)?,
        };
        Some(Self { text: format!("{host}:{port}").into(), port })
    }

    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.text.rsplit_once(':').map_or("", |(host, _)| host).trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The IP address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host().parse().ok()
    }

    /// Whether it can only mean the machine, or the link, that it is used on.
    pub fn is_local(&self) -> bool {
        match self.ip() {
            Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
            Some(IpAddr::V6(ip)) => {
                let mapped_is_local = ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback() || ip.is_link_local());
                ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified() || mapped_is_local
            }
            None => self.host().eq_ignore_ascii_case("localhost"),
        }
    }
}

/// A DNS name or IPv4 address in lower case, if `host` is one; underscores are allowed, as container names have them.
fn host_name(host: &str) -> Option<String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
            && !label.starts_with('-')
    };
    let is_numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|c| c.is_ascii_digit()));
    // "127.1" and "2130706433" are old spellings of addresses that resolvers disagree on.
    let is_name =
        host.len() <= 253 && host.split('.').all(label) && (!is_numeric || host.parse::<core::net::Ipv4Addr>().is_ok());
    is_name.then(|| host.to_ascii_lowercase())
}

/// By host, then by the number of the port.
impl Ord for PeerAddress {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.host(), self.port).cmp(&(other.host(), other.port))
    }
}

impl PartialOrd for PeerAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for PeerAddress {
    type Err = BadPeerAddress;

    fn from_str(text: &str) -> Result<Self, BadPeerAddress> {
        Self::new(text).ok_or_else(|| BadPeerAddress(text.chars().take(Self::MAX_BYTES).collect()))
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
            assert_eq!(text.parse::<PeerAddress>().ok().as_ref().map(PeerAddress::as_str), expected, "{text}");
        }
    }

    #[test]
    fn host_and_port_are_told_apart_and_ports_are_ordered_as_numbers() {
        for (text, host, port) in [("[::1]:80", "::1", 80), ("a.b:65535", "a.b", 65_535), ("10.0.0.1:1", "10.0.0.1", 1)]
        {
            let address: PeerAddress = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port));
        }
        let mut addresses = ["b:9", "a:8100", "a:80", "b:10"].map(|text| text.parse::<PeerAddress>().unwrap());
        addresses.sort();
        assert_eq!(addresses.each_ref().map(PeerAddress::as_str), ["a:80", "a:8100", "b:9", "b:10"]);
    }

    #[test]
    fn an_error_quotes_the_start_of_a_long_text_and_gives_examples() {
        let error = "x".repeat(1000).parse::<PeerAddress>().unwrap_err().to_string();
        let expected = "is not an address: expected host:port like 127.0.0.1:8100";
        assert!(error.contains(expected) && error.len() < 450, "{error}");
    }
}
