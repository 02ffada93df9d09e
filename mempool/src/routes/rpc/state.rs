//! What accounts hold, now or up to a thousand blocks ago.

use super::Reader;
use super::failure::Failure;
use super::params::{Params, account, word};
use super::view::{large_quantity, quantity, unknown_block};
use crate::past_state::with_past_state;
use serde_json::{Value, json};
use shared::block::Header;
use shared::program::{Account, AccountId, HexBytes, read_account, read_code, read_slot};
use shared::state::StateRead;

impl Reader<'_> {
    /// Reads the state after the block that the parameter at `place` names, and the header of that block.
    pub(super) fn at<T>(
        &self,
        params: &Params,
        place: usize,
        read: impl FnOnce(&dyn StateRead, &Header) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let block = self.find(params.block(place)?)?.ok_or_else(unknown_block)?;
        let confirmations = self.snapshot.tip().index.next().above(block.index);
        with_past_state(self.pool_state, self.snapshot, confirmations, read)
    }

    fn account(&self, params: &Params) -> Result<Account, Failure> {
        let id = owner(params)?;
        self.at(params, 1, |state, _| Ok(read_account(state, &id)?.unwrap_or_default()))
    }

    pub(super) fn balance(&self, params: &Params) -> Result<Value, Failure> {
        Ok(large_quantity(&self.account(params)?.balance))
    }

    pub(super) fn nonce(&self, params: &Params) -> Result<Value, Failure> {
        Ok(quantity(self.account(params)?.nonce))
    }

    pub(super) fn code(&self, params: &Params) -> Result<Value, Failure> {
        let id = owner(params)?;
        self.at(params, 1, |state, _| {
            let hash = read_account(state, &id)?.and_then(|account| account.code_hash);
            let code = hash.map(|hash| read_code(state, &hash)).transpose()?;
            Ok(json!(HexBytes(code.map(|code| code.to_vec()).unwrap_or_default())))
        })
    }

    pub(super) fn slot(&self, params: &Params) -> Result<Value, Failure> {
        let id = owner(params)?;
        let slot = word("slot", params.need(1, "slot")?)?;
        self.at(params, 2, |state, _| Ok(json!(read_slot(state, &id, &slot)?)))
    }
}

fn owner(params: &Params) -> Result<AccountId, Failure> {
    Ok(account("address", params.need(0, "address")?)?)
}
