//! What the mempool's handlers share: the pool, the checks of new transactions, and who the mempool is.

use crate::admission::Admissions;
use crate::desk::{Desk, NotReady};
use crate::list_cache::ListCache;
use runtime::follower::Follower;
use runtime::server::{self, Identity, Service, StandsOn};
use runtime::service_health::ServiceHealth;
use shared::chain::ChainSnapshot;
use shared::store::StoreError;
use shared::wire::{Info, PoolInfo, Problem};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most requests that read the disk at a time; others wait for their turn.
const MAX_READS: usize = 16;

pub(crate) struct MempoolState {
    pub(crate) desk: Arc<Desk>,
    pub(crate) admissions: Arc<Admissions>,
    /// A random number in all ETags of this process, so that they differ from those of an earlier one.
    pub(crate) run: u64,
    follower: Follower,
    health: ServiceHealth,
    identity: Identity,
    /// The last answers of `/unprocessed`.
    pub(crate) list_cache: ListCache,
    /// Limits reads of the disk: one answer may read many blocks.
    reads: Semaphore,
}

impl MempoolState {
    pub(crate) fn new(
        desk: Arc<Desk>,
        follower: Follower,
        health: ServiceHealth,
        admissions: Admissions,
        identity: Identity,
        run: u64,
    ) -> Self {
        Self {
            desk,
            admissions: Arc::new(admissions),
            run,
            follower,
            health,
            identity,
            list_cache: ListCache::new(),
            reads: Semaphore::new(MAX_READS),
        }
    }

    /// Reads the state under the pool, on a thread that may block on the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Desk, &ChainSnapshot) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.desk.state().map_err(not_ready)?;
        self.spawn_blocking(move |desk| read(desk, &state).map_err(|error| store_problem(desk, &error))).await
    }

    /// Runs work that may block on the disk or take long.
    pub(crate) async fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        // The semaphore is never closed.
        let _turn = self.reads.acquire().await.map_err(|error| server::internal(error.to_string()))?;
        let desk = self.desk.clone();
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.unwrap_or_else(|error| Err(server::internal(error.to_string())))
    }
}

impl Service for MempoolState {
    fn info(&self) -> Info {
        let (count, bytes) = self.desk.pool(|pool| (pool.len() as u64, pool.bytes() as u64));
        let status = self.follower.status();
        // The tip under the pool, not that of the chain, so that all answers already include the tip in `/info`.
        let tip = self.desk.state().map_or_else(|_| status.tip.tip(), |state| state.tip().tip());
        Info {
            tip: Some(tip),
            peers: Some(status.connected as u64),
            pool: Some(PoolInfo { count, bytes }),
            health: Some(self.health.words()),
            ..self.identity.info()
        }
    }

    fn stands_on(&self) -> Option<StandsOn> {
        let (id, state) = self.desk.stands_on();
        let timestamp = state.map_or_else(|| self.follower.status().tip.timestamp, |state| state.tip().timestamp);
        Some(StandsOn { height: id.index, age_ms: self.health.age_ms(timestamp) })
    }
}

/// The refusal of a request that needed the store. A damaged block is fetched again; the log has all details, which a
/// stranger needs not know.
pub(crate) fn store_problem(desk: &Desk, error: &StoreError) -> Problem {
    desk.report(error);
    tracing::debug!(%error, "the chain cannot be read");
    server::unavailable("this mempool cannot read its chain at the moment; its log says why")
}

pub(crate) fn not_ready(error: NotReady) -> Problem {
    server::unavailable(error.to_string())
}
