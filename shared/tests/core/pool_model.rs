//! Compares the pool with a plain list, through random histories under tight limits.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::{Moves, Oracle, grains, ids, name, paid, payment, pending_ids, person};
use proptest::prelude::*;
use proptest::sample::Index;
use shared::ledger::{Address, Amount, Holding, Transaction, TransactionId};
use shared::pool::{AdmissionError, CoinPolicy, Evicted, EvictionReason, Pending, Pool, PoolChanges, PoolLimits, Room};
use std::collections::BTreeMap;
use std::sync::Arc;

const PEOPLE: u8 = 4;

/// Few people and small numbers, so that ties, double spends and payments to oneself are frequent.
#[derive(Debug, Clone)]
enum Step {
    /// A new payment with a message of `msg` bytes.
    Pay { from: u8, to: u8, amount: u64, fee: u64, msg: usize },
    /// A known transaction is pushed again.
    Again(Index),
    /// A known transaction is confirmed.
    Confirm(Index),
    /// A block changes a balance.
    Balance { of: u8, grains: u64 },
    /// Transactions expire, at most this many.
    Expire(usize),
    /// A confirmed transaction is disconnected; its arrival time is known or not.
    Return { which: Index, knows_arrival: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let pay = (0..PEOPLE, 0..PEOPLE, 1..20_u64, 0..6_u64, prop::sample::select(&[0_usize, 0, 1, 7, 100, 450][..]))
        .prop_map(|(from, to, amount, fee, msg)| Step::Pay { from, to, amount, fee, msg });
    prop_oneof![
        12 => pay,
        1 => any::<Index>().prop_map(Step::Again),
        3 => any::<Index>().prop_map(Step::Confirm),
        3 => (0..PEOPLE, 0..80_u64).prop_map(|(of, grains)| Step::Balance { of, grains }),
        2 => (0..4_usize).prop_map(Step::Expire),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(which, knows_arrival)| Step::Return { which, knows_arrival }),
    ]
}

/// The clock may stand still, and jump back.
fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    prop::collection::vec((step(), prop_oneof![Just(0_i64), 0..50_i64, -20..20_i64]), 1..80)
}

fn limits() -> impl Strategy<Value = PoolLimits> {
    let bytes = (440..5000_usize, prop_oneof![Just(5000_usize), 450..1000_usize]);
    (1..9_usize, bytes, 1..5_usize, 1..300_u64, 0..3_u64).prop_map(
        |(max_count, (max_bytes, max_transaction_bytes), max_per_sender, max_age_ms, fee)| PoolLimits {
            max_count,
            max_bytes,
            max_per_sender,
            max_transaction_bytes,
            max_age_ms,
            min_fee: grains(fee),
            coins: CoinPolicy::FIRST_SEEN,
        },
    )
}

fn room() -> impl Strategy<Value = Room> {
    (0..9_usize, 0..5000_usize).prop_map(|(count, bytes)| Room { count, bytes })
}

/// The pool, the list, and the chain under both.
struct Both {
    pool: Pool,
    oracle: Oracle,
    balances: BTreeMap<Address, Amount>,
    confirmed: Vec<(Arc<Transaction>, u64)>,
    now_ms: u64,
    payments: u32,
}

