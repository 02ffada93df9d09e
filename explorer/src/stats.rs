//! The numbers of the charts, computed from headers and from the state of the network.

use crate::network::NetworkState;
use shared::block::Header;
use std::collections::{BTreeMap, BTreeSet};

/// Most blocks that a hash rate is averaged over.
const SMOOTHED: usize = 20;
/// Bars of a histogram.
const BARS: usize = 24;
/// A histogram reaches up to this many means. One in four hundred exponentially distributed intervals is longer.
const MEANS_SHOWN: f64 = 6.0;
/// Heights per bar of the chart of stale blocks.
pub(crate) const HEIGHTS_PER_BAR: u64 = 10;

/// The difficulty at each height.
pub(crate) fn difficulties(headers: &[Header]) -> Vec<(u64, f64)> {
    headers.iter().map(|header| (header.index.0, header.difficulty.value() as f64)).collect()
}

/// The height of each block, and the milliseconds since its parent. Block 1 has none: genesis was not mined.
pub(crate) fn intervals_ms(headers: &[Header]) -> Vec<(u64, u64)> {
    let interval = |two: &[Header]| {
        let ms = two[1].timestamp.ms_since(two[0].timestamp);
        (two[1].index.0, u64::try_from(ms).unwrap_or(0))
    };
    headers.windows(2).map(interval).collect()
}

/// Hashes per second at each height: the work of up to [`SMOOTHED`] blocks, divided by their time.
pub(crate) fn hash_rates(headers: &[Header]) -> Vec<(u64, f64)> {
    let rate = |last: usize| {
        let first = last.saturating_sub(SMOOTHED);
        let work: f64 = headers[first + 1..=last].iter().map(|header| header.difficulty.value() as f64).sum();
        let ms = headers[last].timestamp.ms_since(headers[first].timestamp).max(1);
        (headers[last].index.0, work * 1000.0 / ms as f64)
    };
    (1..headers.len()).map(rate).collect()
}

/// `None` without values.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.into_iter().fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// The interval that half of the intervals do not exceed; `None` without intervals. The mean of an exponential
/// distribution is its median divided by ln 2.
pub(crate) fn median(intervals_ms: &[(u64, u64)]) -> Option<u64> {
    let mut lengths: Vec<u64> = intervals_ms.iter().map(|(_, ms)| *ms).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len().saturating_sub(1) / 2).copied()
}

/// How many intervals have each length.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    /// Width of a bar in milliseconds.
    pub(crate) width_ms: f64,
    pub(crate) counts: Vec<u64>,
    /// Intervals that are longer than the last bar.
    pub(crate) longer: u64,
    pub(crate) total: u64,
}

impl Histogram {
    /// Bars that are wide enough for both the observed intervals and the target. One long gap makes a mean of minutes,
    /// and would make a single bar of all other intervals; then the width follows the median.
    pub(crate) fn of(intervals_ms: &[(u64, u64)], target_ms: u64) -> Self {
        let mean_ms = mean(intervals_ms.iter().map(|(_, ms)| *ms as f64)).unwrap_or(0.0);
        let typical_ms = mean_ms.min(median(intervals_ms).unwrap_or(0) as f64 / std::f64::consts::LN_2);
        let width_ms = MEANS_SHOWN * typical_ms.max(target_ms as f64).max(1.0) / BARS as f64;
        let mut histogram = Self { width_ms, counts: vec![0; BARS], longer: 0, total: intervals_ms.len() as u64 };
        for (_, ms) in intervals_ms {
            match histogram.counts.get_mut((*ms as f64 / width_ms) as usize) {
                Some(count) => *count += 1,
                None => histogram.longer += 1,
            }
        }
        histogram
    }

    /// How many intervals each bar should have if their lengths follow an exponential distribution with mean
    /// `target_ms`.
    pub(crate) fn expected(&self, target_ms: u64) -> Vec<f64> {
        let longer_than = |bars: usize| (-(bars as f64) * self.width_ms / target_ms.max(1) as f64).exp();
        (0..self.counts.len()).map(|bar| self.total as f64 * (longer_than(bar) - longer_than(bar + 1))).collect()
    }
}

/// How many blocks are not on the best chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StaleBlocks {
    /// Stale blocks at each height of the best chain, lowest first.
    pub(crate) heights: Vec<(u64, u64)>,
}

