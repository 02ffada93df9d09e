//! Waiting until a condition holds, with a bound.

use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Far longer than any step takes; a test that waits this long has failed.
pub const DEADLINE: Duration = Duration::from_secs(40);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `look` returns `Some`.
///
/// # Panics
/// After [`DEADLINE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    until_ok(what, DEADLINE, async || look().await.ok_or_else(|| "not yet".to_owned())).await
}

/// Waits until `look` returns `Ok`.
///
/// # Panics
/// After `within`, with the last error.
pub async fn until_ok<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(reason) if began.elapsed() > within => panic!("not within {within:?}: {what}; {reason}"),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
