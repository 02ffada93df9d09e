//! One polled mempool: its two lists, by fee and by age, and when it may be polled again.
//!
//! A mempool that is slow, silent or wrong is polled less often, so that it costs the others nothing. This module talks
//! to one mempool only, and does not know which transactions are chosen.

use super::candidates::PendingLists;
use runtime::client::{Client, Error, Unprocessed};
use shared::keys::Verifier;
use shared::ledger::{Transaction, TransactionRules};
use shared::pool::{Pending, Room, Weights};
use shared::sync::PeerAddress;
use shared::wire::{MAX_UNPROCESSED, PoolOrder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Longest time for both lists to arrive.
const PULL_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause after the first failed or wrong answer; it doubles with each further one.
const RETRY: Duration = Duration::from_secs(1);
/// How often [`RETRY`] is doubled.
const MAX_DOUBLINGS: u32 = 4;
/// A mempool is paused for this many times the duration of its last poll, so that slow mempools leave places free.
const PAUSE: u32 = 8;
/// Wrong transactions after which the rest of a list is not checked.
const MAX_WRONG: usize = 4;
/// A block reserves this fraction, one in five, for the oldest transactions, so only as many are requested
/// (docs/protocol.md §11).
const SHARE_OF_OLDEST: usize = 5;

/// The checks of a listed transaction, so that no mempool can spoil the list of another.
#[derive(Clone)]
pub(super) struct TransactionCheck {
    pub(super) rules: TransactionRules,
    pub(super) weights: Weights,
    pub(super) verifier: Arc<dyn Verifier>,
    /// Lists are cut to what a block can take.
    pub(super) room: Room,
}

pub(super) struct PolledMempool {
    pub(super) address: PeerAddress,
    by_fee: TaggedList,
    by_age: TaggedList,
    outcome: PullOutcome,
    /// Failures since the last valid answer.
    strikes: u32,
    /// The mempool is paused until then; requests with the node's token ignore that.
    not_before: Instant,
    /// Duration of the last poll.
    pub(super) took: Duration,
    /// Start of the last finished poll.
    asked_at: Option<Instant>,
    /// Whether it is to be polled as soon as possible.
    pub(super) is_wanted: bool,
    /// Whether a poll is running.
    pub(super) is_asked: bool,
}

/// The outcome of the last poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PullOutcome {
    NotAsked,
    Valid,
    Invalid,
    Failed,
}

/// A list and its ETag.
#[derive(Clone, Default)]
struct TaggedList {
    etag: Option<String>,
    pending: Arc<[Pending]>,
}

/// The result of one poll.
pub(super) struct PullResult {
    pub(super) address: PeerAddress,
    began: Instant,
    took: Duration,
    result: Result<PulledLists, Error>,
}

/// The lists; `None` is unchanged.
struct PulledLists {
    by_fee: Option<TaggedList>,
    by_age: Option<TaggedList>,
    wrong: usize,
}

