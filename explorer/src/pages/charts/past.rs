//! What the charts are made of, gathered for one look.

use super::CHOICES;
use crate::figures::Forks;
use crate::headers::KEPT;
use crate::loads::Load;
use crate::service::Explorer;
use crate::sources::NoAnswer;
use runtime::server::Request;
use serde::Deserialize;
use shared::block::Header;
use shared::wire::Problem;

/// How many blocks are looked back at unless somebody says.
const DEFAULT: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    blocks: Option<usize>,
}

pub(super) struct Past {
    /// As many as are known: hash rates and intervals begin before the blocks that are shown.
    pub(super) headers: Vec<Header>,
    /// How many of the last blocks are to be shown.
    pub(super) wanted: usize,
    pub(super) forks: Forks,
    /// By height.
    pub(super) loads: Vec<(u64, Load)>,
    /// Milliseconds between blocks that the network aims at.
    pub(super) aim_ms: u64,
    pub(super) has_money: bool,
}

/// How many blocks a request is about, moved into the bounds.
pub(super) fn wanted(request: &Request) -> Result<usize, Problem> {
    let Query { blocks } = request.query()?;
    Ok(blocks.unwrap_or(DEFAULT).clamp(CHOICES[0], KEPT))
}

impl Past {
    pub(super) async fn of(explorer: &Explorer, wanted: usize) -> Result<Self, NoAnswer> {
        let headers = explorer.headers.last(explorer).await?;
        Ok(Self {
            loads: explorer.loads.last(explorer, &headers).await,
            headers: headers.to_vec(),
            wanted,
            forks: Forks::of(&explorer.watch.picture()),
            aim_ms: explorer.params.block_interval_ms,
            has_money: explorer.params.layer.has_money(),
        })
    }

    /// The headers that are shown.
    pub(super) fn shown(&self) -> &[Header] {
        self.last(&self.headers)
    }

    /// The last of what there is one of for each block.
    pub(super) fn last<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        &all[all.len().saturating_sub(self.wanted)..]
    }
}
