//! Block templates: the data of the next block, which the layer makes from the candidates of the mempools.
//!
//! Building one may check thousands of signatures, so templates with candidates are built on blocking threads.

use crate::coinbase::Coinbase;
use crate::mempools::Candidates;
use runtime::follower::{Follower, Status};
use shared::block::BlockHash;
use shared::layer::{EffectError, Position, TemplateRequest};
use shared::ledger::Bundle;
use shared::pool::Room;
use std::sync::Arc;
use std::time::Duration;

/// How often building is tried if the tip changes meanwhile.
const TRIES: usize = 5;
/// Longest time to wait for the announcement of a new tip.
const TIP_WAIT: Duration = Duration::from_millis(100);

/// The data of a block on a certain tip.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) data: String,
    pub(crate) value: TemplateValue,
}

/// What makes a template better than another: its fees, then its number of transactions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TemplateValue {
    fees: u128,
    pub(crate) count: usize,
}

/// Why there is no template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("the chain has a new tip meanwhile, try again")]
    Moved,
    #[error(transparent)]
    Layer(#[from] EffectError),
    #[error("{0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Template {
    /// A template on `parent`, which must be the tip.
    pub(crate) fn build(
        follower: &Follower,
        parent: BlockHash,
        coinbase: &Coinbase,
        candidates: &Candidates,
    ) -> Result<Self, TemplateError> {
        let state = follower.view().snapshot().map_err(EffectError::from)?;
        if state.tip().hash() != parent {
            return Err(TemplateError::Moved);
        }
        let (rules, params) = (follower.rules(), follower.rules().params());
        // At most 2^20 (docs/protocol.md §2).
        let room = Room { count: params.max_transactions as usize, bytes: coinbase.room_for_transactions(rules) };
        let chosen = candidates.choose(state.as_ref(), params, state.tip().index.next(), room)?;
        let wanted = TemplateRequest { message: &coinbase.message, miner: coinbase.miner, candidates: &chosen };
        let data = rules.layer().template(&Position::on(&state.tip().header), state.as_ref(), &wanted)?;
        let value = if chosen.is_empty() { TemplateValue::default() } else { TemplateValue::of(&data) };
        Ok(Self { data, value })
    }

    /// A template with the given data.
    pub(crate) fn with_data(data: String) -> Self {
        Self { data, value: TemplateValue::default() }
    }

    /// A template on the current tip, built on a blocking thread.
    pub(crate) async fn on_tip(
        follower: &Follower,
        coinbase: &Coinbase,
        candidates: &Candidates,
    ) -> Result<(Arc<Status>, Self), TemplateError> {
        let mut news = follower.watch();
        for _ in 0..TRIES {
            let status = news.borrow_and_update().clone();
            let (follower, coinbase, candidates) = (follower.clone(), coinbase.clone(), candidates.clone());
            let parent = status.tip.hash();
            let build = move || Self::build(&follower, parent, &coinbase, &candidates);
            match tokio::task::spawn_blocking(build).await? {
                // Snapshots have a new tip a moment before the status announces it.
                Err(TemplateError::Moved) => drop(tokio::time::timeout(TIP_WAIT, news.changed()).await),
                template => return template.map(|template| (status, template)),
            }
        }
        Err(TemplateError::Moved)
    }
}

impl TemplateValue {
    fn of(data: &str) -> Self {
        let transactions = serde_json::from_str(data).map_or_else(|_| Vec::new(), |bundle: Bundle| bundle.transactions);
        let fees = transactions.iter().map(|transaction| u128::from(transaction.fee().grains())).sum();
        Self { fees, count: transactions.len() }
    }
}
