//! Offers that are set aside for a while, since they could not be followed.
//!
//! An offer is a peer *and* a tip: what one peer fails to deliver, another may well have.

use super::PeerAddress;
use super::net_group::NetGroup;
use crate::block::BlockHash;
use std::collections::BTreeMap;

const CAPACITY: usize = 256;
const FIRST_BACKOFF_MS: u64 = 1_000;
const MAX_BACKOFF_MS: u64 = 60_000;
/// Time from a failed download to the next one from the same machine.
const GROUP_PAUSE_MS: u64 = 250;

/// Offers, each set aside for a time that doubles with each failure.
#[derive(Default)]
pub(super) struct Backoff {
    offers: BTreeMap<(PeerAddress, BlockHash), BackoffEntry>,
}

struct BackoffEntry {
    until_ms: u64,
    times: u32,
}

impl Backoff {
    pub(super) fn put(&mut self, peer: &PeerAddress, tip: BlockHash, now_ms: u64) {
        let offer = (peer.clone(), tip);
        if self.offers.len() >= CAPACITY && !self.offers.contains_key(&offer) {
            let oldest = self.offers.iter().min_by_key(|(_, entry)| entry.until_ms).map(|(offer, _)| offer.clone());
            oldest.and_then(|oldest| self.offers.remove(&oldest));
        }
        let entry = self.offers.entry(offer).or_insert(BackoffEntry { until_ms: 0, times: 0 });
        entry.until_ms = now_ms + (FIRST_BACKOFF_MS << entry.times.min(16)).min(MAX_BACKOFF_MS);
        entry.times += 1;
    }

    pub(super) fn holds(&self, peer: &PeerAddress, tip: BlockHash, now_ms: u64) -> bool {
        self.offers.get(&(peer.clone(), tip)).is_some_and(|entry| entry.until_ms > now_ms)
    }
}

/// Machines that a peer of has just failed to deliver. Addresses cost nothing: without a pause, each of many on one
/// machine would at once get the request that the one before it did not fulfil.
#[derive(Default)]
pub(super) struct GroupPauses(BTreeMap<NetGroup, u64>);

impl GroupPauses {
    pub(super) fn put(&mut self, group: NetGroup, now_ms: u64) {
        self.0.insert(group, now_ms + GROUP_PAUSE_MS);
    }

    pub(super) fn holds(&self, group: &NetGroup) -> bool {
        self.0.contains_key(group)
    }

    /// Ends the pauses that are over.
    pub(super) fn end_due(&mut self, now_ms: u64) {
        self.0.retain(|_, until_ms| *until_ms > now_ms);
    }

    /// Uptime at which the next one ends.
    pub(super) fn next_end_ms(&self) -> Option<u64> {
        self.0.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failure_all_addresses_of_a_machine_wait_and_others_do_not() {
        let group = |text| NetGroup::of_address(&PeerAddress::new(text).unwrap());
        let mut pauses = GroupPauses::default();
        pauses.put(group("10.0.0.1:1"), 1000);
        assert!(pauses.holds(&group("10.0.0.1:2")) && !pauses.holds(&group("10.0.0.2:1")));
        assert_eq!(pauses.next_end_ms(), Some(1000 + GROUP_PAUSE_MS));
        pauses.end_due(1000 + GROUP_PAUSE_MS - 1);
        assert!(pauses.holds(&group("10.0.0.1:1")));
        pauses.end_due(1000 + GROUP_PAUSE_MS);
        assert_eq!((pauses.holds(&group("10.0.0.1:1")), pauses.next_end_ms()), (false, None));
    }
}
