//! The state after earlier blocks, for calls and for clients that ask what was.

use crate::pool_state::PoolState;
use crate::state::store_problem;
use runtime::server;
use shared::block::Header;
use shared::chain::ChainSnapshot;
use shared::state::StateRead;
use shared::store::StoreError;
use shared::wire::Problem;

/// How far below the tip a past state may lie: each block between is undone for it.
pub(crate) const MAX_DEPTH: u64 = 1000;

/// Reads the state after the newest block with this many confirmations, and the header of that block.
pub(crate) fn with_past_state<T, E: From<Problem>>(
    pool_state: &PoolState,
    snapshot: &ChainSnapshot,
    confirmations: u64,
    read: impl FnOnce(&dyn StateRead, &Header) -> Result<T, E>,
) -> Result<T, E> {
    let tip = snapshot.tip();
    if !(1..=MAX_DEPTH).contains(&confirmations) {
        let detail = format!("{confirmations} confirmations: calls run on blocks with 1 to {MAX_DEPTH} of them");
        return Err(server::unprocessable("depth", detail).into());
    }
    if confirmations == 1 {
        return read(snapshot, &tip.header);
    }
    if confirmations > tip.index.0 + 1 {
        let detail = format!("the chain has {} blocks, so none has {confirmations} confirmations", tip.index.0 + 1);
        return Err(server::unprocessable("depth", detail).into());
    }
    let index = tip.index.minus(confirmations - 1);
    let find = || {
        let block = snapshot.chain().best_at(index)?;
        let missing = || StoreError::Damaged(format!("the best chain has no block {index}"));
        Ok((snapshot.chain().entry(block.ok_or_else(missing)?)?, snapshot.state_at(index)?))
    };
    let (block, state) = find().map_err(|error| store_problem(pool_state, &error))?;
    read(&state, &block.header)
}
