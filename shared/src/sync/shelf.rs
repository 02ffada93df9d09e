//! Tips that were not worth another try just now: whose blocks nobody delivers, or that claim more work than they have.

use crate::block::BlockHash;
use std::collections::BTreeMap;

const CAPACITY: usize = 256;
const FIRST_REST_MS: u64 = 1_000;
const MAX_REST_MS: u64 = 60_000;

/// Tips by hash, each resting for a time that doubles whenever it disappoints again.
#[derive(Default)]
pub(super) struct Shelf {
    tips: BTreeMap<BlockHash, Resting>,
}

struct Resting {
    until_ms: u64,
    times: u32,
}

impl Shelf {
    pub(super) fn put(&mut self, tip: BlockHash, now_ms: u64) {
        if self.tips.len() >= CAPACITY && !self.tips.contains_key(&tip) {
            let oldest = self.tips.iter().min_by_key(|(_, resting)| resting.until_ms).map(|(tip, _)| *tip);
            oldest.and_then(|oldest| self.tips.remove(&oldest));
        }
        let resting = self.tips.entry(tip).or_insert(Resting { until_ms: 0, times: 0 });
        resting.until_ms = now_ms + (FIRST_REST_MS << resting.times.min(16)).min(MAX_REST_MS);
        resting.times += 1;
    }

    pub(super) fn holds(&self, tip: &BlockHash, now_ms: u64) -> bool {
        self.tips.get(tip).is_some_and(|resting| resting.until_ms > now_ms)
    }
}
