//! Which peers may be one and the same: an address on a machine costs nothing, a machine does.
//!
//! Turns and places are shared out by group first. Where all peers are in one group, as on one machine, groups change
//! nothing.

use super::PeerAddress;
use core::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, the first 64 bits of an IPv6 address, or a host name that was not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NetGroup {
    Ip(IpAddr),
    Host(String),
}

impl NetGroup {
    pub(super) fn of_ip(ip: IpAddr) -> Self {
        Self::Ip(match ip.to_canonical() {
            // A subscriber usually has a whole /64.
            IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
            ip => ip,
        })
    }

    pub(super) fn of_address(address: &PeerAddress) -> Self {
        address.ip().map_or_else(|| Self::Host(address.host().to_owned()), Self::of_ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_spellings_do_not_matter_and_machines_do() {
        let group = |text| NetGroup::of_address(&PeerAddress::new(text).unwrap());
        assert_eq!(group("10.0.0.1:1"), group("10.0.0.1:2"));
        assert_eq!(group("10.0.0.1:1"), group("[::ffff:10.0.0.1]:1"));
        assert_eq!(group("[2001:db8::1]:1"), group("[2001:db8::ffff:1]:1"));
        assert_ne!(group("[2001:db8::1]:1"), group("[2001:db8:0:1::1]:1"));
        assert_ne!(group("10.0.0.1:1"), group("10.0.0.2:1"));
        assert_eq!(group("node:1"), group("NODE:2"));
        assert_ne!(group("[::1]:1"), group("[::2]:1"));
    }
}
