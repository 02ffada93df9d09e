//! How long orders to nodes may take.

use runtime::client::Error;
use std::time::Duration;
use tokio::time::timeout;

/// How long nodes that may talk again have for looking at each other's chains.
pub(crate) const SYNC_TIME: Duration = Duration::from_secs(10);

/// Waits for an answer, but for at most `time`; then it fails with [`Error::Slow`].
pub(crate) async fn within<T>(time: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(time, answer).await.unwrap_or(Err(Error::Slow))
}
