//! One mempool: its two lists, by fee and by age, as they were when it was asked last, and when it may be asked again.
//!
//! Whoever is slow, silent or wrong is asked less often, so that it costs the others nothing. It never talks to more
//! than one mempool, and does not know what is chosen.

use super::candidates::Lists;
use runtime::client::{Client, Error, Unprocessed};
use shared::keys::Verifier;
use shared::ledger::{Transaction, TransactionRules};
use shared::pool::{Pending, Room};
use shared::sync::PeerAddress;
use shared::wire::{MAX_UNPROCESSED, PoolOrder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long both lists may take to arrive.
const PULL_WITHIN: Duration = Duration::from_secs(3);
/// How soon a mempool is asked again that did not answer or listed something wrong, the first time; then twice as long.
const RETRY: Duration = Duration::from_secs(1);
/// How often that is doubled.
const MOST_DOUBLINGS: u32 = 4;
/// A mempool is left alone for so many times as long as the last pull took: all of them together then leave places free.
const PAUSE: u32 = 8;
/// So many wrong transactions make a list worthless; the rest of it is not looked at.
const MOST_WRONG: usize = 4;
/// The oldest have one part of this many, so so many of them are asked for (docs/protocol.md §11).
const SHARE_OF_OLDEST: usize = 5;

/// What is looked at before a transaction is believed: then no mempool can spoil what another one lists.
#[derive(Clone)]
pub(super) struct Check {
    pub(super) rules: TransactionRules,
    pub(super) verifier: Arc<dyn Verifier>,
    /// No list is longer than a block.
    pub(super) room: Room,
}

/// A mempool and what it lists.
pub(super) struct Mempool {
    pub(super) address: PeerAddress,
    by_fee: Listing,
    by_age: Listing,
    standing: Standing,
    /// Failures since the last right answer.
    strikes: u32,
    /// Not to be asked before, unless whoever steers the node wants to know.
    not_before: Instant,
    /// How long the last pull took.
    pub(super) took: Duration,
    /// When the last pull that has ended began.
    asked_at: Option<Instant>,
    /// Whether it is to be asked as soon as there is a place.
    pub(super) is_wanted: bool,
    /// Whether it is being asked.
    pub(super) is_asked: bool,
}

/// What a mempool did last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Answers,
    Errs,
    Silent,
}

/// A list, and the name that the mempool gave it.
#[derive(Clone, Default)]
struct Listing {
    etag: Option<String>,
    pending: Arc<[Pending]>,
}

/// What came of asking a mempool.
pub(super) struct Pulled {
    pub(super) address: PeerAddress,
    began: Instant,
    took: Duration,
    result: Result<News, Error>,
}

/// The lists, where they are others than before.
struct News {
    by_fee: Option<Listing>,
    by_age: Option<Listing>,
    wrong: usize,
}

