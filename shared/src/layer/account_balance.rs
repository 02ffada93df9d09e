//! The balances of accounts on layer `program`, which the machine keeps as 256 bits and the layer as amounts.

use crate::ledger::Amount;
use crate::program::{AccountId, read_account};
use crate::state::StateRead;
use crate::store::StoreError;

/// The balance of an account; 0 if it has no row.
///
/// # Errors
/// Only our own failures; a balance above [`Amount::MAX`] is one of them, since the layer lets none arise.
pub(super) fn read_balance(state: &dyn StateRead, id: &AccountId) -> Result<Amount, StoreError> {
    let balance = read_account(state, id)?.unwrap_or_default().balance;
    let damaged = || StoreError::Damaged("the balance of an account cannot be read".to_owned());
    balance.to_u64().and_then(Amount::new).ok_or_else(damaged)
}