impl PolledMempool {
    pub(super) fn new(address: PeerAddress) -> Self {
        Self {
            address,
            by_fee: TaggedList::default(),
            by_age: TaggedList::default(),
            outcome: PullOutcome::NotAsked,
            strikes: 0,
            not_before: Instant::now(),
            took: Duration::ZERO,
            asked_at: None,
            is_wanted: false,
            is_asked: false,
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.not_before <= now && !self.is_asked
    }

    /// Whether its lists were requested before `since`.
    pub(super) fn is_older_than(&self, since: Instant) -> bool {
        self.asked_at.is_none_or(|asked_at| asked_at < since)
    }

    pub(super) fn lists(&self) -> PendingLists {
        PendingLists { by_fee: self.by_fee.pending.clone(), by_age: self.by_age.pending.clone() }
    }

    /// Starts to request both lists; the result is for [`PolledMempool::record`].
    pub(super) fn pull(
        &mut self,
        client: Client,
        check: TransactionCheck,
    ) -> impl Future<Output = PullResult> + Send + use<> {
        (self.is_wanted, self.is_asked) = (false, true);
        let address = self.address.clone();
        let (fee_etag, age_etag) = (self.by_fee.etag.clone(), self.by_age.etag.clone());
        let limit = check.room.count.min(MAX_UNPROCESSED);
        async move {
            let began = Instant::now();
            let both = async {
                tokio::try_join!(
                    client.unprocessed(address.as_str(), PoolOrder::Fee, limit, fee_etag.as_deref()),
                    client.unprocessed(address.as_str(), PoolOrder::Age, oldest_count(limit), age_etag.as_deref())
                )
            };
            let result = match timeout(PULL_TIMEOUT, both).await.unwrap_or(Err(Error::Slow)) {
                Ok((by_fee, by_age)) => Ok(pulled_lists(by_fee, by_age, limit, check).await),
                Err(error) => Err(error),
            };
            PullResult { address, began, took: began.elapsed(), result }
        }
    }

    /// Stores the result of a poll, and returns whether the lists have changed. A failed poll empties them.
    pub(super) fn record(&mut self, pulled: PullResult, now: Instant) -> bool {
        let PullResult { began, took, result, .. } = pulled;
        (self.is_asked, self.asked_at, self.took) = (false, Some(began), took);
        self.report(&result);
        self.strikes = if self.outcome == PullOutcome::Valid { 0 } else { self.strikes + 1 };
        let pause = self.strikes.checked_sub(1).map_or(Duration::ZERO, |again| RETRY * (1 << again.min(MAX_DOUBLINGS)));
        self.not_before = now + pause.max(took * PAUSE);
        let (by_fee, by_age) = match result {
            Ok(PulledLists { by_fee, by_age, .. }) => (by_fee, by_age),
            Err(_) => (Some(TaggedList::default()), Some(TaggedList::default())),
        };
        let by_fee = self.by_fee.replace(by_fee);
        let by_age = self.by_age.replace(by_age);
        by_fee || by_age
    }

    /// Stores the outcome, and logs changes, not every poll.
    fn report(&mut self, result: &Result<PulledLists, Error>) {
        let mempool = &self.address;
        let outcome = match result {
            Ok(pulled_lists) if pulled_lists.wrong > 0 => PullOutcome::Invalid,
            Ok(_) => PullOutcome::Valid,
            Err(_) => PullOutcome::Failed,
        };
        if std::mem::replace(&mut self.outcome, outcome) == outcome {
            return;
        }
        match result {
            Ok(pulled_lists) if pulled_lists.wrong > 0 => {
                tracing::warn!(%mempool, "this mempool lists invalid transactions; polling it less often");
            }
            Ok(_) => tracing::info!(%mempool, "taking transactions from this mempool"),
            Err(error) => {
                tracing::warn!(%mempool, %error, "this mempool does not answer; trying again");
            }
        }
    }
}

impl TaggedList {
    /// Returns whether the list has changed.
    fn replace(&mut self, new: Option<Self>) -> bool {
        let Some(new) = new else { return false };
        let is_changed = self.pending != new.pending;
        *self = new;
        is_changed
    }
}

/// How many of the oldest transactions a block can use.
fn oldest_count(limit: usize) -> usize {
    (limit / SHARE_OF_OLDEST).max(1)
}

/// Checks the transactions of two answers on a blocking thread.
async fn pulled_lists(by_fee: Unprocessed, by_age: Unprocessed, limit: usize, check: TransactionCheck) -> PulledLists {
    let looked = tokio::task::spawn_blocking(move || {
        let mut wrong = 0;
        let mut list = |answer, limit| {
            let Unprocessed::Pending { etag, transactions } = answer else { return None };
            let (pending, errors) = checked(transactions, limit, &check);
            wrong += errors;
            Some(TaggedList { etag, pending: pending.into() })
        };
        let (by_fee, by_age) = (list(by_fee, limit), list(by_age, oldest_count(limit)));
        PulledLists { by_fee, by_age, wrong }
    });
    looked.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the task that checks transactions panicked");
        PulledLists { by_fee: None, by_age: None, wrong: 0 }
    })
}

