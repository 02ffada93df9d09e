//! The pool and a writer whose disk fails: callers and subscribers learn only what is on disk, and what is on disk is
//! kept.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use super::*;
use crate::store::PoolStore;
use shared::block::{Block, DataHash, HeaderFields, Nonce};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::keys::KeyPair;
use shared::ledger::{Bundle, Transaction, Unsigned, Uuid};
use shared::params::RetargetRule;
use shared::pool::{CoinPolicy, Weights};
use shared::store::MemoryStore;
use shared::work::Difficulty;
use std::cell::RefCell;

struct Bench {
    params: Params,
    chain: Chain,
    disk: MemoryStore,
    store: RefCell<PoolStore>,
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
        let (store, pool_state) = opened(&params, &disk, &chain);
        Self { params, chain, disk, store: store.into(), pool_state }
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
        let result = self.store.borrow_mut().commit(&batch);
        self.pool_state.finish_batch(&result);
    }

    fn pending(&self) -> Vec<TransactionId> {
        self.pool_state.pool(|pool| pool.by_age().map(Pending::id).collect())
    }

    /// What a restart would find.
    fn load(&self) -> Stored {
        PoolStore::open(Arc::new(self.disk.clone()), &Weights::of(&self.params)).unwrap().1
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

fn opened(params: &Params, disk: &MemoryStore, chain: &Chain) -> (PoolStore, PoolState) {
    let (store, stored) = PoolStore::open(Arc::new(disk.clone()), &Weights::of(params)).unwrap();
    let pool_state = PoolState::open(params.clone(), limits(), stored, &chain.view().snapshot().unwrap()).unwrap();
    follow(&pool_state, chain);
    (store, pool_state)
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
    bench.pool_state.finish_batch(&disk_failure());
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

/// A full pool on disk, whose first payment pays least; returns it and all ids, sorted.
fn full_pool(bench: &Bench) -> (TransactionId, Vec<TransactionId>) {
    let payments = [("dave", 1), ("alice", 5), ("carol", 5)].map(|(from, fee)| bench.pay(from, 1, fee));
    let _taken = payments.each_ref().map(|payment| bench.accept(payment));
    bench.commit();
    (payments[0].id(), bench.stored())
}

fn disk_failure() -> Result<(), StoreError> {
    Err(StoreError::Failed("no space left".to_owned()))
}

/// erin takes the first payment's place and frank takes hers, while her commit is under way and fails.
fn two_successors_of_which_one_fails(bench: &Bench) -> [Written; 2] {
    let erin = bench.accept(&bench.pay("erin", 1, 2));
    let _batch = bench.pool_state.next_batch().unwrap();
    let frank = bench.accept(&bench.pay("frank", 1, 3));
    bench.pool_state.finish_batch(&disk_failure());
    [erin, frank]
}

#[test]
fn an_outbid_payment_returns_if_the_commits_of_two_successors_fail() {
    let bench = Bench::new();
    let (dave, before) = full_pool(&bench);
    let mut events = bench.pool_state.subscribe();
    let _waiting = two_successors_of_which_one_fails(&bench);
    assert!(!bench.pending().contains(&dave), "frank pays more");
    let _second = bench.pool_state.next_batch().unwrap();
    bench.pool_state.finish_batch(&disk_failure());
    assert!(bench.pending().contains(&dave));
    bench.commit();
    assert_eq!(bench.stored(), before);
    assert_eq!(names(&mut events), [""; 0]);
}

#[test]
fn an_outbid_payment_is_gone_once_a_later_successor_is_written() {
    let bench = Bench::new();
    let (dave, _) = full_pool(&bench);
    let mut events = bench.pool_state.subscribe();
    let _waiting = two_successors_of_which_one_fails(&bench);
    bench.commit();
    assert!(!bench.stored().contains(&dave));
    assert_eq!(names(&mut events), ["transaction", "evicted"]);
}

#[test]
fn an_outbid_payment_returns_though_the_chain_cannot_be_read_when_the_commit_fails() {
    let bench = Bench::new();
    let (_, before) = full_pool(&bench);
    let _erin = bench.accept(&bench.pay("erin", 1, 9));
    let _batch = bench.pool_state.next_batch().unwrap();
    bench.pool_state.drop_snapshot();
    bench.pool_state.finish_batch(&disk_failure());
    follow(&bench.pool_state, &bench.chain);
    let mut pending = bench.pending();
    pending.sort();
    assert_eq!(pending, before);
    bench.commit();
    assert_eq!(bench.stored(), before);
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
    let (_, pool_state) = opened(&bench.params, &kept, &bench.chain);
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
