//! `host:port` as flags, trackers and peers give it: an address and nothing more, or `host:80/path?query` would let
//! others choose what we request.

use shared::sync::PeerAddress;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A host name or IP address and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort(PeerAddress);

/// A text that is not `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address: expected host:port like 127.0.0.1:8100, classroom-3:8100 or [::1]:8100")]
pub struct BadAddress(String);

impl HostPort {
    /// The host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        self.parts().0.trim_matches(['[', ']'])
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.parts().1.parse().unwrap_or_default()
    }

    fn parts(&self) -> (&str, &str) {
        self.0.as_str().rsplit_once(':').unwrap_or_default()
    }
}

/// By host, then by the number of the port.
impl Ord for HostPort {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.host(), self.port()).cmp(&(other.host(), other.port()))
    }
}

impl PartialOrd for HostPort {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HostPort {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        PeerAddress::new(text).map(Self).ok_or_else(|| BadAddress(text.chars().take(300).collect()))
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
