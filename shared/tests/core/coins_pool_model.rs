//! Random histories of a pool over balances and coins together, without limits that evict: whatever was accepted and is
//! in no block is pending or uncovered; what is pending is covered, and what is uncovered is not. Under both policies:
//! the first to take a coin wins, or the one that pays enough more.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use crate::pool_oracle::{grains, payment, pending_ids, person};
use proptest::prelude::*;
use proptest::sample::Index;
use shared::block::BlockHash;
use shared::keys::Signature;
use shared::ledger::{Amount, CoinName, Holding, Input, Output, Transaction, TransactionId, UnsignedSpend};
use shared::pool::{AdmissionError, CoinPolicy, Evicted, EvictionReason, Pending, Pool, PoolLimits, Replacement};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const PEOPLE: u8 = 3;
const COINS: u8 = 8;
const WIDE: PoolLimits = PoolLimits {
    max_count: 1000,
    max_bytes: 1 << 20,
    max_per_sender: 1000,
    max_transaction_bytes: 10_000,
    max_age_ms: 1000,
    min_fee: Amount::ZERO,
    coins: CoinPolicy::FIRST_SEEN,
};

#[derive(Debug, Clone)]
enum Step {
    Pay {
        from: u8,
        to: u8,
        amount: u64,
    },
    /// A new transaction takes these coins.
    Spend {
        coins: BTreeSet<u8>,
        to: u8,
        fee: u64,
    },
    Confirm(Index),
    /// A block is undone: its transaction returns.
    Return(Index),
    /// A coin comes or goes with a branch.
    Flip(u8),
    Balance {
        of: u8,
        grains: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..PEOPLE, 0..PEOPLE, 1..20_u64).prop_map(|(from, to, amount)| Step::Pay { from, to, amount }),
        6 => (prop::collection::btree_set(0..COINS, 1..4), 0..PEOPLE, 1..5000_u64)
            .prop_map(|(coins, to, fee)| Step::Spend { coins, to, fee }),
        2 => any::<Index>().prop_map(Step::Confirm),
        2 => any::<Index>().prop_map(Step::Return),
        3 => (0..COINS).prop_map(Step::Flip),
        2 => (0..PEOPLE, 0..50_u64).prop_map(|(of, grains)| Step::Balance { of, grains }),
    ];
    prop::collection::vec(step, 1..60)
}

fn coin(number: u8) -> CoinName {
    CoinName { id: TransactionId::from_bytes([number; 32]), place: 0 }
}

/// What a coin is worth, and whose it is.
fn input(number: u8) -> Input {
    Input { coin: coin(number), address: person(number % PEOPLE), amount: grains(100_000 + u64::from(number)) }
}

/// The pool, the holdings on the chain, and what was accepted and is in no block.
struct Model {
    pool: Pool,
    chain: BTreeMap<Holding, Amount>,
    accepted: BTreeMap<TransactionId, Arc<Transaction>>,
    confirmed: Vec<Arc<Transaction>>,
    number: u32,
}

impl Model {
    fn new(replacement: Replacement) -> Self {
        let coins = (0..COINS).map(|number| (Holding::Coin(coin(number)), input(number).amount));
        let accounts = (0..PEOPLE).map(|number| (Holding::Account(person(number)), grains(30)));
        let limits = PoolLimits { coins: CoinPolicy { replacement, ..CoinPolicy::FIRST_SEEN }, ..WIDE };
        let (pool, chain) = (Pool::new(limits), coins.chain(accounts).collect());
        Self { pool, chain, accepted: BTreeMap::new(), confirmed: Vec::new(), number: 0 }
    }

    fn holds(&self, holding: &Holding) -> u128 {
        u128::from(self.chain.get(holding).copied().unwrap_or_default().grains())
    }

    /// What pending transactions take from a holding, counted one by one.
    fn taken(&self, holding: &Holding) -> u128 {
        let parts = self.pool.by_age().flat_map(|pending| pending.transaction.takes());
        parts.filter(|part| part.holding == *holding).map(|part| u128::from(part.amount.grains())).sum()
    }

    fn is_coverable(&self, transaction: &Transaction) -> bool {
        let fits = |part: &shared::ledger::Part| {
            self.taken(&part.holding) + u128::from(part.amount.grains()) <= self.holds(&part.holding)
        };
        transaction.takes().iter().all(fits)
    }

    fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        self.number += 1;
        match step {
            Step::Pay { from, to, amount } => {
                let payment = payment(self.number, from, to, (amount, 1), "");
                self.admit(payment)
            }
            Step::Spend { coins, to, fee } => {
                let inputs: Vec<_> = coins.into_iter().map(input).collect();
                let sum: u64 = inputs.iter().map(|input| input.amount.grains()).sum();
                let outputs = vec![Output { address: person(to), amount: grains(sum - fee) }];
                let unsigned = UnsignedSpend { inputs, outputs, msg: self.number.to_string() };
                self.admit(Arc::new(unsigned.sign(BlockHash::ZERO, |_, _| Signature::from_bytes([0; 64]))))
            }
            Step::Confirm(which) if !self.accepted.is_empty() => {
                let id = *self.accepted.keys().nth(which.index(self.accepted.len())).unwrap();
                let transaction = self.accepted.remove(&id).unwrap();
                prop_assert!(self.pool.remove_confirmed(&id).is_some());
                let changed = self.change(&transaction, false);
                self.confirmed.push(transaction);
                self.recheck(changed)
            }
            Step::Return(which) if !self.confirmed.is_empty() => {
                let transaction = self.confirmed.remove(which.index(self.confirmed.len()));
                let changed = self.change(&transaction, true);
                let moved = self.pool.recheck(changed, [Pending::new(transaction.clone(), 0)], &self.chain);
                prop_assert!(moved.evicted.is_empty());
                self.accepted.insert(transaction.id(), transaction);
                Ok(())
            }
            Step::Confirm(_) | Step::Return(_) => Ok(()),
            Step::Flip(number) => {
                let holding = Holding::Coin(coin(number));
                if self.chain.remove(&holding).is_none() {
                    self.chain.insert(holding, input(number).amount);
                }
                self.recheck(BTreeSet::from([holding]))
            }
            Step::Balance { of, grains: balance } => {
                let holding = Holding::Account(person(of));
                self.chain.insert(holding, grains(balance));
                self.recheck(BTreeSet::from([holding]))
            }
        }
    }

    fn admit(&mut self, transaction: Arc<Transaction>) -> Result<(), TestCaseError> {
        let is_coverable = self.is_coverable(&transaction);
        let pending = Pending::new(transaction.clone(), 0);
        let rivals = self.rivals(&transaction);
        let is_there =
            transaction.takes().iter().all(|part| u128::from(part.amount.grains()) <= self.holds(&part.holding));
        let pays_enough = pays_enough(&pending, &rivals);
        let check = self.pool.check(&pending, &self.chain);
        let answer = self.pool.admit(pending, &self.chain);
        prop_assert_eq!(check.err(), answer.clone().err(), "check returns what admit will return");
        match answer {
            Ok(evicted) if evicted.is_empty() => {
                prop_assert!(is_coverable);
                self.accepted.insert(transaction.id(), transaction);
            }
            Ok(evicted) => {
                prop_assert!(is_there && pays_enough);
                let by = transaction.id();
                prop_assert!(evicted.iter().all(|one| is_replaced(one, by)));
                let ids: BTreeSet<_> = evicted.iter().map(|one| one.pending.id()).collect();
                prop_assert_eq!(ids, rivals.iter().map(Pending::id).collect());
                self.accepted.retain(|id, _| !evicted.iter().any(|one| one.pending.id() == *id));
                self.accepted.insert(by, transaction);
                // What the rivals took beside it is free for what waits.
                self.recheck(self.pool.related([]))?;
            }
            Err(refusal @ AdmissionError::Replacement { .. }) => {
                let named: Vec<_> = refusal.rivals().map(|(_, id)| id).collect();
                prop_assert!(named == pending_ids(&rivals) && !named.is_empty() && !pays_enough);
            }
            Err(AdmissionError::Conflict { coin, pending, others }) => {
                prop_assert_eq!(others.len() + 1, rivals.len());
                let taker = self.pool.first_taker(&Holding::Coin(coin)).map(Pending::id);
                prop_assert!(!is_coverable && taker == Some(pending));
            }
            Err(AdmissionError::NoCoin { coin }) => {
                prop_assert!(!is_coverable && self.holds(&Holding::Coin(coin)) == 0);
            }
            Err(AdmissionError::Overspend { .. }) => prop_assert!(!is_coverable),
            Err(other) => prop_assert!(false, "{other}"),
        }
        Ok(())
    }

    /// The pending transactions that take a coin of it, found by looking at all.
    fn rivals(&self, transaction: &Transaction) -> Vec<Pending> {
        let coins: BTreeSet<_> = transaction.takes().iter().map(|part| part.holding).filter(is_coin).collect();
        let takes_one = |pending: &&Pending| pending.transaction.takes().iter().any(|p| coins.contains(&p.holding));
        self.pool.by_age().filter(takes_one).cloned().collect()
    }

    /// A block with this transaction alone comes or goes; returns the holdings that it changes.
    fn change(&mut self, transaction: &Transaction, is_undone: bool) -> BTreeSet<Holding> {
        let mut changed = BTreeSet::new();
        for part in transaction.takes() {
            changed.insert(part.holding);
            let has = self.chain.remove(&part.holding).unwrap_or_default();
            let left = match part.holding {
                Holding::Coin(_) => Some(part.amount).filter(|_| is_undone),
                Holding::Account(_) if is_undone => has.checked_add(part.amount),
                Holding::Account(_) => Some(has.checked_sub(part.amount).unwrap_or_default()),
            };
            self.chain.extend(left.map(|left| (part.holding, left)));
        }
        changed
    }

    fn recheck(&mut self, changed: BTreeSet<Holding>) -> Result<(), TestCaseError> {
        prop_assert!(self.pool.recheck(changed, [], &self.chain).evicted.is_empty());
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (pending, uncovered) = (pending_ids(self.pool.by_age()), pending_ids(self.pool.uncovered()));
        let all: BTreeSet<_> = pending.iter().chain(&uncovered).copied().collect();
        prop_assert_eq!(all.len(), pending.len() + uncovered.len(), "nothing is in both");
        prop_assert_eq!(all, self.accepted.keys().copied().collect(), "nothing is lost, and nothing invented");
        for pending in self.pool.by_age() {
            for part in pending.transaction.takes() {
                prop_assert!(self.taken(&part.holding) <= self.holds(&part.holding), "{:?} is not covered", part);
            }
        }
        for waiting in self.pool.uncovered() {
            prop_assert!(!self.is_coverable(&waiting.transaction), "{:?} is covered", waiting.transaction);
        }
        for number in 0..PEOPLE {
            let sum = |parts: fn(&Transaction) -> Vec<shared::ledger::Part>| -> u64 {
                let parts = self.pool.by_age().flat_map(|pending| parts(&pending.transaction));
                parts.filter(|part| part.address == person(number)).map(|part| part.amount.grains()).sum()
            };
            prop_assert_eq!(self.pool.outgoing(&person(number)).grains(), sum(Transaction::takes));
            prop_assert_eq!(self.pool.incoming(&person(number)).grains(), sum(Transaction::gives));
        }
        Ok(())
    }
}

