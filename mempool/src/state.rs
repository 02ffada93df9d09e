//! The state that the mempool's handlers share: the pool, the checks of new transactions, and the mempool's identity.

use crate::admission::Admissions;
use crate::list_cache::ListCache;
use crate::machine::ProgramMachine;
use crate::pool_state::{NotReady, PoolState};
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
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) admissions: Arc<Admissions>,
    /// A random number in all ETags of this process, so that they differ from those of an earlier one.
    pub(crate) run: u64,
    follower: Follower,
    health: ServiceHealth,
    identity: Identity,
    pub(crate) machine: ProgramMachine,
    /// The last answers of `/unprocessed`.
    pub(crate) list_cache: ListCache,
    /// Limits concurrent reads of the disk, since one answer may read many blocks.
    reads: Semaphore,
}

impl MempoolState {
    pub(crate) fn new(
        pool_state: Arc<PoolState>,
        follower: Follower,
        health: ServiceHealth,
        admissions: Admissions,
        identity: Identity,
        run: u64,
        machine: ProgramMachine,
    ) -> Self {
        Self {
            machine,
            pool_state,
            admissions: Arc::new(admissions),
            run,
            follower,
            health,
            identity,
            list_cache: ListCache::new(),
            reads: Semaphore::new(MAX_READS),
        }
    }

    /// Reads the pool's chain snapshot, on a thread that may block on the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&PoolState, &ChainSnapshot) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.pool_state.snapshot().map_err(not_ready)?;
        self.spawn_blocking(move |pool_state| {
            read(pool_state, &state).map_err(|error| store_problem(pool_state, &error))
        })
        .await
    }

    /// Runs work that may block on the disk or take long.
    pub(crate) async fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PoolState) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        // The semaphore is never closed.
        let _turn = self.reads.acquire().await.map_err(|error| server::internal(error.to_string()))?;
        let pool_state = self.pool_state.clone();
        let done = tokio::task::spawn_blocking(move || work(&pool_state)).await;
        done.unwrap_or_else(|error| Err(server::internal(error.to_string())))
    }
}

impl Service for MempoolState {
    fn info(&self) -> Info {
        let (count, bytes) = self.pool_state.pool(|pool| (pool.len() as u64, pool.bytes() as u64));
        let status = self.follower.status();
        // The pool's tip, not the chain's, so that all other answers include at least the tip in `/info`.
        let tip = self.pool_state.snapshot().map_or_else(|_| status.tip.tip(), |state| state.tip().tip());
        Info {
            tip: Some(tip),
            peers: Some(status.connected as u64),
            pool: Some(PoolInfo { count, bytes }),
            health: Some(self.health.words()),
            ..self.identity.info()
        }
    }

    fn stands_on(&self) -> Option<StandsOn> {
        let (id, state) = self.pool_state.tip();
        let timestamp = state.map_or_else(|| self.follower.status().tip.timestamp, |state| state.tip().timestamp);
        Some(StandsOn { height: id.index, age_ms: self.health.age_ms(timestamp) })
    }
}

/// The refusal of a request that needed the store. A damaged block is fetched again; the log has all details, which a
/// stranger need not know.
pub(crate) fn store_problem(pool_state: &PoolState, error: &StoreError) -> Problem {
    pool_state.report(error);
    tracing::debug!(%error, "the chain cannot be read");
    server::unavailable("this mempool cannot read its chain at the moment; its log says why")
}

pub(crate) fn not_ready(error: NotReady) -> Problem {
    server::unavailable(error.to_string())
}
