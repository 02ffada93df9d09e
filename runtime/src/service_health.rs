//! What keeps a service that follows the chain from its work: its disk, its clock, its peers (docs/protocol.md §8).
//!
//! One task looks once a second, logs what changed, and tries a disk again that failed. Handlers and miners ask
//! [`ServiceHealth`], which computes nothing that takes time.

use crate::clock::Clock;
use crate::follower::{Follower, Status};
use crate::store::RedbStore;
use metrics::gauge;
use shared::block::Timestamp;
use shared::wire::{Health, PeerInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Looks between two tries of a disk that failed.
const LOOKS_PER_TRY: u64 = 5;
/// Looks after which a better chain that is not here yet counts as `behind`: a new block takes a moment to arrive.
const LOOKS_UNTIL_BEHIND: u64 = 5;
/// Longest time until a client is told to try again, in seconds.
const MAX_RETRY_SECONDS: u64 = 3600;

/// Why no block can be mined at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The tip is further ahead of the clock than the network allows its next block to be.
    #[error(
        "the chain is ahead of this machine's clock: its last block is of {tip}, and it is {now}; mining goes on by \
         itself at {until}; if the clock is wrong, set it right"
    )]
    Clock {
        /// The timestamp of the last block.
        tip: Timestamp,
        /// The time of the clock.
        now: Timestamp,
        /// When the next block can be valid.
        until: Timestamp,
    },
    /// The node could not store the block.
    #[error("this node cannot store blocks at the moment; its log says why; mining goes on by itself when it can")]
    Disk,
}

impl Obstacle {
    /// After how many seconds another try may succeed.
    pub fn retry_after_s(&self) -> u64 {
        match self {
            Self::Clock { now, until, .. } => {
                until.as_ms().saturating_sub(now.as_ms()).div_ceil(1000).clamp(1, MAX_RETRY_SECONDS)
            }
            Self::Disk => LOOKS_PER_TRY,
        }
    }
}

/// A handle to what is known of a service's health; cheap to clone.
#[derive(Clone)]
pub struct ServiceHealth(Arc<Inner>);

struct Inner {
    follower: Follower,
    clock: Clock,
    stores: Mutex<Vec<Arc<RedbStore>>>,
    /// Looks in a row at which a better chain was known.
    looks_behind: AtomicU64,
}

impl ServiceHealth {
    /// Starts to look, until `shutdown` is cancelled. Must be called on a tokio runtime.
    pub(crate) fn start(follower: Follower, clock: Clock, chain: Arc<RedbStore>, shutdown: CancellationToken) -> Self {
        let inner = Inner { follower, clock, stores: Mutex::new(vec![chain]), looks_behind: AtomicU64::new(0) };
        let health = Self(Arc::new(inner));
        tokio::spawn(health.clone().watch(shutdown));
        health
    }

    /// Looks after another store too.
    pub fn add_store(&self, store: Arc<RedbStore>) {
        self.0.stores.lock().unwrap_or_else(PoisonError::into_inner).push(store);
    }

    /// The field `health` of `/info`.
    pub fn words(&self) -> Vec<Health> {
        let status = self.0.follower.status();
        let words = [
            (Health::Alone, status.connected == 0),
            (Health::Behind, self.0.looks_behind.load(Ordering::Relaxed) >= LOOKS_UNTIL_BEHIND),
            (Health::CannotStore, self.cannot_store()),
            (Health::WaitsForClock, self.waits_for_clock(&status).is_some()),
        ];
        words.into_iter().filter_map(|(word, holds)| holds.then_some(word)).collect()
    }

    /// What keeps blocks from being mined on the tip of `status`.
    pub fn obstacle(&self, status: &Status) -> Option<Obstacle> {
        if self.cannot_store() { Some(Obstacle::Disk) } else { self.waits_for_clock(status) }
    }

    fn waits_for_clock(&self, status: &Status) -> Option<Obstacle> {
        let max_future_ms = self.0.follower.rules().params().max_future_ms;
        let (tip, now) = (status.tip.timestamp, self.0.clock.time());
        let earliest = tip.plus_ms(1);
        (earliest > now.plus_ms(max_future_ms)).then(|| {
            let until = Timestamp::from_ms(earliest.as_ms().saturating_sub(max_future_ms));
            Obstacle::Clock { tip, now, until }
        })
    }

    fn cannot_store(&self) -> bool {
        self.stores().iter().any(|store| store.fault().is_some())
    }

    fn stores(&self) -> Vec<Arc<RedbStore>> {
        self.0.stores.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn watch(self, shutdown: CancellationToken) {
        let mut period = tokio::time::interval(PERIOD);
        period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut waited = false;
        for look in 0_u64.. {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = period.tick() => {}
            }
            let status = self.0.follower.status();
            gauge!("chainlab_tip_age_seconds").set(self.age_ms(status.tip.timestamp) as f64 / 1000.0);
            let looks = if is_behind(&status) { self.0.looks_behind.load(Ordering::Relaxed) + 1 } else { 0 };
            self.0.looks_behind.store(looks, Ordering::Relaxed);
            waited = self.log_clock(&status, waited);
            self.look_after_stores(look.is_multiple_of(LOOKS_PER_TRY)).await;
        }
    }

    /// The age of a block with this timestamp, 0 if it is of the future.
    pub fn age_ms(&self, timestamp: Timestamp) -> u64 {
        self.0.clock.time().as_ms().saturating_sub(timestamp.as_ms())
    }

    fn log_clock(&self, status: &Status, waited: bool) -> bool {
        let obstacle = self.waits_for_clock(status);
        match &obstacle {
            Some(obstacle) if !waited => tracing::warn!("{obstacle}"),
            None if waited => tracing::info!("the clock has reached the chain; blocks can be mined again"),
            _ => {}
        }
        obstacle.is_some()
    }

    /// Notices files that are gone, and has a commit tried on a disk that failed.
    async fn look_after_stores(&self, is_try: bool) {
        let stores = self.stores();
        let looked = tokio::task::spawn_blocking(move || {
            stores.iter().for_each(|store| store.check_place());
            is_try && stores.iter().any(|store| store.fault().is_some() && store.has_room())
        });
        if looked.await.unwrap_or(false) {
            self.0.follower.flush();
        }
    }
}

/// Whether a better chain is known that is not here: one whose headers are, or one that half of the peers claim.
fn is_behind(status: &Status) -> bool {
    let tips = || status.peers.iter().filter(|peer: &&PeerInfo| peer.error.is_none()).filter_map(|peer| peer.tip);
    let better = tips().filter(|tip| tip.work > status.tip.work).count();
    status.is_syncing || (better > 0 && 2 * better >= tips().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_when_to_try_again_within_bounds() {
        let at = Timestamp::from_ms;
        let wait = |until| Obstacle::Clock { tip: at(9_000_000), now: at(5_000), until: at(until) }.retry_after_s();
        assert_eq!([wait(5_001), wait(7_500), wait(4_000), wait(u64::MAX)], [1, 3, 1, MAX_RETRY_SECONDS]);
    }
}
