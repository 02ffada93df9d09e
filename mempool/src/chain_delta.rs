//! The difference between the block that the pool stands on and the chain's tip: the blocks that were disconnected and
//! connected in between.
//!
//! If too many blocks lie between, they are not read: the pool then looks up each of its own transactions in the chain,
//! so that a first sync costs as much as the pool is large, however long the chain is.

use shared::block::{BlockId, Height};
use shared::chain::{ChainReader, ChainSnapshot};
use shared::layer::transaction::{account_balance, locate_transaction};
use shared::ledger::{Address, Amount, Bundle, Transaction, TransactionId};
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
}

#[derive(Debug, Default)]
pub(crate) struct ChainDelta {
    /// Transactions that are no longer in the chain, oldest first.
    pub(crate) disconnected: Vec<Transaction>,
    /// Transactions of the connected blocks. `None` if they were not read, because there are too many or because a
    /// disconnected block is no longer stored: then any transaction may be confirmed, and any balance may have changed.
    pub(crate) connected: Option<Vec<(TransactionId, BlockId)>>,
    /// The new balances of all addresses whose balance changed, including the senders of `disconnected`.
    pub(crate) balances: BTreeMap<Address, Amount>,
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
        let mut changed = BTreeSet::new();
        // The old snapshot certainly has its own blocks; the new one may have dropped them.
        let old = old.unwrap_or(new).chain();
        let (disconnected, fork) = disconnected(old, new, from, limits.transactions, &mut changed)?;
        let path = fork.map(|fork| (fork.next(), new.tip().index.above(fork)));
        let connected = match path {
            Some((first, count)) if count <= limits.blocks => Some(connected(new, first, count, &mut changed)?),
            _ => None,
        };
        let mut balances = BTreeMap::new();
        for address in changed {
            balances.insert(address, account_balance(new, params, &address)?);
        }
        Ok(Self { disconnected, connected, balances })
    }
}

/// The transactions of the blocks from `from` back to the best chain of `new` that are not in that chain, and the
/// height of the fork; `None` if a block in between is not stored.
fn disconnected(
    old: &ChainReader,
    new: &ChainSnapshot,
    from: BlockId,
    limit: usize,
    changed: &mut BTreeSet<Address>,
) -> Result<(Vec<Transaction>, Option<Height>), StoreError> {
    let (mut at, mut disconnected) = (from, Vec::new());
    while !new.chain().is_best(at)? {
        // Looks up by height, not by hash: the hash index is live and may have dropped a block that this snapshot has.
        if !old.has(at)? {
            tracing::warn!(
                height = at.index.0,
                "a disconnected block is not stored: its transactions and those of the disconnected blocks below it \
                 are lost"
            );
            disconnected.reverse();
            return Ok((disconnected, None));
        }
        let block = old.block(at)?;
        let bundle = bundle(block.data())?;
        add_addresses(&bundle, changed);
        // From the newest block and transaction to the oldest.
        for transaction in bundle.transactions.into_iter().rev() {
            if disconnected.len() < limit && locate_transaction(new, &transaction.id)?.is_none() {
                disconnected.push(transaction);
            }
        }
        at = BlockId { index: at.index.minus(1), hash: block.header().prev_hash };
    }
    disconnected.reverse();
    Ok((disconnected, Some(at.index)))
}

fn connected(
    new: &ChainSnapshot,
    first: Height,
    count: u64,
    changed: &mut BTreeSet<Address>,
) -> Result<Vec<(TransactionId, BlockId)>, StoreError> {
    let (mut next, mut left, mut connected) = (first, count, Vec::new());
    while left > 0 {
        let page = new.chain().blocks(next, left as usize, PAGE_BYTES)?;
        if page.is_empty() {
            break;
        }
        for block in &page {
            let (bundle, id) = (bundle(block.data())?, BlockId { index: block.index(), hash: block.hash() });
            add_addresses(&bundle, changed);
            connected.extend(bundle.transactions.iter().map(|transaction| (transaction.id, id)));
        }
        left = left.saturating_sub(page.len() as u64);
        next = Height(next.0 + page.len() as u64);
    }
    Ok(connected)
}

/// Adds the addresses whose balance a bundle changes.
fn add_addresses(bundle: &Bundle, addresses: &mut BTreeSet<Address>) {
    addresses.insert(bundle.miner_address);
    addresses.extend(bundle.transactions.iter().flat_map(|transaction| [transaction.from, transaction.to]));
}

fn bundle(data: &str) -> Result<Bundle, StoreError> {
    let bundle = Bundle::from_data(data);
    bundle.map(|(bundle, _)| bundle).map_err(|error| StoreError::Damaged(format!("a stored block's data: {error}")))
}
