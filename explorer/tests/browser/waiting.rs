//! Waiting with a bound, and a client to look with.

use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Far more than any step takes; a test that waits so long has failed.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Waits until `look` sees something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(began.elapsed() < SOON, "waited {SOON:?} in vain until {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// One client for all tests of a process would tie its connections to the runtime of the first.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(SOON).build().unwrap()
}
