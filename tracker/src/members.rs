//! Who is listed: leases and caps, as a pure table. Time comes in as an argument.

use runtime::client::HostPort;
use shared::block::{BlockHash, Timestamp};
use shared::chain::Tip;
use shared::wire::{Member, Role};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// How long an entry lives unless it is renewed.
    pub lease: Duration,
    /// Most entries.
    pub total: usize,
    /// Most entries that one remote address may hold; entries of the tracker's own machine only count in total.
    pub per_source: usize,
}

/// A caller whose address was checked and called back.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// Where it is reached.
    pub address: HostPort,
    /// What it is.
    pub role: Role,
    /// Its network.
    pub network_id: BlockHash,
    /// Its best block.
    pub tip: Option<Tip>,
    /// The remote address that registered it; none for the tracker's own machine.
    pub source: Option<IpAddr>,
}

/// Why nobody more is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// There are as many members as allowed.
    #[error("the tracker lists {0} members already, as many as it may; try again when a lease has run out")]
    Total(usize),
    /// One remote address holds as many as allowed.
    #[error("your address has {0} members listed already, as many as one may have; try again when a lease has run out")]
    Source(usize),
}

#[derive(Debug)]
struct Entry {
    registration: Registration,
    last_seen: Timestamp,
    until: Instant,
}

/// The table of members.
///
/// # Invariants
/// At most [`Caps::total`] entries, at most [`Caps::per_source`] of them from one remote address; one per address.
#[derive(Debug)]
pub struct Members {
    caps: Caps,
    entries: BTreeMap<HostPort, Entry>,
}

impl Members {
    /// An empty table.
    pub const fn new(caps: Caps) -> Self {
        Self { caps, entries: BTreeMap::new() }
    }

    /// Lists a member, or renews it; what is renewed is never refused for want of room.
    ///
    /// # Errors
    /// [`Full`], which changes nothing but that expired entries are gone.
    pub fn register(&mut self, now: Instant, time: Timestamp, registration: Registration) -> Result<(), Full> {
        let Caps { lease, total, per_source } = self.caps;
        self.entries.retain(|_, entry| entry.until > now);
        let held = self.entries.get(&registration.address).map(|entry| entry.registration.source);
        if held.is_none() && self.entries.len() >= total {
            return Err(Full::Total(total));
        }
        if registration.source.is_some() && held != Some(registration.source) {
            let same = |entry: &&Entry| entry.registration.source == registration.source;
            if self.entries.values().filter(same).count() >= per_source {
                return Err(Full::Source(per_source));
            }
        }
        let entry = Entry { last_seen: time, until: now + lease, registration };
        self.entries.insert(entry.registration.address.clone(), entry);
        Ok(())
    }

    /// Addresses of live members in one role, of one network or of all.
    pub fn addresses(&self, now: Instant, role: Role, network: Option<BlockHash>) -> Vec<String> {
        let fits = |entry: &&Entry| {
            entry.registration.role == role && network.is_none_or(|network| network == entry.registration.network_id)
        };
        self.live(now).filter(fits).map(|entry| entry.registration.address.to_string()).collect()
    }

    /// Everyone who is live, by address.
    pub fn list(&self, now: Instant) -> Vec<Member> {
        self.live(now)
            .map(|Entry { registration, last_seen, .. }| Member {
                address: registration.address.to_string(),
                role: registration.role,
                network_id: registration.network_id,
                tip: registration.tip,
                last_seen: *last_seen,
            })
            .collect()
    }

    /// How many are live.
    pub fn count(&self, now: Instant) -> usize {
        self.live(now).count()
    }

    fn live(&self, now: Instant) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(move |entry| entry.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LEASE: Duration = Duration::from_secs(60);

    fn members(total: usize, per_source: usize) -> (Members, Instant) {
        (Members::new(Caps { lease: LEASE, total, per_source }), Instant::now())
    }

    fn registration(address: &str, source: Option<u8>) -> Registration {
        Registration {
            address: address.parse().unwrap(),
            role: Role::Node,
            network_id: BlockHash::of("a"),
            tip: None,
            source: source.map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))),
        }
    }

    #[test]
    fn a_member_is_listed_until_its_lease_runs_out_unless_renewed() {
        let (mut members, start) = members(10, 10);
        let node = registration("a:1", None);
        members.register(start, Timestamp::from_ms(5), node.clone()).unwrap();
        assert_eq!(members.list(start)[0].last_seen, Timestamp::from_ms(5));
        assert_eq!(members.count(start + LEASE - Duration::from_millis(1)), 1);
        assert_eq!(members.count(start + LEASE), 0);
        members.register(start + LEASE / 2, Timestamp::from_ms(6), node).unwrap();
        assert_eq!(members.count(start + LEASE), 1);
        assert_eq!(members.count(start + LEASE + LEASE / 2), 0);
        assert_eq!(members.list(start)[0].last_seen, Timestamp::from_ms(6));
    }

    #[test]
    fn a_full_table_refuses_newcomers_renews_members_and_has_room_after_a_lease() {
        let (mut members, start) = members(2, 10);
        for address in ["a:1", "a:2", "a:1"] {
            members.register(start, Timestamp::EPOCH, registration(address, None)).unwrap();
        }
        let newcomer = registration("a:3", None);
        assert_eq!(members.register(start, Timestamp::EPOCH, newcomer.clone()), Err(Full::Total(2)));
        members.register(start + LEASE, Timestamp::EPOCH, newcomer).unwrap();
        assert_eq!(members.addresses(start + LEASE, Role::Node, None), ["a:3"]);
    }

    #[test]
    fn one_remote_address_cannot_fill_the_table_but_the_own_machine_can() {
        let (mut members, start) = members(100, 2);
        for address in ["a:1", "a:2"] {
            members.register(start, Timestamp::EPOCH, registration(address, Some(1))).unwrap();
        }
        let third = registration("a:3", Some(1));
        assert_eq!(members.register(start, Timestamp::EPOCH, third), Err(Full::Source(2)));
        members.register(start, Timestamp::EPOCH, registration("a:2", Some(1))).unwrap();
        members.register(start, Timestamp::EPOCH, registration("b:1", Some(2))).unwrap();
        // Taking over an address that another source registered is not a renewal.
        assert_eq!(members.register(start, Timestamp::EPOCH, registration("b:1", Some(1))), Err(Full::Source(2)));
        for port in 1..=5 {
            members.register(start, Timestamp::EPOCH, registration(&format!("c:{port}"), None)).unwrap();
        }
    }

    #[test]
    fn networks_and_roles_are_told_apart() {
        let (mut members, start) = members(10, 10);
        let other = Registration { network_id: BlockHash::of("b"), ..registration("b:1", None) };
        let pool = Registration { role: Role::Mempool, ..registration("p:1", None) };
        for registration in [registration("a:1", None), other, pool] {
            members.register(start, Timestamp::EPOCH, registration).unwrap();
        }
        assert_eq!(members.addresses(start, Role::Node, Some(BlockHash::of("a"))), ["a:1"]);
        assert_eq!(members.addresses(start, Role::Mempool, Some(BlockHash::of("a"))), ["p:1"]);
        assert_eq!(members.addresses(start, Role::Mempool, Some(BlockHash::of("b"))), [""; 0]);
        assert_eq!(members.addresses(start, Role::Node, None), ["a:1", "b:1"]);
    }
}
