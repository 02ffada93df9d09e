//! What the pool must know of a chain snapshot: what holdings hold, what is confirmed, and who spent a coin.

use shared::block::BlockId;
use shared::chain::ChainSnapshot;
use shared::layer::amount_in;
use shared::layer::transaction::locate_transaction;
use shared::layer::utxo;
use shared::ledger::{Amount, CoinName, Holding, Transaction, TransactionId};
use shared::params::Params;
use shared::pool::Pending;
use shared::store::StoreError;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What the holdings hold that a transaction takes from, or `None` if the transaction is confirmed.
pub(crate) fn unconfirmed_holdings(
    snapshot: &ChainSnapshot,
    params: &Params,
    pending: &Pending,
) -> Result<Option<BTreeMap<Holding, Amount>>, StoreError> {
    if locate_transaction(snapshot, &pending.id())?.is_some() {
        return Ok(None);
    }
    let mut holdings = BTreeMap::new();
    add_holdings(snapshot, params, pending.takes().iter().map(|part| part.holding), &mut holdings)?;
    Ok(Some(holdings))
}

/// Adds what holdings hold, unless it is known.
pub(crate) fn add_holdings(
    snapshot: &ChainSnapshot,
    params: &Params,
    of: impl IntoIterator<Item = Holding>,
    holdings: &mut BTreeMap<Holding, Amount>,
) -> Result<(), StoreError> {
    for holding in of {
        if let Entry::Vacant(unknown) = holdings.entry(holding) {
            unknown.insert(amount_in(snapshot, params, &holding)?);
        }
    }
    Ok(())
}

/// The block of a transaction that is confirmed.
pub(crate) fn block_of(snapshot: &ChainSnapshot, id: &TransactionId) -> Result<Option<BlockId>, StoreError> {
    match locate_transaction(snapshot, id)? {
        Some(place) => snapshot.chain().best_at(place.index),
        None => Ok(None),
    }
}

/// The coins of a transaction that is not confirmed which others have spent on the chain, and by which each.
pub(crate) fn spent_coins(
    snapshot: &ChainSnapshot,
    transaction: &Transaction,
) -> Result<Vec<(CoinName, TransactionId)>, StoreError> {
    let mut spent = Vec::new();
    for input in transaction.as_spend().into_iter().flat_map(|spend| &spend.inputs) {
        if let Some((_, by)) = utxo::spent(snapshot, &input.coin)? {
            spent.push((input.coin, by));
        }
    }
    Ok(spent)
}
