//! What the charts show, and where it is on their x axis: by height or by clock.

use crate::block_sizes::BlockSize;
use crate::header_cache::MAX_HEADERS;
use crate::network::{Measures, Outside, PoolSample, SplitSpan, Spread};
use crate::state::ExplorerState;
use crate::stats::StaleBlocks;
use crate::upstream::UpstreamError;
use crate::view::chart::{Axis, Mark, whole_number};
use runtime::server::{Number, Request};
use serde::Deserialize;
use shared::block::{BlockHash, Header, Timestamp};
use shared::ledger::Address;
use shared::params::Params;
use shared::wire::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many blocks the charts can show.
pub(super) const CHOICES: [usize; 5] = [100, 200, 500, 1000, 2000];
/// How many they show by default.
const DEFAULT_BLOCKS: usize = 200;

/// What the x axis is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    #[default]
    Height,
    Clock,
}

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ChartsQuery {
    /// How many blocks to show.
    #[param(inline, nullable = false)]
    blocks: Option<Number>,
    /// What the x axis is: `height` or `clock`. Tables have both.
    #[param(value_type = Option<String>, nullable = false, pattern = "^(height|clock)$")]
    by: By,
}

/// What a request wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChartsView {
    /// How many of the last blocks are shown.
    pub(super) block_count: usize,
    pub(super) by: By,
}

pub(crate) struct ChartData {
    /// All known headers: the first hash rate and interval need earlier blocks than those that are shown.
    pub(super) headers: Vec<Header>,
    /// The times of the headers in milliseconds, each at least the one before.
    times_ms: Vec<u64>,
    pub(super) view: ChartsView,
    pub(super) stale_blocks: StaleBlocks,
    /// By height.
    pub(super) block_sizes: Vec<(u64, BlockSize)>,
    pub(super) measures: Measures,
    /// How blocks came into the network that no node found.
    pub(super) outside: Arc<BTreeMap<BlockHash, Outside>>,
    /// The target time between blocks, in milliseconds.
    pub(super) target_ms: u64,
    pub(super) has_money: bool,
    /// Whether it is of a recording, which knows less (`of_recordings`).
    pub(super) is_recorded: bool,
}

/// The blocks of the best chain of a recording, lowest first.
pub(crate) struct RecordedBlocks {
    pub(crate) headers: Vec<Header>,
    /// Who earned each block, if that is known.
    pub(crate) miners: Vec<Option<Address>>,
    pub(crate) stale_blocks: StaleBlocks,
}

impl ChartsView {
    /// What a request wants, within the bounds.
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let ChartsQuery { blocks, by } = request.query()?;
        Ok(Self::new(blocks, by))
    }

    /// The same, of a query that was read already.
    pub(crate) fn new(blocks: Option<Number>, by: By) -> Self {
        let wanted = blocks.map_or(DEFAULT_BLOCKS, |Number(blocks)| usize::try_from(blocks).unwrap_or(MAX_HEADERS));
        Self { block_count: wanted.clamp(CHOICES[0], MAX_HEADERS), by }
    }

    /// How many of the last blocks are shown.
    pub(crate) fn block_count(self) -> usize {
        self.block_count
    }

    /// The query that leads to it.
    pub(super) fn query(self) -> String {
        let by = if self.by == By::Clock { "&by=clock" } else { "" };
        format!("blocks={}{by}", self.block_count)
    }
}

impl ChartData {
    pub(super) async fn of(explorer: &ExplorerState, view: ChartsView) -> Result<Self, UpstreamError> {
        let headers = explorer.header_cache.last(&explorer.upstream).await?;
        let state = explorer.network();
        Ok(Self {
            block_sizes: explorer.block_sizes.last(&explorer.upstream, &headers).await,
            times_ms: rising(&headers),
            headers: headers.to_vec(),
            view,
            stale_blocks: StaleBlocks::of(&state).last(view.block_count),
            measures: explorer.monitor.measures(),
            outside: state.outside.clone(),
            target_ms: explorer.params.block_interval_ms,
            has_money: explorer.params.layer.has_money(),
            is_recorded: false,
        })
    }

