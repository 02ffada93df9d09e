//! Keeps the pool on the chain's tip: waits for the chain to change, and moves the pool along.

use crate::desk::Desk;
use crate::passage::{Passage, Reach};
use runtime::clock::Clock;
use runtime::follower::Follower;
use shared::chain::ChainView;
use shared::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked without being told: for what is too old, and after a failure.
const LOOK: Duration = Duration::from_secs(1);
/// Transactions that are dropped for their age while others wait.
const EXPIRED_AT_ONCE: usize = 1000;

/// Most blocks that are looked at one by one.
const MAX_BLOCKS: u64 = 64;

/// Follows until the service stops.
pub(crate) async fn follow(desk: Arc<Desk>, follower: Follower, clock: Clock, shutdown: CancellationToken) {
    let mut status = follower.watch();
    loop {
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return,
        }
        let (desk, view) = (desk.clone(), follower.view().clone());
        let now_ms = clock.time().as_ms();
        let step = tokio::task::spawn_blocking(move || {
            while desk.expire(now_ms, EXPIRED_AT_ONCE) {}
            catch_up(&desk, &view, now_ms)
        });
        match step.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the pool cannot follow the chain; trying again"),
            Err(error) => tracing::error!(%error, "the pool could not follow the chain; trying again"),
        }
    }
}

/// Moves the pool to the chain's tip. After an error it stands on no state, and nothing is judged by an old one.
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

/// While nothing is pending and nobody listens, as in a first sync, what the blocks hold is of no interest.
fn reach(desk: &Desk) -> Reach {
    let (undone, is_empty) = desk.pool(|pool| (pool.limits().max_count, pool.is_empty()));
    let blocks = if is_empty && !desk.has_listeners() { 0 } else { MAX_BLOCKS };
    Reach { undone, blocks }
}
