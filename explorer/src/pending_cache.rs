//! The pending transactions of a mempool. They are fetched again only if the mempool says that they have changed, and
//! concurrent readers cause one request.

use crate::upstream::{Upstream, UpstreamError};
use runtime::client::Unprocessed;
use shared::pool::Pending;
use shared::wire::PoolOrder;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Most transactions that are fetched in each order.
pub(crate) const MAX_PENDING: usize = 5000;
/// Younger lists are returned without a request.
const MAX_AGE: Duration = Duration::from_millis(250);

/// The pending transactions, by fee and by age.
#[derive(Debug, Clone)]
pub(crate) struct PendingLists {
    pub(crate) by_fee: Arc<Vec<Pending>>,
    pub(crate) by_age: Arc<Vec<Pending>>,
}

#[derive(Debug, Default)]
pub(crate) struct PendingCache(Mutex<Option<CachedLists>>);

#[derive(Debug)]
struct CachedLists {
    fetched: Instant,
    fee: PendingList,
    age: PendingList,
}

/// One order, as one mempool lists it.
#[derive(Debug, Clone, Default)]
struct PendingList {
    mempool: String,
    etag: Option<String>,
    pending: Arc<Vec<Pending>>,
}

impl PendingCache {
    /// The pending transactions.
    ///
    /// # Errors
    /// If no mempool answers.
    pub(crate) async fn now(&self, upstream: &Upstream) -> Result<PendingLists, UpstreamError> {
        // Locked during the request, so that concurrent readers cause one.
        let mut cached = self.0.lock().await;
        if let Some(cached) = cached.as_ref().filter(|cached| cached.fetched.elapsed() < MAX_AGE) {
            return Ok(cached.lists());
        }
        let (fee, age) = cached.as_ref().map(|cached| (cached.fee.clone(), cached.age.clone())).unwrap_or_default();
        let (fee, age) =
            tokio::try_join!(fee.refreshed(upstream, PoolOrder::Fee), age.refreshed(upstream, PoolOrder::Age))?;
        Ok(cached.insert(CachedLists { fetched: Instant::now(), fee, age }).lists())
    }
}

impl CachedLists {
    fn lists(&self) -> PendingLists {
        PendingLists { by_fee: self.fee.pending.clone(), by_age: self.age.pending.clone() }
    }
}

impl PendingList {
    async fn refreshed(self, upstream: &Upstream, order: PoolOrder) -> Result<Self, UpstreamError> {
        let known = self.clone();
        let request = upstream.mempool(async move |client, mempool| {
            let answer = client.unprocessed(mempool, order, MAX_PENDING, known.etag_for(mempool)).await?;
            Ok((mempool.to_owned(), answer))
        });
        let (mempool, answer) = request.await?;
        Ok(self.after(mempool, answer))
    }

    /// The ETag of this list, which means something only to the mempool that sent it.
    fn etag_for(&self, mempool: &str) -> Option<&str> {
        self.etag.as_deref().filter(|_| self.mempool == mempool)
    }

    fn after(self, mempool: String, answer: Unprocessed) -> Self {
        match answer {
            Unprocessed::NotModified => self,
            Unprocessed::Pending { etag, transactions } => {
                // The list is in the order of their ages; the mempool does not say when each arrived.
                let numbered = transactions.into_iter().take(MAX_PENDING).zip(0..);
                let pending = numbered.map(|(transaction, place)| Pending::new(Arc::new(transaction), place));
                Self { mempool, etag, pending: Arc::new(pending.collect()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples::payment;

    #[test]
    fn what_has_not_changed_is_kept_and_only_its_mempool_is_told_its_name() {
        let listed = |count: u8| Unprocessed::Pending {
            etag: Some(format!("\"{count}\"")),
            transactions: (0..count).map(|number| payment(number, "")).collect(),
        };
        let two = PendingList::default().after("m:1".to_owned(), listed(2));
        assert_eq!((two.etag_for("m:1"), two.etag_for("m:2")), (Some("\"2\""), None));
        let same = two.clone().after("m:1".to_owned(), Unprocessed::NotModified);
        assert!(Arc::ptr_eq(&same.pending, &two.pending) && same.pending.len() == 2);
        let other = two.after("m:2".to_owned(), listed(3));
        assert_eq!((other.pending.len(), other.etag_for("m:2"), other.etag_for("m:1")), (3, Some("\"3\""), None));
    }
}