    /// Of a recording at a moment.
    pub(crate) fn recorded(view: ChartsView, params: &Params, blocks: RecordedBlocks) -> Self {
        let RecordedBlocks { headers, miners, stale_blocks } = blocks;
        let size = |miner| BlockSize { bytes: 0, transactions: None, miner, fee_rate: None };
        Self {
            times_ms: rising(&headers),
            block_sizes: headers.iter().map(|header| header.index.0).zip(miners.into_iter().map(size)).collect(),
            headers,
            view,
            stale_blocks,
            measures: Measures::default(),
            outside: Arc::default(),
            target_ms: params.block_interval_ms,
            has_money: params.layer.has_money(),
            is_recorded: true,
        }
    }

    #[cfg(test)]
    pub(super) fn sample(headers: Vec<Header>, block_sizes: Vec<(u64, BlockSize)>, stale_blocks: StaleBlocks) -> Self {
        Self {
            times_ms: rising(&headers),
            headers,
            view: ChartsView { block_count: DEFAULT_BLOCKS, by: By::Height },
            stale_blocks,
            block_sizes,
            measures: Measures::default(),
            outside: Arc::default(),
            target_ms: 1000,
            has_money: true,
            is_recorded: false,
        }
    }

    pub(super) fn shown(&self) -> &[Header] {
        self.last(&self.headers)
    }

    /// The last entries of a list that has one per block.
    pub(super) fn last<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        &all[all.len().saturating_sub(self.view.block_count)..]
    }

    /// The measured spreads of the shown blocks, by height.
    pub(super) fn spreads(&self) -> Vec<Spread> {
        let shown: BTreeSet<BlockHash> = self.shown().iter().map(Header::hash).collect();
        let spreads = self.measures.spreads.iter().filter(|spread| shown.contains(&spread.hash));
        let mut spreads: Vec<Spread> = spreads.copied().collect();
        spreads.sort_by_key(|spread| spread.index);
        spreads
    }

    /// The samples of the pool since the first shown block.
    pub(super) fn pool(&self) -> &[PoolSample] {
        let since = self.last(&self.times_ms).first().copied().unwrap_or_default();
        let first = self.measures.pool.partition_point(|sample| sample.at.as_ms() < since);
        &self.measures.pool[first..]
    }

    /// The splits since the first shown block.
    pub(super) fn splits(&self) -> impl Iterator<Item = &SplitSpan> {
        let since = self.last(&self.times_ms).first().copied().unwrap_or_default();
        self.measures.splits.iter().filter(move |split| split.healed.is_none_or(|healed| healed.as_ms() >= since))
    }

    /// The header at a height, if it is known.
    pub(super) fn header(&self, height: u64) -> Option<&Header> {
        self.headers.get(usize::try_from(height.checked_sub(self.first_height()?)?).ok()?)
    }

    /// The time of the block at a height, if it is known.
    pub(super) fn time_of(&self, height: u64) -> Option<Timestamp> {
        self.header(height).map(|header| header.timestamp)
    }

    fn first_height(&self) -> Option<u64> {
        self.headers.first().map(|header| header.index.0)
    }

    /// Where a block is on the x axis; `None` if its time is not known.
    pub(super) fn x_of(&self, height: u64) -> Option<f64> {
        if self.view.by == By::Height {
            return Some(height as f64);
        }
        let place = usize::try_from(height.checked_sub(self.first_height()?)?).ok()?;
        self.times_ms.get(place).map(|ms| *ms as f64)
    }

    /// The part of the x axis that belongs to these heights, from the first to the last: by clock, the time that the
    /// blocks took.
    pub(super) fn bar(&self, first: u64, last: u64) -> Option<(f64, f64)> {
        if self.view.by == By::Height {
            return Some((first as f64, last as f64 + 1.0));
        }
        let (begin, end) = (self.x_of(first)?, self.x_of(last)?);
        let before = first.checked_sub(1).and_then(|before| self.x_of(before));
        Some((before.unwrap_or(begin - self.target_ms as f64), end))
    }

    /// Where a moment is on the x axis. By height, between the blocks before and after it.
    pub(super) fn x_at(&self, at: Timestamp) -> f64 {
        let ms = at.as_ms();
        if self.view.by == By::Clock {
            return ms as f64;
        }
        let first = self.first_height().unwrap_or_default() as f64;
        let after = self.times_ms.partition_point(|time| *time <= ms);
        let Some(before) = after.checked_sub(1) else { return first };
        let begin = self.times_ms[before];
        let part = match self.times_ms.get(after) {
            Some(end) => (ms - begin) as f64 / (end - begin).max(1) as f64,
            // What happens after the newest block.
            None if ms > begin => 1.0,
            None => 0.0,
        };
        first + before as f64 + part
    }

    pub(super) fn axis(&self, from: f64, to: f64) -> Axis {
        match self.view.by {
            By::Height => Axis::between("height", from, to, whole_number).of_whole(),
            By::Clock => Axis::clock(from, to),
        }
    }

    /// The times of splits, to be drawn behind the numbers.
    pub(super) fn bands(&self) -> impl Iterator<Item = Mark> {
        self.splits().map(|split| {
            let from = self.x_at(split.since);
            let (to, until) = match split.healed {
                Some(healed) => (self.x_at(healed), format!("until {}", clock(healed))),
                None => (f64::MAX, "and it still is".to_owned()),
            };
            Mark::Band { from, to, text: format!("The network was split from {} {until}", clock(split.since)) }
        })
    }

    /// What is said of a place on the x axis that is within a split.
    pub(super) fn at_split(&self, x: f64) -> &'static str {
        let is_within =
            |split: &SplitSpan| self.x_at(split.since) <= x && split.healed.is_none_or(|healed| x <= self.x_at(healed));
        if self.splits().any(is_within) { ", during a split" } else { "" }
    }
}

