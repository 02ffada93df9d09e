//! What the charts show.

use crate::block_sizes::BlockSize;
use crate::header_cache::MAX_HEADERS;
use crate::state::ExplorerState;
use crate::stats::StaleBlocks;
use crate::upstream::UpstreamError;
use runtime::server::{Number, Request};
use serde::Deserialize;
use shared::block::Header;
use shared::wire::Problem;

/// How many blocks the charts can show.
pub(super) const CHOICES: [usize; 5] = [100, 200, 500, 1000, 2000];
/// How many they show by default.
const DEFAULT_BLOCKS: usize = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChartsQuery {
    /// How many blocks to show.
    #[param(inline, nullable = false)]
    blocks: Option<Number>,
}

pub(crate) struct ChartData {
    /// All known headers: the first hash rate and interval need earlier blocks than those that are shown.
    pub(crate) headers: Vec<Header>,
    /// How many of the last blocks are shown.
    pub(crate) block_count: usize,
    pub(crate) stale_blocks: StaleBlocks,
    /// By height.
    pub(crate) block_sizes: Vec<(u64, BlockSize)>,
    /// The target time between blocks, in milliseconds.
    pub(crate) target_ms: u64,
    pub(crate) has_money: bool,
    /// Whether it is known how large blocks are; if not, `block_sizes` only says who found them.
    pub(crate) has_sizes: bool,
}

/// How many blocks a request wants, clamped to the bounds.
pub(super) fn block_count(request: &Request) -> Result<usize, Problem> {
    let ChartsQuery { blocks } = request.query()?;
    Ok(clamped(blocks))
}

/// The same, of a query that was read already.
pub(crate) fn clamped(blocks: Option<Number>) -> usize {
    let wanted = blocks.map_or(DEFAULT_BLOCKS, |Number(blocks)| usize::try_from(blocks).unwrap_or(MAX_HEADERS));
    wanted.clamp(CHOICES[0], MAX_HEADERS)
}

impl ChartData {
    pub(super) async fn of(explorer: &ExplorerState, block_count: usize) -> Result<Self, UpstreamError> {
        let headers = explorer.header_cache.last(&explorer.upstream).await?;
        Ok(Self {
            block_sizes: explorer.block_sizes.last(&explorer.upstream, &headers).await,
            headers: headers.to_vec(),
            block_count,
            stale_blocks: StaleBlocks::of(&explorer.network()).last(block_count),
            target_ms: explorer.params.block_interval_ms,
            has_money: explorer.params.layer.has_money(),
            has_sizes: true,
        })
    }

    pub(super) fn shown(&self) -> &[Header] {
        self.last(&self.headers)
    }

    /// The last entries of a list that has one per block.
    pub(super) fn last<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        &all[all.len().saturating_sub(self.block_count)..]
    }
}
