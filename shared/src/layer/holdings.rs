//! What holdings hold, and which holdings a block changes: what pools and templates need to know of any ledger.

use super::EffectError;
use super::transaction::{account_balance, has_room_for};
use super::utxo::{self, CoinRules};
use crate::block::Height;
use crate::ledger::{Amount, Bundle, Holding, Transaction};
use crate::params::Params;
use crate::state::StateRead;
use crate::store::StoreError;
use std::collections::BTreeSet;

/// What a holding holds after the last block: a balance; a coin's amount, 0 if it is not unspent.
///
/// # Errors
/// Only failures of the store.
pub fn amount_in(state: &dyn StateRead, params: &Params, holding: &Holding) -> Result<Amount, StoreError> {
    match holding {
        Holding::Account(address) => account_balance(state, params, address),
        Holding::Coin(name) => Ok(utxo::unspent(state, name)?.map_or(Amount::ZERO, |coin| coin.amount)),
    }
}

/// Checks the rules of a transaction that need the state and that a pool does not check itself: whether the block at
/// `next`, on top of this state, could take it if its holdings cover it.
///
/// # Errors
/// The rule that it breaks, or our own failure.
pub fn check_on_state(
    state: &dyn StateRead,
    params: &Params,
    next: Height,
    transaction: &Transaction,
) -> Result<(), EffectError> {
    match transaction {
        Transaction::Payment(payment) => has_room_for(state, params, payment),
        Transaction::Spend(_) => utxo::check_inputs(transaction, next, params, state),
    }
}

/// The holdings that the block at `index` changes: those that its transactions take from and give to, and that of its
/// miner.
pub fn changed_holdings(params: &Params, index: Height, bundle: &Bundle) -> BTreeSet<Holding> {
    let parts = bundle.transactions.iter().flat_map(|one| one.takes().into_iter().chain(one.gives()));
    let miners = if params.layer.has_coins() {
        utxo::miners_coin(&CoinRules::of(params), index, bundle).map(|(name, _)| Holding::Coin(name))
    } else {
        Some(Holding::Account(bundle.miner_address))
    };
    parts.map(|part| part.holding).chain(miners).collect()
}
