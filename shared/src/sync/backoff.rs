//! Offers that are set aside for a while, since they could not be followed.
//!
//! An offer is a peer *and* a tip: what one peer fails to deliver, another may well have.

use super::PeerAddress;
use crate::block::BlockHash;
use std::collections::BTreeMap;

const CAPACITY: usize = 256;
const FIRST_BACKOFF_MS: u64 = 1_000;
const MAX_BACKOFF_MS: u64 = 60_000;

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