impl StaleBlocks {
    /// Counts down to the first unknown block of the best chain, and what was counted before its blocks were forgotten.
    /// A block that competes with the tip counts as well.
    pub(crate) fn of(state: &NetworkState) -> Self {
        let Some(tip) = state.tip() else { return Self::default() };
        let best: BTreeSet<_> = state.chain(tip.hash).map(|block| block.hash).collect();
        let mut heights: BTreeMap<u64, u64> = state.past_stale.clone();
        heights.extend(state.chain(tip.hash).map(|block| (block.index.0, 0)));
        for stale in state.blocks.values().filter(|block| !best.contains(&block.hash)) {
            heights.entry(stale.index.0).and_modify(|count| *count += 1);
        }
        Self { heights: heights.into_iter().filter(|(height, _)| *height > 0).collect() }
    }

    /// Only the last `count` heights.
    pub(crate) fn last(mut self, count: usize) -> Self {
        self.heights.drain(..self.heights.len().saturating_sub(count));
        self
    }

    pub(crate) fn stale(&self) -> u64 {
        self.heights.iter().map(|(_, stale)| stale).sum()
    }

    /// Stale blocks per hundred blocks of the best chain.
    pub(crate) fn rate(&self) -> Option<f64> {
        mean(self.heights.iter().map(|(_, stale)| *stale as f64 * 100.0))
    }

