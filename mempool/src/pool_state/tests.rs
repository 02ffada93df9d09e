//! The pool and a writer whose disk fails: callers and subscribers learn only what is on disk, and what is on disk is
//! kept.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use super::*;
use crate::store::Stored;
use shared::block::{Block, DataHash, HeaderFields, Nonce};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::ledger::{Bundle, Transaction, Unsigned, Uuid, json_of};
use shared::params::RetargetRule;
use shared::pool::{CoinPolicy, PoolRow};
use shared::store::{Batch, MemoryStore, Store, Table};
use shared::work::Difficulty;

struct Bench {
    params: Params,
    chain: Chain,
    disk: MemoryStore,
    store: PoolStore,
    pool_state: PoolState,
}

fn limits() -> PoolLimits {
    PoolLimits {
        max_count: 3,
        max_bytes: 1 << 20,
        max_per_sender: 10,
        max_transaction_bytes: 10_000,
        max_age_ms: 1000,
        min_fee: Amount::ZERO,
        coins: CoinPolicy::FIRST_SEEN,
    }
}

impl Bench {
    fn new() -> Self {
        let params = Params {
            new_address_balance: 1000,
            initial_difficulty: Difficulty::MIN,
            retarget: RetargetRule::Fixed,
            ..Params::default()
        };
        let rules = Arc::new(Rules::new(params.clone()).keeping_history());
        let chain = Chain::open(rules, Arc::new(MemoryStore::default()), SideLimits::default()).unwrap();
        let disk = MemoryStore::default();
        let store = PoolStore::new(Arc::new(disk.clone()));
        let pool_state = opened(&params, &store, &chain);
        Self { params, chain, disk, store, pool_state }
    }

    fn pay(&self, from: &str, amount: u64, fee: u64) -> Transaction {
        let key = KeyPair::from_seed(from);
        let unsigned = Unsigned {
            uuid: Uuid([7; 16]),
            from: key.address(),
            to: KeyPair::from_seed("bob").address(),
            amount: Amount::new(amount).unwrap(),
            fee: Amount::new(fee).unwrap(),
            msg: String::new(),
        };
        key.sign_transaction(unsigned, self.params.network_id())
    }

    fn admit(&self, transaction: &Transaction) -> Result<Admission, PushError> {
        self.pool_state.admit(Pending::new(Arc::new(transaction.clone()), 0))
    }

    fn accept(&self, transaction: &Transaction) -> Written {
        match self.admit(transaction).unwrap() {
            Admission::Accepted(written) => written,
            Admission::Known(_) => panic!("known"),
        }
    }

    /// One round of the pool writer.
    fn commit(&self) {
        let batch = self.pool_state.next_batch().unwrap();
        let result = self.store.commit(&batch);
        self.pool_state.finish_batch(&result);
    }

    fn pending(&self) -> Vec<TransactionId> {
        self.pool_state.pool(|pool| pool.by_age().map(Pending::id).collect())
    }

    /// What a restart would find.
    fn load(&self) -> Stored {
        self.store.load(&Weights::of(&self.params)).unwrap()
    }

    /// The ids that a restart would find, sorted.
    fn stored(&self) -> Vec<TransactionId> {
        let mut ids: Vec<_> = self.load().rows.iter().map(|row| row.pending.id()).collect();
        ids.sort();
        ids
    }

    fn mine(&mut self, transactions: &[&Transaction]) {
        let transactions = transactions.iter().map(|transaction| (*transaction).clone()).collect();
        let bundle = Bundle {
            msg: String::new(),
            miner_address: KeyPair::from_seed("bob").address(),
            transactions,
            outcome: None,
        };
        let (data, _) = bundle.to_data();
        let parent = self.chain.tip().header.clone();
        let fields = HeaderFields {
            index: parent.index.next(),
            prev_hash: parent.hash(),
            timestamp: parent.timestamp.plus_ms(1),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(&data),
        };
        let now = fields.timestamp;
        self.chain.accept(Block::new(fields, Nonce(0), data), now, Origin::Single).unwrap();
        follow(&self.pool_state, &self.chain);
    }
}

fn opened(params: &Params, store: &PoolStore, chain: &Chain) -> PoolState {
    let pool_state = PoolState::open(params.clone(), limits(), store, &chain.view().snapshot().unwrap()).unwrap();
    follow(&pool_state, chain);
    pool_state
}

fn follow(pool_state: &PoolState, chain: &Chain) {
    crate::following::catch_up(pool_state, &chain.view(), 0).unwrap();
}

