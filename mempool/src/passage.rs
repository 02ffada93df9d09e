//! The way from the block that the pool stands on to the chain's tip: which blocks were undone, which came instead.
//!
//! A long way is not walked block by block: the chain knows of each pending transaction whether it has it, so that a first
//! sync costs as much as the pool is large, however long the chain is. Only reads; the desk does what follows from it.

use shared::block::{BlockId, Height};
use shared::chain::{ChainReader, ChainSnapshot};
use shared::layer::transaction::{account_balance, locate_transaction};
use shared::ledger::{Address, Amount, Bundle, Transaction, TransactionId};
use shared::params::Params;
use shared::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};

/// Blocks are read in pages of so many bytes.
const PAGE_BYTES: usize = 8 << 20;

/// How far a way is walked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Most undone transactions that are told.
    pub(crate) undone: usize,
    /// Most blocks that are applied one by one.
    pub(crate) blocks: u64,
}

/// What lies between two states.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    /// Transactions that are no longer in the chain, oldest first.
    pub(crate) undone: Vec<Transaction>,
    /// Transactions that came into the chain; `None` where the way is too long to be walked: then any pending one may
    /// have, and any balance may have changed. So too where a block that was undone is not stored any more.
    pub(crate) applied: Option<Vec<(TransactionId, BlockId)>>,
    /// What the addresses hold now whose balances changed, the senders of `undone` among them.
    pub(crate) balances: BTreeMap<Address, Amount>,
}

impl Passage {
    /// The way from `from`, of which `old` is the state where that is still at hand, to `new`.
    pub(crate) fn between(
        params: &Params,
        from: BlockId,
        old: Option<&ChainSnapshot>,
        new: &ChainSnapshot,
        reach: Reach,
    ) -> Result<Self, StoreError> {
        let mut touched = BTreeSet::new();
        // The old state has its own blocks for sure; the new one may have let go of them.
        let before = old.unwrap_or(new).chain();
        let (undone, fork) = undone(before, new, from, reach.undone, &mut touched)?;
        let way = fork.map(|fork| (fork.next(), new.tip().index.above(fork)));
        let applied = match way {
            Some((first, blocks)) if blocks <= reach.blocks => Some(applied(new, first, blocks, &mut touched)?),
            _ => None,
        };
        let mut balances = BTreeMap::new();
        for address in touched {
            balances.insert(address, account_balance(new, params, &address)?);
        }
        Ok(Self { undone, applied, balances })
    }
}

/// The transactions of the blocks from `from` back to the best chain of `new` that are not in that chain, and the height
/// at which they meet; none if a block between is not stored.
fn undone(
    before: &ChainReader,
    new: &ChainSnapshot,
    from: BlockId,
    most: usize,
    touched: &mut BTreeSet<Address>,
) -> Result<(Vec<Transaction>, Option<Height>), StoreError> {
    let (mut at, mut undone) = (from, Vec::new());
    while !new.chain().is_best(at)? {
        // Asked by place: what tells places by name is of now, and may have forgotten a block that this moment has.
        if !before.has(at)? {
            tracing::warn!(
                height = at.index.0,
                "a block that was undone is not stored: what it and those below it had is lost"
            );
            undone.reverse();
            return Ok((undone, None));
        }
        let block = before.block(at)?;
        let bundle = bundle(block.data())?;
        touch(&bundle, touched);
        // A whole branch is read newest first.
        for transaction in bundle.transactions.into_iter().rev() {
            if undone.len() < most && locate_transaction(new, &transaction.id)?.is_none() {
                undone.push(transaction);
            }
        }
        at = BlockId { index: at.index.minus(1), hash: block.header().prev_hash };
    }
    undone.reverse();
    Ok((undone, Some(at.index)))
}

fn applied(
    new: &ChainSnapshot,
    from: Height,
    blocks: u64,
    touched: &mut BTreeSet<Address>,
) -> Result<Vec<(TransactionId, BlockId)>, StoreError> {
    let (mut next, mut left, mut applied) = (from, blocks, Vec::new());
    while left > 0 {
        let page = new.chain().blocks(next, left as usize, PAGE_BYTES)?;
        if page.is_empty() {
            break;
        }
        for block in &page {
            let (bundle, id) = (bundle(block.data())?, BlockId { index: block.index(), hash: block.hash() });
            touch(&bundle, touched);
            applied.extend(bundle.transactions.iter().map(|transaction| (transaction.id, id)));
        }
        left = left.saturating_sub(page.len() as u64);
        next = Height(next.0 + page.len() as u64);
    }
    Ok(applied)
}

/// Notes whose balances a bundle changes.
fn touch(bundle: &Bundle, touched: &mut BTreeSet<Address>) {
    touched.insert(bundle.miner_address);
    touched.extend(bundle.transactions.iter().flat_map(|transaction| [transaction.from, transaction.to]));
}

fn bundle(data: &str) -> Result<Bundle, StoreError> {
    let read = Bundle::from_data(data);
    read.map(|(bundle, _)| bundle).map_err(|error| StoreError::Damaged(format!("a stored block's data: {error}")))
}
