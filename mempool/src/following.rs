//! Keeps the pool on the chain's tip: waits for changes of the chain, and moves the pool to the new tip.

use crate::chain_delta::{ChainDelta, DeltaLimits};
use crate::pool_state::PoolState;
use runtime::clock::Clock;
use runtime::follower::Follower;
use shared::chain::ChainView;
use shared::pool::Pool;
use shared::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest time between two steps, which drop expired transactions and retry after a failure.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Most expired transactions that are dropped under one lock of the pool.
const EXPIRED_AT_ONCE: usize = 1000;
/// Most blocks between the pool and the tip that are read one by one.
const MAX_BLOCKS: u64 = 64;
/// Most events about calls that are published at once; a subscriber that wants all asks for the logs.
const MAX_EVENTS: usize = 1000;

/// Runs until the service stops.
pub(crate) async fn follow(pool_state: Arc<PoolState>, follower: Follower, clock: Clock, shutdown: CancellationToken) {
    let mut status = follower.watch();
    // The last failure that was logged: repeated, it is not logged again.
    let mut logged = None;
    loop {
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(MAX_PAUSE) => {}
            () = shutdown.cancelled() => return,
        }
        let (pool_state, view) = (pool_state.clone(), follower.view().clone());
        let now_ms = clock.time().as_ms();
        let step = tokio::task::spawn_blocking(move || {
            while pool_state.expire(now_ms, EXPIRED_AT_ONCE) {}
            catch_up(&pool_state, &view, now_ms)
        });
        match step.await {
            Ok(Ok(())) => logged = None,
            Ok(Err(error)) => {
                follower.report(&error);
                if logged.replace(error.clone()) != Some(error.clone()) {
                    tracing::error!(%error, "the pool cannot move to the new tip; trying again each second");
                }
            }
            Err(error) => tracing::error!(%error, "the task that moves the pool panicked; trying again"),
        }
    }
}

/// Moves the pool to the chain's tip. After an error the pool has no snapshot, so that no transaction is checked
/// against an old one.
pub(crate) fn catch_up(pool_state: &PoolState, view: &ChainView, now_ms: u64) -> Result<(), StoreError> {
    let step = || {
        let new = view.snapshot()?;
        let (from, old) = pool_state.tip();
        if old.is_some() && from == new.tip().id() {
            return Ok(());
        }
        let delta = ChainDelta::between(pool_state.params(), from, old.as_deref(), &new, delta_limits(pool_state))?;
        pool_state.move_to(new, delta, now_ms)
    };
    step().inspect_err(|_| pool_state.drop_snapshot())
}

/// While the pool has no transaction, not even an uncovered one, and no subscribers, as in a first sync, the blocks
/// need not be read.
fn delta_limits(pool_state: &PoolState) -> DeltaLimits {
    let is_empty = |pool: &Pool| pool.is_empty() && pool.uncovered().next().is_none();
    let (transactions, is_empty) = pool_state.pool(|pool| (pool.limits().max_count, is_empty(pool)));
    let has_subscribers = pool_state.has_subscribers();
    let blocks = if is_empty && !has_subscribers { 0 } else { MAX_BLOCKS };
    DeltaLimits { transactions, blocks, events: if has_subscribers { MAX_EVENTS } else { 0 } }
}