/// The names of the events so far.
fn names(events: &mut broadcast::Receiver<Arc<MempoolEvent>>) -> Vec<&'static str> {
    let name = |event: Arc<MempoolEvent>| match *event {
        MempoolEvent::Pool(PoolEvent::Transaction(_)) => "transaction",
        MempoolEvent::Pool(PoolEvent::Confirmed(_)) => "confirmed",
        MempoolEvent::Pool(PoolEvent::Returned(_)) => "returned",
        MempoolEvent::Pool(PoolEvent::Evicted(_)) => "evicted",
        MempoolEvent::Pool(PoolEvent::Conflict(_)) => "conflict",
        MempoolEvent::Receipt(_) => "receipt",
        MempoolEvent::Log(_) => "log",
    };
    std::iter::from_fn(|| events.try_recv().ok()).map(name).collect()
}

#[test]
fn a_payment_that_cannot_be_written_is_refused_and_may_be_pushed_again() {
    let bench = Bench::new();
    bench.commit();
    bench.disk.set_full(true);
    let payment = bench.pay("alice", 900, 0);
    let mut written = bench.accept(&payment);
    let Admission::Known(Some(mut also)) = bench.admit(&payment).unwrap() else { panic!("known, and under way") };
    assert!(written.try_recv().is_err(), "no reply or event before the commit");
    bench.commit();
    assert!(written.try_recv().unwrap().is_err() && also.try_recv().unwrap().is_err());
    assert!(bench.pending().is_empty());
    bench.disk.set_full(false);
    let mut written = bench.accept(&payment);
    bench.commit();
    assert_eq!(written.try_recv().unwrap(), Ok(()));
    assert_eq!((bench.pending(), bench.stored()), (vec![payment.id()], vec![payment.id()]));
    let Admission::Known(None) = bench.admit(&payment).unwrap() else { panic!("known, and on disk") };
}

#[test]
fn removals_while_the_disk_is_full_are_written_later() {
    let mut bench = Bench::new();
    let [confirmed, stays] = [bench.pay("alice", 900, 1), bench.pay("carol", 900, 1)];
    let _ = (bench.accept(&confirmed), bench.accept(&stays));
    bench.commit();
    bench.disk.set_full(true);
    bench.mine(&[&confirmed]);
    bench.commit();
    assert_eq!(bench.pending(), [stays.id()]);
    assert_eq!(bench.stored().len(), 2, "not written yet");
    bench.disk.set_full(false);
    bench.commit();
    assert_eq!(bench.stored(), [stays.id()]);
    assert_eq!(bench.load().tip, Some(bench.chain.tip().id()));
}

#[test]
fn a_payment_pushed_while_a_commit_fails_depends_on_its_own_commit() {
    let bench = Bench::new();
    bench.commit();
    let [fails, follows] = [bench.pay("alice", 900, 1), bench.pay("carol", 900, 1)];
    let mut failed = bench.accept(&fails);
    let _batch = bench.pool_state.next_batch().unwrap();
    let mut taken = bench.accept(&follows);
    bench.pool_state.finish_batch(&Err(StoreError::Failed("no space left".to_owned())));
    assert!(failed.try_recv().unwrap().is_err());
    assert!(taken.try_recv().is_err(), "not yet");
    bench.commit();
    assert_eq!(taken.try_recv().unwrap(), Ok(()));
    assert_eq!((bench.pending(), bench.stored()), (vec![follows.id()], vec![follows.id()]));
}

#[test]
fn outbid_and_expired_payments_are_deleted_from_disk() {
    let bench = Bench::new();
    let payments = ["alice", "carol", "dave", "eve"].map(|from| bench.pay(from, 1, from.len() as u64));
    let [alice, carol, dave, eve] = &payments;
    let waiting: Vec<_> = [dave, alice, carol].map(|payment| bench.accept(payment)).into();
    bench.commit();
    assert!(
        matches!(bench.admit(eve), Err(PushError::Stage(StageError::Pool(AdmissionError::Full { .. })))),
        "eve pays least"
    );
    let erin = bench.pay("erin", 1, 900);
    let _written = bench.accept(&erin);
    bench.commit();
    let mut left = vec![alice.id(), carol.id(), erin.id()];
    left.sort();
    assert_eq!(bench.stored(), left, "dave paid least");
    assert!(!bench.pool_state.expire(1000, 10) && bench.pending().len() == 3);
    assert!(bench.pool_state.expire(1001, 2), "there is more");
    assert!(!bench.pool_state.expire(1001, 2));
    bench.commit();
    assert!(bench.stored().is_empty());
    drop(waiting);
}

