//! Block templates: the data of the next block, made by the layer from what the mempools have.
//!
//! Making one may check thousands of signatures, so none with candidates is made on tokio's threads.

use crate::coinbase::Coinbase;
use crate::mempools::Candidates;
use runtime::follower::{Follower, Status};
use shared::block::BlockHash;
use shared::layer::{EffectError, TemplateRequest};
use shared::ledger::Bundle;
use shared::pool::Room;
use std::sync::Arc;
use std::time::Duration;

/// How often a template is begun anew because the chain went on meanwhile.
const TRIES: usize = 5;
/// How long to wait until the new tip is known.
const NEWS_WITHIN: Duration = Duration::from_millis(100);

/// The data of a block on a certain tip.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// The data.
    pub(crate) data: String,
    /// What it earns.
    pub(crate) worth: Worth,
}

/// What a template is better by: the fees that it collects, and then how many transactions it confirms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worth {
    fees: u128,
    pub(crate) count: usize,
}

/// Why there is no template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTemplate {
    /// The chain has another tip by now.
    #[error("the chain has gone on meanwhile, try again")]
    Moved,
    /// No data can be made, or the state cannot be read.
    #[error(transparent)]
    Layer(#[from] EffectError),
    /// The task that made it broke off.
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
    ) -> Result<Self, NoTemplate> {
        let state = follower.view().snapshot().map_err(EffectError::from)?;
        if state.tip().hash() != parent {
            return Err(NoTemplate::Moved);
        }
        let (rules, params) = (follower.rules(), follower.rules().params());
        // At most 2^20 (docs/protocol.md §2).
        let room = Room { count: params.max_transactions as usize, bytes: coinbase.room(rules) };
        let chosen = candidates.choose(state.as_ref(), params, room).map_err(EffectError::from)?;
        let wanted = TemplateRequest { message: &coinbase.message, miner: coinbase.miner, candidates: &chosen };
        let data = rules.layer().template(state.tip().index.next(), state.as_ref(), &wanted)?;
        let worth = if chosen.is_empty() { Worth::default() } else { Worth::of(&data) };
        Ok(Self { data, worth })
    }

    /// Data that somebody else made.
    pub(crate) fn given(data: String) -> Self {
        Self { data, worth: Worth::default() }
    }

    /// A template on whatever is the tip, made on a thread that may take its time.
    pub(crate) async fn on_tip(
        follower: &Follower,
        coinbase: &Coinbase,
        candidates: &Candidates,
    ) -> Result<(Arc<Status>, Self), NoTemplate> {
        let mut news = follower.watch();
        for _ in 0..TRIES {
            let status = news.borrow_and_update().clone();
            let (follower, coinbase, candidates) = (follower.clone(), coinbase.clone(), candidates.clone());
            let parent = status.tip.hash();
            let build = move || Self::build(&follower, parent, &coinbase, &candidates);
            match tokio::task::spawn_blocking(build).await? {
                // Readers see a new tip a moment before it is announced.
                Err(NoTemplate::Moved) => drop(tokio::time::timeout(NEWS_WITHIN, news.changed()).await),
                template => return template.map(|template| (status, template)),
            }
        }
        Err(NoTemplate::Moved)
    }
}

impl Worth {
    fn of(data: &str) -> Self {
        let transactions = serde_json::from_str(data).map_or_else(|_| Vec::new(), |bundle: Bundle| bundle.transactions);
        let fees = transactions.iter().map(|transaction| u128::from(transaction.fee.grains())).sum();
        Self { fees, count: transactions.len() }
    }
}
