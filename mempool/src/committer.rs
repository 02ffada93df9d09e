//! The thread that writes the pool to disk: whatever came together while it wrote goes into one commit, so that many
//! pushes share the price of one.

use crate::desk::Desk;
use crate::store::PoolStore;
use metrics::{counter, gauge, histogram};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long after a failed commit the next one is tried: a full disk does not get free at once.
const RETRY: Duration = Duration::from_millis(500);

/// The running thread.
pub(crate) struct Committer(JoinHandle<()>);

impl Committer {
    /// However it ends, `shutdown` is cancelled then: without it nothing can be taken any more.
    pub(crate) fn start(desk: Arc<Desk>, store: PoolStore, shutdown: CancellationToken) -> io::Result<Self> {
        let ends = shutdown.drop_guard();
        let thread = std::thread::Builder::new().name("pool".to_owned()).spawn(move || {
            let _ends = ends;
            run(&desk, &store);
        })?;
        Ok(Self(thread))
    }

    /// Waits until all is written; the desk must have been told to end. False if the thread panicked.
    pub(crate) async fn join(self) -> bool {
        let joined = tokio::task::spawn_blocking(move || self.0.join()).await;
        matches!(joined, Ok(Ok(())))
    }
}

fn run(desk: &Desk, store: &PoolStore) {
    while let Some(batch) = desk.next_batch() {
        let rows = batch.rows.len();
        let result = store.commit(&batch);
        desk.written(batch, &result);
        let (count, bytes) = desk.pool(|pool| (pool.len(), pool.bytes()));
        gauge!("chainlab_pool_transactions").set(count as f64);
        gauge!("chainlab_pool_bytes").set(bytes as f64);
        match result {
            Ok(()) => {
                counter!("chainlab_pool_commits_total").increment(1);
                histogram!("chainlab_pool_commit_rows").record(rows as f64);
            }
            Err(error) => {
                // The store has logged it, once.
                tracing::debug!(%error, "the pool cannot be written");
                if desk.is_ending() {
                    return;
                }
                std::thread::sleep(RETRY);
            }
        }
    }
}