impl Mempool {
    pub(super) fn new(address: PeerAddress) -> Self {
        Self {
            address,
            by_fee: Listing::default(),
            by_age: Listing::default(),
            standing: Standing::Unknown,
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

    /// Whether what is known of it was asked for before `since`.
    pub(super) fn is_older_than(&self, since: Instant) -> bool {
        self.asked_at.is_none_or(|asked_at| asked_at < since)
    }

    pub(super) fn lists(&self) -> Lists {
        Lists { by_fee: self.by_fee.pending.clone(), by_age: self.by_age.pending.clone() }
    }

    /// Begins to ask for both lists; [`Mempool::note`] takes what comes of it.
    pub(super) fn pull(&mut self, client: Client, check: Check) -> impl Future<Output = Pulled> + Send + use<> {
        (self.is_wanted, self.is_asked) = (false, true);
        let address = self.address.clone();
        let (fee_etag, age_etag) = (self.by_fee.etag.clone(), self.by_age.etag.clone());
        let limit = check.room.count.min(MAX_UNPROCESSED);
        async move {
            let began = Instant::now();
            let both = async {
                tokio::try_join!(
                    client.unprocessed(address.as_str(), PoolOrder::Fee, limit, fee_etag.as_deref()),
                    client.unprocessed(address.as_str(), PoolOrder::Age, oldest(limit), age_etag.as_deref())
                )
            };
            let result = match timeout(PULL_WITHIN, both).await.unwrap_or(Err(Error::Slow)) {
                Ok((by_fee, by_age)) => Ok(news(by_fee, by_age, limit, check).await),
                Err(error) => Err(error),
            };
            Pulled { address, began, took: began.elapsed(), result }
        }
    }

    /// Takes over what a pull brought; answers whether anything has changed. The lists are empty while it does not answer.
    pub(super) fn note(&mut self, pulled: Pulled, now: Instant) -> bool {
        let Pulled { began, took, result, .. } = pulled;
        (self.is_asked, self.asked_at, self.took) = (false, Some(began), took);
        self.report(&result);
        self.strikes = if self.standing == Standing::Answers { 0 } else { self.strikes + 1 };
        let pause =
            self.strikes.checked_sub(1).map_or(Duration::ZERO, |again| RETRY * (1 << again.min(MOST_DOUBLINGS)));
        self.not_before = now + pause.max(took * PAUSE);
        let (by_fee, by_age) = match result {
            Ok(News { by_fee, by_age, .. }) => (by_fee, by_age),
            Err(_) => (Some(Listing::default()), Some(Listing::default())),
        };
        let by_fee = self.by_fee.replace(by_fee);
        let by_age = self.by_age.replace(by_age);
        by_fee || by_age
    }

    /// Remembers what it did, and logs changes, not every try.
    fn report(&mut self, result: &Result<News, Error>) {
        let mempool = &self.address;
        let standing = match result {
            Ok(news) if news.wrong > 0 => Standing::Errs,
            Ok(_) => Standing::Answers,
            Err(_) => Standing::Silent,
        };
        if std::mem::replace(&mut self.standing, standing) == standing {
            return;
        }
        match result {
            Ok(news) if news.wrong > 0 => {
                tracing::warn!(%mempool, "this mempool lists what is no transaction; asking it less often");
            }
            Ok(_) => tracing::info!(%mempool, "takes transactions from this mempool"),
            Err(error) => {
                tracing::warn!(%mempool, %error, "this mempool does not answer; going on without, trying again");
            }
        }
    }
}

impl Listing {
    /// Answers whether it lists something else than before.
    fn replace(&mut self, new: Option<Self>) -> bool {
        let Some(new) = new else { return false };
        let is_changed = self.pending != new.pending;
        *self = new;
        is_changed
    }
}

/// How many of the oldest are of use.
fn oldest(limit: usize) -> usize {
    (limit / SHARE_OF_OLDEST).max(1)
}

/// Looks at what two answers list, on a thread that may take its time.
async fn news(by_fee: Unprocessed, by_age: Unprocessed, limit: usize, check: Check) -> News {
    let looked = tokio::task::spawn_blocking(move || {
        let mut wrong = 0;
        let mut listing = |answer, limit| {
            let Unprocessed::Pending { etag, transactions } = answer else { return None };
            let (pending, errors) = checked(transactions, limit, &check);
            wrong += errors;
            Some(Listing { etag, pending: pending.into() })
        };
        let (by_fee, by_age) = (listing(by_fee, limit), listing(by_age, oldest(limit)));
        News { by_fee, by_age, wrong }
    });
    looked.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the task that checks transactions panicked");
        News { by_fee: None, by_age: None, wrong: 0 }
    })
}

