//! Keeps the pool on the chain's tip: waits for changes of the chain, and moves the pool to the new tip.

use crate::desk::Desk;
use crate::passage::{Passage, Reach};
use runtime::clock::Clock;
use runtime::follower::Follower;
use shared::chain::ChainView;
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

/// Runs until the service stops.
pub(crate) async fn follow(desk: Arc<Desk>, follower: Follower, clock: Clock, shutdown: CancellationToken) {
    let mut status = follower.watch();
    // The last failure: the same one is logged once.
    let mut said = None;
    loop {
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(MAX_PAUSE) => {}
            () = shutdown.cancelled() => return,
        }
        let (desk, view) = (desk.clone(), follower.view().clone());
        let now_ms = clock.time().as_ms();
        let step = tokio::task::spawn_blocking(move || {
            while desk.expire(now_ms, EXPIRED_AT_ONCE) {}
            catch_up(&desk, &view, now_ms)
        });
        match step.await {
            Ok(Ok(())) => said = None,
            Ok(Err(error)) => {
                follower.report(&error);
                if said.replace(error.clone()) != Some(error.clone()) {
                    tracing::error!(%error, "the pool cannot move to the new tip; trying again each second");
                }
            }
            Err(error) => tracing::error!(%error, "the task that moves the pool panicked; trying again"),
        }
    }
}

/// Moves the pool to the chain's tip. After an error the pool has no state, so that nothing is checked against an old
/// one.
pub(crate) fn catch_up(desk: &Desk, view: &ChainView, now_ms: u64) -> Result<(), StoreError> {
    let step = || {
        let new = view.snapshot()?;
        let (from, old) = desk.stands_on();
        if old.is_some() && from == new.tip().id() {
            return Ok(());
        }
        let passage = Passage::between(desk.params(), from, old.as_deref(), &new, reach(desk))?;
        desk.move_to(new, passage, now_ms)
    };
    step().inspect_err(|_| desk.let_go())
}

/// While the pool is empty and has no subscribers, as in a first sync, the content of the blocks does not matter.
fn reach(desk: &Desk) -> Reach {
    let (undone, is_empty) = desk.pool(|pool| (pool.limits().max_count, pool.is_empty()));
    let blocks = if is_empty && !desk.has_listeners() { 0 } else { MAX_BLOCKS };
    Reach { undone, blocks }
}