#[test]
fn an_outbid_payment_returns_if_its_replacement_cannot_be_written() {
    let bench = Bench::new();
    let [dave, alice, carol, erin] = [("dave", 1), ("alice", 5), ("carol", 5), ("erin", 9)].map(|(from, fee)| {
        let payment = bench.pay(from, 1, fee);
        (payment.id(), payment)
    });
    let _taken = [&dave, &alice, &carol].map(|(_, payment)| bench.accept(payment));
    bench.commit();
    let mut events = bench.pool_state.subscribe();
    bench.disk.set_full(true);
    let mut written = bench.accept(&erin.1);
    bench.commit();
    assert!(matches!(written.try_recv().unwrap(), Err(NotKept::Unwritten(_))));
    let mut pending = bench.pending();
    pending.sort();
    let mut before = [dave.0, alice.0, carol.0];
    before.sort();
    assert_eq!(pending, before);
    bench.disk.set_full(false);
    bench.commit();
    assert_eq!(bench.stored(), before);
    assert_eq!(names(&mut events), [""; 0], "neither its eviction nor its return was announced");
    let _written = bench.accept(&erin.1);
    assert_eq!(names(&mut events), [""; 0], "no reply or event before the commit");
    bench.commit();
    assert_eq!(names(&mut events), ["transaction", "evicted"]);
}

#[test]
fn a_payment_outbid_before_its_commit_is_refused() {
    let bench = Bench::new();
    bench.commit();
    let mut waiting: Vec<_> = [("alice", 1), ("carol", 5), ("dave", 5), ("erin", 9)]
        .map(|(from, fee)| bench.accept(&bench.pay(from, 1, fee)))
        .into();
    let mut events = bench.pool_state.subscribe();
    bench.commit();
    assert_eq!(waiting.remove(0).try_recv().unwrap(), Err(NotKept::Outbid));
    assert!(waiting.iter_mut().all(|written| written.try_recv().unwrap() == Ok(())));
    assert_eq!(
        names(&mut events),
        ["transaction"; 3],
        "a payment that was never announced is not announced as evicted"
    );
}

#[test]
fn a_restart_loads_the_pool_without_what_was_confirmed_meanwhile() {
    let mut bench = Bench::new();
    let [confirmed, stays] = [bench.pay("alice", 900, 1), bench.pay("carol", 900, 1)];
    let _ = (bench.accept(&confirmed), bench.accept(&stays));
    bench.commit();
    let kept = MemoryStore::clone(&bench.disk);
    bench.mine(&[&confirmed]);
    // The pool's file is as it was before the block.
    let store = PoolStore::new(Arc::new(kept));
    let pool_state = opened(&bench.params, &store, &bench.chain);
    assert_eq!(pool_state.pool(|pool| pool.by_age().map(Pending::id).collect::<Vec<_>>()), [stays.id()]);
    assert!(matches!(pool_state.check(&Pending::new(Arc::new(confirmed), 0)), Ok(Some(Admission::Known(None)))));
}

#[test]
fn no_payment_is_accepted_without_a_snapshot() {
    let bench = Bench::new();
    bench.pool_state.drop_snapshot();
    assert!(matches!(bench.admit(&bench.pay("alice", 1, 1)), Err(PushError::NotReady(_))));
    assert!(bench.pool_state.snapshot().is_err());
    follow(&bench.pool_state, &bench.chain);
    assert!(bench.pool_state.snapshot().is_ok());
}

#[test]
fn stopping_writes_what_is_still_waiting() {
    let bench = Bench::new();
    let _written = bench.accept(&bench.pay("alice", 1, 1));
    bench.pool_state.stop();
    bench.commit();
    assert!(bench.pool_state.next_batch().is_none());
    assert_eq!(bench.stored().len(), 1);
}

#[test]
fn a_row_says_whether_its_payment_is_uncovered_and_rows_of_older_versions_load() {
    let bench = Bench::new();
    let [covered, uncovered] = [bench.pay("alice", 900, 1), bench.pay("carol", 900, 1)];
    let row = |payment: &Transaction, is_uncovered| {
        (payment.id(), Some(PoolRow { pending: Pending::new(Arc::new(payment.clone()), 7), is_uncovered }))
    };
    let rows = BTreeMap::from([row(&covered, false), row(&uncovered, true)]);
    bench.store.commit(&WriteBatch { rows: rows.clone(), tip: None }).unwrap();
    let loaded = || bench.load().rows.into_iter().map(|row| (row.pending.id(), Some(row))).collect::<BTreeMap<_, _>>();
    assert_eq!(loaded(), rows);
    let mut older = Batch::default();
    for payment in [&covered, &uncovered] {
        let bytes = [&7_u64.to_be_bytes()[..], json_of(payment).as_bytes()].concat();
        older.put(Table::State, payment.id().as_bytes(), bytes);
    }
    bench.disk.commit(&older).unwrap();
    assert_eq!(loaded(), BTreeMap::from([row(&covered, false), row(&uncovered, false)]));
}