    /// For every [`HEIGHTS_PER_BAR`] heights: the lowest height, how many heights are known, stale blocks per 100.
    pub(crate) fn rates(&self) -> Vec<(u64, u64, f64)> {
        let groups = self.heights.chunk_by(|a, b| a.0 / HEIGHTS_PER_BAR == b.0 / HEIGHTS_PER_BAR);
        let rate = |group: &[(u64, u64)]| {
            let stale: u64 = group.iter().map(|(_, stale)| stale).sum();
            Some((group.first()?.0, group.len() as u64, stale as f64 * 100.0 / group.len() as f64))
        };
        groups.filter_map(rate).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::header_cache::tests::chain;
    use crate::network::{BlockSummary, ServiceState};
    use serde_json::json;
    use shared::chain::Tip;
    use shared::wire::Info;
    use shared::work::Work;

    #[test]
    fn an_empty_chain_and_one_block_have_no_intervals() {
        for headers in [chain(None, &[]), chain(None, &[5000])] {
            assert!(intervals_ms(&headers).is_empty() && hash_rates(&headers).is_empty());
            assert_eq!(difficulties(&headers).len(), headers.len());
            let histogram = Histogram::of(&[], 5000);
            assert_eq!((histogram.total, histogram.expected(5000).iter().sum::<f64>()), (0, 0.0));
        }
        assert_eq!(mean([]), None);
    }

    #[test]
    fn intervals_are_from_the_parent_and_never_negative() {
        let headers = chain(None, &[1000, 1500, 1400, 4400]);
        assert_eq!(intervals_ms(&headers), [(2, 500), (3, 0), (4, 3000)]);
    }

    #[test]
    fn a_hash_rate_is_work_over_time() {
        // 1000 hashes a block, a block every half second.
        let times: Vec<u64> = (0..50).map(|n| n * 500).collect();
        let rates = hash_rates(&chain(None, &times));
        assert_eq!((rates.len(), rates[0].0), (49, 2));
        assert!(rates.iter().all(|(_, rate)| (rate - 2000.0).abs() < 1e-6), "{rates:?}");
        let at_once = hash_rates(&chain(None, &[7, 7]));
        assert_eq!(at_once, [(2, 1_000_000.0)]);
    }

    #[test]
    fn the_exponential_is_what_chance_alone_would_make() {
        let intervals: Vec<(u64, u64)> = (0..1000).map(|n| (n, 1000)).collect();
        let histogram = Histogram::of(&intervals, 1000);
        assert_eq!((histogram.width_ms, histogram.counts[4], histogram.longer), (250.0, 1000, 0));
        let expected = histogram.expected(1000);
        // The first quarter of the mean: 1 - e^-0.25 of a thousand.
        assert!((expected[0] - 221.199_216_9).abs() < 1e-6, "{}", expected[0]);
        assert!((expected[4] / expected[0] - (-1.0_f64).exp()).abs() < 1e-9);
        // All but e^-6 of them.
        assert!((expected.iter().sum::<f64>() - 997.521_247_8).abs() < 1e-6);
    }

    #[test]
    fn one_long_gap_does_not_make_a_single_bar() {
        // Up to 4 s; and a machine that slept for a day.
        let mut intervals: Vec<(u64, u64)> = (0..100).map(|n| (n, 40 * n)).collect();
        intervals.push((100, 86_400_000));
        let histogram = Histogram::of(&intervals, 1000);
        let used = histogram.counts.iter().filter(|count| **count > 0).count();
        assert!(used > 4, "{used} bars of {} ms", histogram.width_ms);
        assert_eq!(histogram.longer, 1);
    }

    #[test]
    fn what_is_far_too_long_is_counted_apart() {
        let mut intervals: Vec<(u64, u64)> = (0..99).map(|n| (n, 10)).collect();
        intervals.push((99, 1_000_000));
        let histogram = Histogram::of(&intervals, 1000);
        assert_eq!((histogram.longer, histogram.counts[0], histogram.total), (1, 99, 100));
    }

    /// A network with one node, whose tip is the last block of `best`; all these blocks are known.
    pub(crate) fn state(best: &[Header], others: &[Header]) -> NetworkState {
        let mut state = NetworkState::default();
        for header in best.iter().chain(others) {
            let summary = BlockSummary {
                index: header.index,
                hash: header.hash(),
                prev_hash: header.prev_hash,
                timestamp: header.timestamp,
                heard: header.timestamp,
                difficulty: header.difficulty.value(),
                mined_by: None,
            };
            state.blocks.insert(summary.hash, summary);
        }
        let tip = best.last().map(|last| Tip {
            index: last.index,
            hash: last.hash(),
            timestamp: last.timestamp,
            work: Work(1),
        });
        let info = json!({"service": "node", "version": "1", "network_id": "0".repeat(64), "network": {},
            "address": "127.0.0.1:8100", "started": "2026-11-21T00:00:00.000Z", "tip": tip});
        let info: Info = serde_json::from_value(info).unwrap();
        let service = ServiceState { info: Some(info), ..ServiceState::default() };
        state.nodes.insert("127.0.0.1:8100".to_owned(), service);
        state
    }

    #[test]
    fn stale_blocks_are_those_beside_the_best_chain() {
        // 1 - 2 - 3 - … - 12
        //      \- 3' - 4'     \- 12' beside the tip
        let best = chain(None, &(1..=12).collect::<Vec<_>>());
        let side = chain(best.get(1), &[50, 60]);
        let rival = chain(best.get(10), &[70]);
        let stale_blocks = StaleBlocks::of(&state(&best, &[side, rival].concat()));
        assert_eq!((stale_blocks.heights.len(), stale_blocks.stale()), (12, 3));
        assert_eq!(stale_blocks.rate(), Some(25.0));
        let rates = stale_blocks.rates();
        assert_eq!((rates[0].0, rates[0].1, rates[1]), (1, 9, (10, 3, 100.0 / 3.0)));
        assert_eq!(StaleBlocks::of(&NetworkState::default()).rate(), None);
    }

    #[test]
    fn stale_blocks_still_count_once_they_are_forgotten() {
        let mut state = state(&chain(None, &(1..=12).collect::<Vec<_>>()), &[]);
        state.past_stale = BTreeMap::from([(2, 3), (12, 9)]);
        let stale_blocks = StaleBlocks::of(&state);
        assert_eq!((stale_blocks.heights.len(), stale_blocks.stale()), (12, 0), "what is known counts as it is known");
        state.past_stale = BTreeMap::from([(0, 0)]);
        assert_eq!(StaleBlocks::of(&state).heights.len(), 12, "genesis has no rival");
    }

    #[test]
    fn what_lies_below_a_gap_is_not_judged() {
        let best = chain(None, &(1..=6).collect::<Vec<_>>());
        let side = chain(best.first(), &[50]);
        let stale_blocks = StaleBlocks::of(&state(&best[3..], &side));
        assert_eq!((stale_blocks.heights.len(), stale_blocks.stale()), (3, 0));
    }
}