fn is_coin(holding: &Holding) -> bool {
    matches!(holding, Holding::Coin(_))
}

/// The rules of replacement, without a quotient: their fees and a grain a byte, and more per byte than each.
fn pays_enough(newcomer: &Pending, rivals: &[Pending]) -> bool {
    let fee = |pending: &Pending| pending.transaction.fee().grains();
    let sum: u64 = rivals.iter().map(fee).sum();
    let is_above = |rival: &Pending| fee(newcomer) * rival.bytes as u64 > fee(rival) * newcomer.bytes as u64;
    fee(newcomer) >= sum + newcomer.bytes as u64 && rivals.iter().all(is_above)
}

fn is_replaced(evicted: &Evicted, newcomer: TransactionId) -> bool {
    let takes = |coin| evicted.pending.takes().iter().any(|part| part.holding == Holding::Coin(coin));
    matches!(evicted.reason, EvictionReason::Replaced { by, coin } if by == newcomer && takes(coin))
}

proptest! {
    #![proptest_config(crate::prop::config(600))]

    #[test]
    fn a_pool_over_balances_and_coins_keeps_what_is_covered_pending(
        steps in steps(),
        replacement in prop_oneof![Just(Replacement::Full), Just(Replacement::FirstSeen)],
    ) {
        let mut model = Model::new(replacement);
        for step in steps {
            model.run(step)?;
            model.check()?;
        }
    }
}
