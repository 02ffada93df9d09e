//! The thread that writes the pool to disk. All changes that arrive during a commit go into the next one, so that many
//! pushes share one commit.

use crate::pool_state::PoolState;
use crate::store::PoolStore;
use metrics::{counter, gauge, histogram};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause after a failed commit, since a full disk stays full for a while.
const RETRY: Duration = Duration::from_millis(500);
/// After a batch of at least this many rows, the next one gathers for a moment: each commit costs processor time that
/// checks of signatures need. Callers that push one by one make small batches and do not wait.
const MANY_ROWS: usize = 16;
/// That moment, for each row of the last batch …
const GATHER_FOR_ROW: Duration = Duration::from_micros(50);
/// … and at most.
const MAX_GATHER: Duration = Duration::from_millis(5);

pub(crate) struct PoolWriter(JoinHandle<()>);

impl PoolWriter {
    /// Starts the thread. However it ends, it cancels `shutdown`: without it the mempool can accept nothing.
    pub(crate) fn start(
        pool_state: Arc<PoolState>,
        mut store: PoolStore,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let shutdown_guard = shutdown.drop_guard();
        let thread = std::thread::Builder::new().name("pool".to_owned()).spawn(move || {
            let _shutdown_guard = shutdown_guard;
            run(&pool_state, &mut store);
        })?;
        Ok(Self(thread))
    }

    /// Waits until all is written, after [`PoolState::stop`]. Returns `false` if the thread panicked.
    pub(crate) async fn join(self) -> bool {
        let joined = tokio::task::spawn_blocking(move || self.0.join()).await;
        matches!(joined, Ok(Ok(())))
    }
}

fn run(pool_state: &PoolState, store: &mut PoolStore) {
    while let Some(batch) = pool_state.next_batch() {
        let result = store.commit(&batch);
        let rows = batch.rows.len();
        // The pool can then take it back without a copy, should it have failed.
        drop(batch);
        pool_state.finish_batch(&result);
        let (count, bytes) = pool_state.pool(|pool| (pool.len(), pool.bytes()));
        gauge!("chainlab_pool_transactions").set(count as f64);
        gauge!("chainlab_pool_bytes").set(bytes as f64);
        match result {
            Ok(()) => {
                counter!("chainlab_pool_commits_total").increment(1);
                histogram!("chainlab_pool_commit_rows").record(rows as f64);
                if rows >= MANY_ROWS {
                    let gather = GATHER_FOR_ROW.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX));
                    std::thread::sleep(gather.min(MAX_GATHER));
                }
            }
            Err(error) => {
                // The store has logged it, once.
                tracing::debug!(%error, "the pool cannot be written");
                if pool_state.is_stopping() {
                    return;
                }
                std::thread::sleep(RETRY);
            }
        }
    }
}