/// The transactions that pass all checks without the chain, and the number of those that fail; a list with too many
/// failures counts as empty.
///
/// Mempools list the order of arrival, not the time, so that is 0.
fn checked(mut transactions: Vec<Transaction>, limit: usize, check: &TransactionCheck) -> (Vec<Pending>, usize) {
    transactions.truncate(limit);
    let wrong = AtomicUsize::new(0);
    let is_right: Vec<_> = transactions.iter().map(|_| AtomicBool::new(false)).collect();
    // Never fails itself: after too many errors the rest of the list is skipped.
    let _ = check.verifier.check_each(transactions.len(), &|place| {
        if wrong.load(Ordering::Relaxed) < MAX_WRONG {
            let transaction = &transactions[place];
            match transaction.check(&check.rules, check.verifier.as_ref()) {
                Ok(()) => is_right[place].store(true, Ordering::Relaxed),
                Err(broken) => {
                    wrong.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(id = %transaction.id(), %broken, "a mempool lists an invalid transaction");
                }
            }
        }
        Ok(())
    });
    let wrong = wrong.into_inner();
    if wrong >= MAX_WRONG {
        return (Vec::new(), wrong);
    }
    let mut bytes_left = check.room.bytes;
    let right = transactions.into_iter().zip(is_right).filter(|(_, is_right)| is_right.load(Ordering::Relaxed));
    let pending =
        right.map(|(transaction, _)| Pending::weighed(Arc::new(transaction), 0, &check.weights)).filter(|pending| {
            let left = bytes_left.checked_sub(pending.bytes + 1);
            bytes_left = left.unwrap_or(bytes_left);
            left.is_some()
        });
    (pending.collect(), wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::keys::{KeyPair, PlainVerifier, Signed};
    use shared::ledger::{Address, Amount, TransactionViolation, Unsigned, Uuid};
    use shared::params::Params;

    /// Counts the checked signatures.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Verifier for Counting {
        fn verify(&self, signed: &Signed<'_>) -> Result<(), TransactionViolation> {
            self.0.fetch_add(1, Ordering::Relaxed);
            PlainVerifier.verify(signed)
        }

        fn is_point(&self, address: &Address) -> Result<(), TransactionViolation> {
            PlainVerifier.is_point(address)
        }
    }

    fn mempool() -> PolledMempool {
        PolledMempool::new(PeerAddress::new("127.0.0.1:1").unwrap())
    }

    fn check_with(verifier: Arc<dyn Verifier>) -> TransactionCheck {
        let room = Room { count: 1000, bytes: 2000 };
        let params = Params::default();
        TransactionCheck { rules: TransactionRules::of(&params), weights: Weights::of(&params), verifier, room }
    }

    /// Payments of "payer", signed by `signer`.
    fn payments(signer: &str, count: u8) -> Vec<Transaction> {
        let (payer, signer) = (KeyPair::from_seed("payer").address(), KeyPair::from_seed(signer));
        let one = |number| Unsigned {
            uuid: Uuid([number; 16]),
            from: payer,
            to: payer,
            amount: Amount::new(1).unwrap(),
            fee: Amount::ZERO,
            msg: String::new(),
        };
        (0..count).map(|number| signer.sign_transaction(one(number), Params::default().network_id())).collect()
    }

    fn pulled(took: Duration, result: Result<PulledLists, Error>) -> PullResult {
        PullResult { address: mempool().address, began: Instant::now(), took, result }
    }

    fn lists(transactions: Vec<Transaction>) -> PulledLists {
        let (pending, wrong) = checked(transactions, 1000, &check_with(Arc::new(PlainVerifier)));
        let list = TaggedList { etag: None, pending: pending.into() };
        PulledLists { by_fee: Some(list.clone()), by_age: Some(list), wrong }
    }

    #[test]
    fn after_a_few_wrong_transactions_the_rest_is_not_checked() {
        let verifier = Arc::new(Counting::default());
        let mixed = [payments("payer", 2), payments("thief", 100), payments("payer", 2)].concat();
        let (pending, wrong) = checked(mixed, 1000, &check_with(verifier.clone()));
        assert_eq!((pending.len(), wrong), (0, MAX_WRONG));
        assert_eq!(verifier.0.load(Ordering::Relaxed), 2 + MAX_WRONG);
    }

    #[test]
    fn one_wrong_transaction_leaves_the_rest_of_the_list() {
        let mixed = [payments("payer", 1), payments("thief", 1), payments("payer", 2)].concat();
        let (pending, wrong) = checked(mixed, 1000, &check_with(Arc::new(PlainVerifier)));
        assert_eq!((pending.len(), wrong), (3, 1));
    }

    #[test]
    fn no_list_is_longer_than_the_request_or_a_block() {
        let check = check_with(Arc::new(PlainVerifier));
        assert_eq!(checked(payments("payer", 20), 2, &check).0.len(), 2);
        let bytes: usize = checked(payments("payer", 20), 1000, &check).0.iter().map(|pending| pending.bytes + 1).sum();
        assert!((1000..=check.room.bytes).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_wrong_or_silent_mempool_is_polled_less_and_less_often_until_it_is_right() {
        type Failure = fn() -> Result<PulledLists, Error>;
        let silent: Failure = || Err(Error::Slow);
        let wrong: Failure = || Ok(lists(payments("thief", 1)));
        for failure in [silent, wrong] {
            let (mut mempool, now) = (mempool(), Instant::now());
            let mut pauses = Vec::new();
            for _ in 0..7 {
                mempool.record(pulled(Duration::ZERO, failure()), now);
                pauses.push((mempool.not_before - now).as_secs());
            }
            assert_eq!(pauses, [1, 2, 4, 8, 16, 16, 16]);
            mempool.record(pulled(Duration::ZERO, Ok(lists(payments("payer", 1)))), now);
            assert_eq!((mempool.not_before, mempool.lists().by_fee.len()), (now, 1));
        }
    }

    #[test]
    fn a_slow_mempool_is_paused_for_longer() {
        let (mut mempool, now) = (mempool(), Instant::now());
        let took = Duration::from_secs(2);
        mempool.record(pulled(took, Ok(lists(Vec::new()))), now);
        assert!(!mempool.is_due(now + took) && mempool.is_due(now + took * PAUSE));
    }

    #[test]
    fn the_lists_are_dropped_as_soon_as_the_mempool_does_not_answer() {
        let (mut mempool, now) = (mempool(), Instant::now());
        assert!(mempool.record(pulled(Duration::ZERO, Ok(lists(payments("payer", 2)))), now));
        let unchanged = PulledLists { by_fee: None, by_age: None, wrong: 0 };
        assert!(!mempool.record(pulled(Duration::ZERO, Ok(unchanged)), now));
        assert_eq!(mempool.lists().by_age.len(), 2);
        assert!(mempool.record(pulled(Duration::ZERO, Err(Error::Slow)), now));
        assert!(mempool.lists().is_empty());
    }
}