/// The time of the day in UTC.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// The times of headers, each at least the one before, so that they are places on an axis.
fn rising(headers: &[Header]) -> Vec<u64> {
    let mut highest = 0;
    let time = |header: &Header| {
        highest = header.timestamp.as_ms().max(highest);
        highest
    };
    headers.iter().map(time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_cache::tests::chain;

    fn by_clock(times_ms: &[u64]) -> ChartData {
        let mut data = ChartData::sample(chain(None, times_ms), Vec::new(), StaleBlocks { heights: Vec::new() });
        data.view.by = By::Clock;
        data
    }

    #[test]
    fn a_moment_is_between_the_blocks_before_and_after_it() {
        let mut data = by_clock(&[1000, 2000, 1500, 4000]);
        let at = |ms| Timestamp::from_ms(ms);
        assert_eq!((data.x_of(3), data.bar(2, 3), data.x_of(5)), (Some(2000.0), Some((1000.0, 2000.0)), None));
        assert_eq!(data.bar(1, 1), Some((0.0, 1000.0)), "the target's time before the first block");
        assert_eq!(data.x_at(at(3000)), 3000.0);
        data.view.by = By::Height;
        let heights = [500, 1000, 1500, 3000, 4000, 9000].map(|ms| data.x_at(at(ms)));
        assert_eq!(heights, [1.0, 1.0, 1.5, 3.5, 4.0, 5.0]);
        assert_eq!((data.bar(2, 3), data.time_of(3)), (Some((2.0, 4.0)), Some(at(1500))));
        assert_eq!(by_clock(&[]).x_of(1), None);
    }

    #[test]
    fn only_splits_that_reach_into_the_shown_blocks_are_marked() {
        let times: Vec<u64> = (1..=300).map(|second| second * 1000).collect();
        let mut data = by_clock(&times);
        let span = |since, healed: Option<u64>| SplitSpan {
            since: Timestamp::from_ms(since),
            healed: healed.map(Timestamp::from_ms),
        };
        data.measures.splits = [span(5_000, Some(9_000)), span(90_000, Some(110_000)), span(250_000, None)].into();
        assert_eq!(data.bands().count(), 2);
        let said = [100_000.0, 120_000.0, 299_000.0].map(|x| data.at_split(x).is_empty());
        assert_eq!(said, [false, true, false]);
    }
}
