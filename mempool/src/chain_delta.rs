//! The difference between the block that the pool stands on and the chain's tip: the blocks that were disconnected and
//! connected in between.
//!
//! If too many blocks lie between, they are not read: the pool then looks up each of its own transactions in the chain,
//! so that a first sync costs as much as the pool is large, however long the chain is.

use crate::program_events::{MempoolEvent, add_events};
use shared::block::{BlockId, Height};
use shared::chain::ChainSnapshot;
use shared::layer::program::moved_accounts;
use shared::layer::transaction::locate_transaction;
use shared::layer::{amount_in, changed_holdings};
use shared::ledger::{Amount, Bundle, CoinName, Holding, Transaction, TransactionId};
use shared::params::Params;
use shared::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};

/// Blocks are read in pages of this size.
const PAGE_BYTES: usize = 8 << 20;

/// Bounds of what is read and kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeltaLimits {
    /// Most disconnected transactions that are kept.
    pub(crate) transactions: usize,
    /// Most connected blocks that are read.
    pub(crate) blocks: u64,
    /// Most events about calls in the connected blocks.
    pub(crate) events: usize,
}

#[derive(Debug, Default)]
pub(crate) struct ChainDelta {
    /// Transactions that are no longer in the chain, oldest first.
    pub(crate) disconnected: Vec<Transaction>,
    /// Transactions of the connected blocks. `None` if they were not read, because there are too many, or because a
    /// disconnected block is no longer stored or its snapshot is gone: then any transaction may be confirmed, and any
    /// holding may have changed.
    pub(crate) connected: Option<Vec<(TransactionId, BlockId)>>,
    /// The coins that transactions of the connected blocks took, and which transaction took each.
    pub(crate) spent: BTreeMap<CoinName, TransactionId>,
    /// The holdings that changed, including those that `disconnected` take from, and what each holds now.
    pub(crate) holdings: BTreeMap<Holding, Amount>,
    /// What calls in the connected blocks led to.
    pub(crate) events: Vec<MempoolEvent>,
}

impl ChainDelta {
    /// The difference between the block `from`, with its snapshot `old` if there still is one, and the tip of `new`.
    pub(crate) fn between(
        params: &Params,
        from: BlockId,
        old: Option<&ChainSnapshot>,
        new: &ChainSnapshot,
        limits: DeltaLimits,
    ) -> Result<Self, StoreError> {
        let (mut changed, mut spent, mut events) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        let most_events = if params.layer.has_programs() { limits.events } else { 0 };
        // The old snapshot certainly has its own blocks; the new one may have dropped them, and does not know which
        // accounts they moved.
        let reader = old.unwrap_or(new);
        let (disconnected, fork) = disconnected(params, reader, new, from, limits.transactions, &mut changed)?;
        let is_known_what_moved = old.is_some() || fork == Some(from.index) || !params.layer.has_programs();
        let path = fork.filter(|_| is_known_what_moved).map(|fork| (fork.next(), new.tip().index.above(fork)));
        let connected = match path {
            Some((first, count)) if count <= limits.blocks => {
                let mut noted = Noted { changed: &mut changed, spent: &mut spent, events: &mut events, most_events };
                Some(connected(params, new, first, count, &mut noted)?)
            }
            _ => None,
        };
        let mut holdings = BTreeMap::new();
        for holding in changed {
            holdings.insert(holding, amount_in(new, params, &holding)?);
        }
        Ok(Self { disconnected, connected, spent, holdings, events })
    }
}

/// The transactions of the blocks from `from` back to the best chain of `new` that are not in that chain, and the
/// height of the fork; `None` if a block in between is not stored.
fn disconnected(
    params: &Params,
    old: &ChainSnapshot,
    new: &ChainSnapshot,
    from: BlockId,
    limit: usize,
    changed: &mut BTreeSet<Holding>,
) -> Result<(Vec<Transaction>, Option<Height>), StoreError> {
    let (mut at, mut disconnected) = (from, Vec::new());
    while !new.chain().is_best(at)? {
        // Looks up by height, not by hash: the hash index is live and may have dropped a block that this snapshot has.
        if !old.chain().has(at)? {
            tracing::warn!(
                height = at.index.0,
                "a disconnected block is not stored: its transactions and those of the disconnected blocks below it \
                 are lost"
            );
            disconnected.reverse();
            return Ok((disconnected, None));
        }
        let block = old.chain().block(at)?;
        changed.extend(moved(old, at.index)?);
        let bundle = bundle(block.data())?;
        changed.extend(changed_holdings(params, at.index, &bundle));
        // From the newest block and transaction to the oldest.
        for transaction in bundle.transactions.into_iter().rev() {
            if disconnected.len() < limit && locate_transaction(new, &transaction.id())?.is_none() {
                disconnected.push(transaction);
            }
        }
        at = BlockId { index: at.index.minus(1), hash: block.header().prev_hash };
    }
    disconnected.reverse();
    Ok((disconnected, Some(at.index)))
}

/// What is collected from the connected blocks besides their transactions.
struct Noted<'a> {
    changed: &'a mut BTreeSet<Holding>,
    spent: &'a mut BTreeMap<CoinName, TransactionId>,
    events: &'a mut Vec<MempoolEvent>,
    most_events: usize,
}

fn connected(
    params: &Params,
    new: &ChainSnapshot,
    first: Height,
    count: u64,
    noted: &mut Noted<'_>,
) -> Result<Vec<(TransactionId, BlockId)>, StoreError> {
    let (mut next, mut left, mut connected) = (first, count, Vec::new());
    while left > 0 {
        let page = new.chain().blocks(next, left as usize, PAGE_BYTES)?;
        if page.is_empty() {
            break;
        }
        for block in &page {
            let (bundle, id) = (bundle(block.data())?, BlockId { index: block.index(), hash: block.hash() });
            noted.changed.extend(changed_holdings(params, id.index, &bundle));
            noted.changed.extend(moved(new, id.index)?);
            if noted.events.len() < noted.most_events {
                add_events(new, id, &bundle, noted.most_events, noted.events)?;
            }
            for transaction in &bundle.transactions {
                connected.push((transaction.id(), id));
                let inputs = transaction.as_spend().into_iter().flat_map(|spend| &spend.inputs);
                noted.spent.extend(inputs.map(|input| (input.coin, transaction.id())));
            }
        }
        left = left.saturating_sub(page.len() as u64);
        next = Height(next.0 + page.len() as u64);
    }
    Ok(connected)
}

/// The accounts whose balance programs of a block changed.
fn moved(snapshot: &ChainSnapshot, index: Height) -> Result<impl Iterator<Item = Holding>, StoreError> {
    Ok(moved_accounts(snapshot, index)?.into_iter().map(Holding::Account))
}

fn bundle(data: &str) -> Result<Bundle, StoreError> {
    let bundle = Bundle::from_data(data);
    bundle.map(|(bundle, _)| bundle).map_err(|error| StoreError::Damaged(format!("a stored block's data: {error}")))
}