/// Those that keep all rules which need no chain, and how many do not: of a list with too many of these, none.
///
/// When they arrived there is not said, only their order.
fn checked(mut transactions: Vec<Transaction>, limit: usize, check: &Check) -> (Vec<Pending>, usize) {
    transactions.truncate(limit);
    let wrong = AtomicUsize::new(0);
    let is_right: Vec<_> = transactions.iter().map(|_| AtomicBool::new(false)).collect();
    // The check itself never fails: what comes after the last error that is borne is only passed over.
    let _ = check.verifier.check_each(transactions.len(), &|place| {
        if wrong.load(Ordering::Relaxed) < MOST_WRONG {
            let transaction = &transactions[place];
            match transaction.check(&check.rules, check.verifier.as_ref()) {
                Ok(()) => is_right[place].store(true, Ordering::Relaxed),
                Err(broken) => {
                    wrong.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(id = %transaction.id, %broken, "a mempool lists what is no transaction");
                }
            }
        }
        Ok(())
    });
    let wrong = wrong.into_inner();
    if wrong >= MOST_WRONG {
        return (Vec::new(), wrong);
    }
    let mut bytes_left = check.room.bytes;
    let right = transactions.into_iter().zip(is_right).filter(|(_, is_right)| is_right.load(Ordering::Relaxed));
    let pending = right.map(|(transaction, _)| Pending::new(Arc::new(transaction), 0)).filter(|pending| {
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

    /// Counts how many signatures are looked at.
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

    fn mempool() -> Mempool {
        Mempool::new(PeerAddress::new("127.0.0.1:1").unwrap())
    }

    fn check_with(verifier: Arc<dyn Verifier>) -> Check {
        let room = Room { count: 1000, bytes: 2000 };
        Check { rules: TransactionRules::of(&Params::default()), verifier, room }
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

    fn pulled(took: Duration, result: Result<News, Error>) -> Pulled {
        Pulled { address: mempool().address, began: Instant::now(), took, result }
    }

    fn lists(transactions: Vec<Transaction>) -> News {
        let (pending, wrong) = checked(transactions, 1000, &check_with(Arc::new(PlainVerifier)));
        let listing = Listing { etag: None, pending: pending.into() };
        News { by_fee: Some(listing.clone()), by_age: Some(listing), wrong }
    }

    #[test]
    fn what_comes_after_a_few_wrong_transactions_is_not_looked_at() {
        let verifier = Arc::new(Counting::default());
        let mixed = [payments("payer", 2), payments("thief", 100), payments("payer", 2)].concat();
        let (pending, wrong) = checked(mixed, 1000, &check_with(verifier.clone()));
        assert_eq!((pending.len(), wrong), (0, MOST_WRONG));
        assert_eq!(verifier.0.load(Ordering::Relaxed), 2 + MOST_WRONG);
    }

    #[test]
    fn of_a_list_with_one_wrong_transaction_the_rest_is_kept() {
        let mixed = [payments("payer", 1), payments("thief", 1), payments("payer", 2)].concat();
        let (pending, wrong) = checked(mixed, 1000, &check_with(Arc::new(PlainVerifier)));
        assert_eq!((pending.len(), wrong), (3, 1));
    }

    #[test]
    fn no_list_is_longer_than_was_asked_for_or_than_a_block() {
        let check = check_with(Arc::new(PlainVerifier));
        assert_eq!(checked(payments("payer", 20), 2, &check).0.len(), 2);
        let bytes: usize = checked(payments("payer", 20), 1000, &check).0.iter().map(|pending| pending.bytes + 1).sum();
        assert!((1000..=check.room.bytes).contains(&bytes), "{bytes}");
    }

    #[test]
    fn who_is_wrong_or_silent_is_asked_less_and_less_often_until_it_is_right() {
        type Failure = fn() -> Result<News, Error>;
        let silent: Failure = || Err(Error::Slow);
        let wrong: Failure = || Ok(lists(payments("thief", 1)));
        for failure in [silent, wrong] {
            let (mut mempool, now) = (mempool(), Instant::now());
            let mut pauses = Vec::new();
            for _ in 0..7 {
                mempool.note(pulled(Duration::ZERO, failure()), now);
                pauses.push((mempool.not_before - now).as_secs());
            }
            assert_eq!(pauses, [1, 2, 4, 8, 16, 16, 16]);
            mempool.note(pulled(Duration::ZERO, Ok(lists(payments("payer", 1)))), now);
            assert_eq!((mempool.not_before, mempool.lists().by_fee.len()), (now, 1));
        }
    }

    #[test]
    fn who_takes_long_is_left_alone_for_longer() {
        let (mut mempool, now) = (mempool(), Instant::now());
        let took = Duration::from_secs(2);
        mempool.note(pulled(took, Ok(lists(Vec::new()))), now);
        assert!(!mempool.is_due(now + took) && mempool.is_due(now + took * PAUSE));
    }

    #[test]
    fn what_was_listed_is_gone_as_soon_as_nobody_answers() {
        let (mut mempool, now) = (mempool(), Instant::now());
        assert!(mempool.note(pulled(Duration::ZERO, Ok(lists(payments("payer", 2)))), now));
        let unchanged = News { by_fee: None, by_age: None, wrong: 0 };
        assert!(!mempool.note(pulled(Duration::ZERO, Ok(unchanged)), now));
        assert_eq!(mempool.lists().by_age.len(), 2);
        assert!(mempool.note(pulled(Duration::ZERO, Err(Error::Slow)), now));
        assert!(mempool.lists().is_empty());
    }
}
