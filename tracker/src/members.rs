//! The table of members with its leases and limits. It reads no clock: time comes in as an argument.

use runtime::client::HostPort;
use shared::block::{BlockHash, Timestamp};
use shared::chain::Tip;
use shared::wire::{Member, Role};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberLimits {
    /// Time after which a member that was not renewed is dropped.
    pub lease: Duration,
    /// Most members.
    pub total: usize,
    /// Most members that were registered from one remote address; those from the tracker's own machine are not limited.
    pub per_source: usize,
}

/// A caller whose address was checked and called back.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMember {
    pub address: HostPort,
    pub role: Role,
    pub network_id: BlockHash,
    pub tip: Option<Tip>,
    /// The remote address that registered it; `None` for the tracker's own machine.
    pub source: Option<IpAddr>,
}

/// Why no further member is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TableFull {
    #[error("the tracker lists {0} members, which is its limit; try again after a lease has run out")]
    Total(usize),
    #[error("your address has {0} listed members, which is the limit; try again after a lease has run out")]
    Source(usize),
}

#[derive(Debug)]
struct MemberRecord {
    member: NewMember,
    last_seen: Timestamp,
    until: Instant,
}

/// The table of members.
///
/// # Invariants
/// At most [`MemberLimits::total`] members, of which at most [`MemberLimits::per_source`] are from one remote address;
/// at most one for each `host:port`.
#[derive(Debug)]
pub struct MemberTable {
    limits: MemberLimits,
    records: BTreeMap<HostPort, MemberRecord>,
}

impl MemberTable {
    pub const fn new(limits: MemberLimits) -> Self {
        Self { limits, records: BTreeMap::new() }
    }

    /// Lists a member, or renews its lease; a renewal is never refused for lack of room.
    ///
    /// # Errors
    /// [`TableFull`]; then only expired members have been removed.
    pub fn register(&mut self, now: Instant, time: Timestamp, member: NewMember) -> Result<(), TableFull> {
        let MemberLimits { lease, total, per_source } = self.limits;
        self.records.retain(|_, record| record.until > now);
        let held = self.records.get(&member.address).map(|record| record.member.source);
        if held.is_none() && self.records.len() >= total {
            return Err(TableFull::Total(total));
        }
        if member.source.is_some() && held != Some(member.source) {
            let same = |record: &&MemberRecord| record.member.source == member.source;
            if self.records.values().filter(same).count() >= per_source {
                return Err(TableFull::Source(per_source));
            }
        }
        let record = MemberRecord { last_seen: time, until: now + lease, member };
        self.records.insert(record.member.address.clone(), record);
        Ok(())
    }

    /// Addresses of live members with one role, on one network or on all.
    pub fn addresses(&self, now: Instant, role: Role, network: Option<BlockHash>) -> Vec<String> {
        let fits = |record: &&MemberRecord| {
            record.member.role == role && network.is_none_or(|network| network == record.member.network_id)
        };
        self.live(now).filter(fits).map(|record| record.member.address.to_string()).collect()
    }

    /// All live members, ordered by address.
    pub fn list(&self, now: Instant) -> Vec<Member> {
        self.live(now)
            .map(|MemberRecord { member, last_seen, .. }| Member {
                address: member.address.to_string(),
                role: member.role,
                network_id: member.network_id,
                tip: member.tip,
                last_seen: *last_seen,
            })
            .collect()
    }

    pub fn count(&self, now: Instant) -> usize {
        self.live(now).count()
    }

    fn live(&self, now: Instant) -> impl Iterator<Item = &MemberRecord> {
        self.records.values().filter(move |record| record.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LEASE: Duration = Duration::from_secs(60);

    fn members(total: usize, per_source: usize) -> (MemberTable, Instant) {
        (MemberTable::new(MemberLimits { lease: LEASE, total, per_source }), Instant::now())
    }

    fn member(address: &str, source: Option<u8>) -> NewMember {
        NewMember {
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
        let node = member("a:1", None);
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
    fn a_full_table_refuses_new_members_until_a_lease_runs_out_but_renews_old_ones() {
        let (mut members, start) = members(2, 10);
        for address in ["a:1", "a:2", "a:1"] {
            members.register(start, Timestamp::EPOCH, member(address, None)).unwrap();
        }
        let newcomer = member("a:3", None);
        assert_eq!(members.register(start, Timestamp::EPOCH, newcomer.clone()), Err(TableFull::Total(2)));
        members.register(start + LEASE, Timestamp::EPOCH, newcomer).unwrap();
        assert_eq!(members.addresses(start + LEASE, Role::Node, None), ["a:3"]);
    }

    #[test]
    fn one_remote_address_cannot_fill_the_table_but_the_trackers_machine_can() {
        let (mut members, start) = members(100, 2);
        for address in ["a:1", "a:2"] {
            members.register(start, Timestamp::EPOCH, member(address, Some(1))).unwrap();
        }
        let third = member("a:3", Some(1));
        assert_eq!(members.register(start, Timestamp::EPOCH, third), Err(TableFull::Source(2)));
        members.register(start, Timestamp::EPOCH, member("a:2", Some(1))).unwrap();
        members.register(start, Timestamp::EPOCH, member("b:1", Some(2))).unwrap();
        // Taking over an address that another source registered is not a renewal.
        assert_eq!(members.register(start, Timestamp::EPOCH, member("b:1", Some(1))), Err(TableFull::Source(2)));
        for port in 1..=5 {
            members.register(start, Timestamp::EPOCH, member(&format!("c:{port}"), None)).unwrap();
        }
    }

    #[test]
    fn members_are_selected_by_network_and_role() {
        let (mut members, start) = members(10, 10);
        let other = NewMember { network_id: BlockHash::of("b"), ..member("b:1", None) };
        let pool = NewMember { role: Role::Mempool, ..member("p:1", None) };
        for member in [member("a:1", None), other, pool] {
            members.register(start, Timestamp::EPOCH, member).unwrap();
        }
        assert_eq!(members.addresses(start, Role::Node, Some(BlockHash::of("a"))), ["a:1"]);
        assert_eq!(members.addresses(start, Role::Mempool, Some(BlockHash::of("a"))), ["p:1"]);
        assert_eq!(members.addresses(start, Role::Mempool, Some(BlockHash::of("b"))), [""; 0]);
        assert_eq!(members.addresses(start, Role::Node, None), ["a:1", "b:1"]);
    }
}