impl Both {
    fn new(limits: PoolLimits) -> Self {
        let balances = (0..PEOPLE).map(|number| (person(number), grains(60))).collect();
        let (pool, oracle) = (Pool::new(limits), Oracle::new(limits));
        Self { pool, oracle, balances, confirmed: Vec::new(), now_ms: 1000, payments: 0 }
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Pay { from, to, amount, fee, msg } => {
                self.payments += 1;
                let payment = payment(self.payments, *from, *to, (*amount, *fee), &"m".repeat(*msg));
                self.admit(payment)
            }
            Step::Again(which) => match self.pick(which) {
                Some(id) => self.admit(self.pool.get(&id).unwrap().transaction.clone()),
                None => Ok(()),
            },
            Step::Confirm(which) => match self.pick(which) {
                Some(id) => self.confirm(id),
                None => Ok(()),
            },
            Step::Balance { of, grains: balance } => self.change_balance(person(*of), grains(*balance)),
            Step::Expire(at_most) => {
                let evicted = self.pool.expire(self.now_ms, *at_most);
                same(&evicted, &self.oracle.expire(self.now_ms, *at_most))
            }
            Step::Return { which, knows_arrival } => {
                if self.confirmed.is_empty() {
                    return Ok(());
                }
                let (transaction, arrived_ms) = self.confirmed.remove(which.index(self.confirmed.len()));
                let receiver = self.balances[&paid(&transaction).to];
                let without = receiver.checked_sub(paid(&transaction).amount).unwrap_or(Amount::ZERO);
                self.change_balance(paid(&transaction).to, without)?;
                let before = self.balances[&paid(&transaction).from].checked_add(paid(&transaction).cost()).unwrap();
                self.change_balance(paid(&transaction).from, before)?;
                self.readmit(transaction, if *knows_arrival { arrived_ms } else { self.now_ms })
            }
        }
    }

    /// A pending or uncovered transaction.
    fn pick(&self, which: &Index) -> Option<TransactionId> {
        let known = [ids(&self.oracle.waiting), ids(&self.oracle.uncovered)].concat();
        (!known.is_empty()).then(|| known[which.index(known.len())])
    }

    fn admit(&mut self, transaction: Arc<Transaction>) -> Result<(), TestCaseError> {
        let balance = self.balances[&paid(&transaction).from];
        let expected = self.oracle.admit(&transaction, self.now_ms, balance);
        let pending = Pending::new(transaction, self.now_ms);
        let check = self.pool.check(&pending, balance);
        let answer = self.pool.admit(pending, balance);
        prop_assert_eq!(check.err(), answer.clone().err(), "check returns what admit will return");
        match (answer, expected) {
            (Ok(evicted), Ok(expected)) => same(&evicted, &expected),
            (answer, expected) => refused(answer.as_ref().err(), expected.err()),
        }
    }

    fn readmit(&mut self, transaction: Arc<Transaction>, arrived_ms: u64) -> Result<(), TestCaseError> {
        let balance = self.balances[&paid(&transaction).from];
        let expected = self.oracle.readmit(&transaction, arrived_ms, balance);
        match (self.pool.readmit(Pending::new(transaction, arrived_ms), balance), expected) {
            (Ok(moved), Ok(expected)) => moved_the_same(&moved, &expected),
            (answer, expected) => refused(answer.as_ref().err(), expected.err()),
        }
    }

    fn confirm(&mut self, id: TransactionId) -> Result<(), TestCaseError> {
        let pending = self.pool.remove_confirmed(&id).unwrap();
        prop_assert_eq!(self.pool.remove_confirmed(&id), None);
        self.oracle.remove(&[id]);
        let transaction = pending.transaction;
        // An uncovered transaction may be paid from income of the same block.
        let left =
            self.balances[&paid(&transaction).from].checked_sub(paid(&transaction).cost()).unwrap_or(Amount::ZERO);
        self.change_balance(paid(&transaction).from, left)?;
        let more = self.balances[&paid(&transaction).to].checked_add(paid(&transaction).amount).unwrap();
        self.change_balance(paid(&transaction).to, more)?;
        self.confirmed.push((transaction, pending.arrived_ms));
        Ok(())
    }

    fn change_balance(&mut self, address: Address, balance: Amount) -> Result<(), TestCaseError> {
        self.balances.insert(address, balance);
        let moved = self.pool.recheck([Holding::Account(address)], [], balance);
        moved_the_same(&moved, &self.oracle.recheck(address, balance))
    }

    /// Contents, orders and totals are those of the list, and the invariants hold.
    fn check(&self, room: Room) -> Result<(), TestCaseError> {
        let (pool, oracle) = (&self.pool, &self.oracle);
        prop_assert_eq!(pending_ids(pool.by_age()), ids(&oracle.by_age()), "the order of age");
        prop_assert_eq!(pending_ids(pool.by_fee()), ids(&oracle.by_fee()), "the order of fees");
        prop_assert_eq!(pool.len(), oracle.waiting.len());
        prop_assert_eq!(pool.is_empty(), oracle.waiting.is_empty());
        prop_assert_eq!(pool.bytes(), oracle.waiting.iter().map(|one| one.bytes).sum::<usize>());
        prop_assert!(pool.len() <= oracle.limits.max_count && pool.bytes() <= oracle.limits.max_bytes);
        prop_assert_eq!(pending_ids(pool.uncovered()), ids(&oracle.uncovered), "the uncovered ones");
        for one in oracle.waiting.iter().chain(&oracle.uncovered) {
            let pending = pool.get(&one.transaction.id()).unwrap();
            prop_assert_eq!(&pending.transaction, &one.transaction);
            prop_assert_eq!((pending.bytes, pending.arrived_ms), (one.bytes, one.arrived_ms));
        }
        for (&address, &balance) in &self.balances {
            let (outgoing, incoming) = (oracle.outgoing(address), oracle.incoming(address));
            prop_assert_eq!(pool.outgoing(&address).grains(), outgoing);
            prop_assert_eq!(pool.incoming(&address).grains(), incoming);
            prop_assert!(outgoing <= balance.grains(), "what is pending is covered");
            let last = pool.balance_with_pending(&address, balance);
            prop_assert_eq!(last.grains(), balance.grains() + incoming - outgoing);
            let mut of_it = oracle.by_age();
            of_it.retain(|one| paid(&one.transaction).from == address || paid(&one.transaction).to == address);
            prop_assert_eq!(pending_ids(pool.of(&address)), ids(&of_it));
        }
        self.check_template(room)
    }

    fn check_template(&self, room: Room) -> Result<(), TestCaseError> {
        let chosen = shared::pool::select_transactions(self.pool.by_fee(), self.pool.by_age(), room);
        prop_assert!(chosen.len() <= room.count, "more than there is room for");
        prop_assert!(chosen.iter().map(|pending| pending.bytes + 1).sum::<usize>() <= room.bytes, "too many bytes");
        let oldest = self.pool.by_age().find(|pending| pending.bytes < room.bytes && room.count > 0);
        prop_assert_eq!(chosen.first().copied(), oldest, "the oldest that fits is always there");
        prop_assert_eq!(pending_ids(chosen), self.oracle.template(room), "what a block takes");
        Ok(())
    }
}

