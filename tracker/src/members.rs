//! The table of members with its leases and limits. It reads no clock: time comes in as an argument.

use runtime::server::Source;
use shared::block::{BlockHash, Timestamp};
use shared::chain::Tip;
use shared::sync::PeerAddress;
use shared::wire::{Member, Role};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberLimits {
    /// Time after which a member that was not renewed is dropped.
    pub lease: Duration,
    /// Most members.
    pub total: usize,
    /// Most members that were registered from one remote source.
    pub per_source: usize,
    /// Most members that were registered from one source on the tracker's own machine.
    pub per_local_source: usize,
}

/// A caller whose address was checked and called back.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMember {
    pub address: PeerAddress,
    pub role: Role,
    pub network_id: BlockHash,
    pub tip: Option<Tip>,
    /// Where it was registered from.
    pub source: Source,
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
    /// Whether it answered the last call back.
    answers: bool,
}

/// The table of members.
///
/// # Invariants
/// At most [`MemberLimits::total`] members, of which at most [`MemberLimits::per_source`] are from one remote source,
/// and at most [`MemberLimits::per_local_source`] from one on this machine; at most one for each `host:port`.
#[derive(Debug)]
pub struct MemberTable {
    limits: MemberLimits,
    records: BTreeMap<PeerAddress, MemberRecord>,
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
        let MemberLimits { lease, total, per_source, per_local_source } = self.limits;
        self.records.retain(|_, record| record.until > now);
        let held = self.records.get(&member.address).map(|record| record.member.source);
        if held.is_none() && self.records.len() >= total {
            return Err(TableFull::Total(total));
        }
        if held != Some(member.source) {
            let share = if member.source.is_here() { per_local_source } else { per_source };
            let same = |record: &&MemberRecord| record.member.source == member.source;
            if self.records.values().filter(same).count() >= share {
                return Err(TableFull::Source(share));
            }
        }
        let record = MemberRecord { last_seen: time, until: now + lease, answers: true, member };
        self.records.insert(record.member.address.clone(), record);
        Ok(())
    }

    /// Whether `source` has registered `address`, and it answered when it was called last.
    pub fn is_reliable(&self, now: Instant, address: &PeerAddress, source: Source) -> bool {
        let record = self.records.get(address).filter(|record| record.until > now);
        record.is_some_and(|record| record.answers && record.member.source == source)
    }

    /// Notes that `address`, if `source` has registered it, did not answer when it was called.
    pub fn note_silence(&mut self, address: &PeerAddress, source: Source) {
        if let Some(record) = self.records.get_mut(address).filter(|record| record.member.source == source) {
            record.answers = false;
        }
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
    use std::net::{IpAddr, Ipv4Addr};

    const LEASE: Duration = Duration::from_secs(60);

    fn members(total: usize, per_source: usize) -> (MemberTable, Instant) {
        let limits = MemberLimits { lease: LEASE, total, per_source, per_local_source: total };
        (MemberTable::new(limits), Instant::now())
    }

    fn member(address: &str, source: Option<u8>) -> NewMember {
        NewMember {
            address: address.parse().unwrap(),
            role: Role::Node,
            network_id: BlockHash::of("a"),
            tip: None,
            source: source_of(source),
        }
    }

    /// A source in a remote network, or on this machine.
    fn source_of(last: Option<u8>) -> Source {
        let remote = last.map_or(Ipv4Addr::LOCALHOST, |last| Ipv4Addr::new(192, 0, 2, last));
        Source::new(IpAddr::V4(remote), IpAddr::V4(Ipv4Addr::LOCALHOST))
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
    fn one_source_has_a_share_of_the_table_and_the_trackers_machine_a_larger_one() {
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
        members.limits.per_local_source = 5;
        for port in 1..=5 {
            members.register(start, Timestamp::EPOCH, member(&format!("c:{port}"), None)).unwrap();
        }
        let sixth = member("c:6", None);
        assert_eq!(members.register(start, Timestamp::EPOCH, sixth), Err(TableFull::Source(5)));
    }

    #[test]
    fn a_member_is_reliable_for_its_source_until_it_does_not_answer() {
        let (mut members, start) = members(10, 10);
        let (node, ours, theirs) = (member("a:1", Some(1)), source_of(Some(1)), source_of(Some(2)));
        assert!(!members.is_reliable(start, &node.address, ours), "it is not listed");
        members.register(start, Timestamp::EPOCH, node.clone()).unwrap();
        assert!(members.is_reliable(start, &node.address, ours));
        assert!(
            !members.is_reliable(start, &node.address, theirs)
                && !members.is_reliable(start + LEASE, &node.address, ours)
        );
        members.note_silence(&node.address, theirs);
        assert!(members.is_reliable(start, &node.address, ours), "another source cannot say so");
        members.note_silence(&node.address, ours);
        assert!(!members.is_reliable(start, &node.address, ours));
        members.register(start, Timestamp::EPOCH, node.clone()).unwrap();
        assert!(members.is_reliable(start, &node.address, ours), "it answered again");
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