fn same(evicted: &[Evicted], expected: &[(TransactionId, EvictionReason)]) -> Result<(), TestCaseError> {
    let left: Vec<_> = evicted.iter().map(|one| (one.pending.id(), one.reason)).collect();
    prop_assert_eq!(left, expected, "what has left, and why");
    Ok(())
}

fn moved_the_same(moved: &PoolChanges, (returned, left): &Moves) -> Result<(), TestCaseError> {
    prop_assert_eq!(&pending_ids(&moved.returned), returned, "what is pending again");
    same(&moved.evicted, left)
}

fn refused(refusal: Option<&AdmissionError>, expected: Option<&'static str>) -> Result<(), TestCaseError> {
    prop_assert_eq!(refusal.map(name), expected, "{:?}", refusal);
    Ok(())
}

proptest! {
    #![proptest_config(crate::prop::config(600))]

    #[test]
    fn the_pool_does_what_a_plain_list_does(limits in limits(), steps in steps(), room in room()) {
        let mut both = Both::new(limits);
        for (step, gap_ms) in steps {
            both.now_ms = both.now_ms.saturating_add_signed(gap_ms);
            let before = (both.pool.version(), pending_ids(both.pool.by_age()));
            both.run(&step)?;
            both.check(room)?;
            let after = (both.pool.version(), pending_ids(both.pool.by_age()));
            prop_assert!(before.0 != after.0 || before.1 == after.1, "another content is another version");
            // These change two balances, which may uncover a payment and cover it again.
            let is_twofold = matches!(step, Step::Return { .. } | Step::Confirm(_));
            prop_assert!(is_twofold || before.0 == after.0 || before.1 != after.1, "the same content, another version");
        }
    }
}
