//! The pool's rules as plainly as possible: one list, scanned from end to end each time.
//!
//! It shares the names of refusals and evictions with the pool, and none of its indexes.
#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use shared::block::BlockHash;
use shared::keys::Signature;
use shared::ledger::{Address, Amount, Payment, Transaction, TransactionId, Unsigned, Uuid, json_of};
use shared::pool::{AdmissionError, EvictionReason, Pending, PoolLimits, Room};
use std::cmp::Ordering;
use std::sync::Arc;

/// The address of person `number`.
pub(crate) fn person(number: u8) -> Address {
    let mut key = [0; 33];
    (key[0], key[32]) = (2, number);
    Address::of_public_key(&key).unwrap()
}

/// An amount of grains.
pub(crate) fn grains(grains: u64) -> Amount {
    Amount::new(grains).unwrap()
}

/// A payment; `number` makes equal ones differ. The signature is not valid, since the pool does not verify it.
pub(crate) fn payment(number: u32, from: u8, to: u8, (amount, fee): (u64, u64), msg: &str) -> Arc<Transaction> {
    let mut uuid = [0; 16];
    uuid[..4].copy_from_slice(&number.to_be_bytes());
    let unsigned = Unsigned {
        uuid: Uuid(uuid),
        from: person(from),
        to: person(to),
        amount: grains(amount),
        fee: grains(fee),
        msg: msg.to_owned(),
    };
    Arc::new(unsigned.sign(BlockHash::from_bytes([0; 32]), |_| Signature::from_bytes([0; 64])))
}

/// The fields of a payment.
pub(crate) fn paid(transaction: &Transaction) -> &Payment {
    transaction.as_payment().unwrap()
}

/// The name of a refusal without its numbers.
pub(crate) fn name(refusal: &AdmissionError) -> &'static str {
    match refusal {
        AdmissionError::Known(_) => "known",
        AdmissionError::TooManyOfSender { .. } => "too many of sender",
        AdmissionError::Full { .. } => "full",
        broken => broken.rule().unwrap(),
    }
}

/// A transaction that waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) transaction: Arc<Transaction>,
    pub(crate) bytes: usize,
    pub(crate) arrived_ms: u64,
    number: usize,
}

impl Waiting {
    fn age(&self) -> (u64, usize) {
        (self.arrived_ms, self.number)
    }

    fn cost(&self) -> u64 {
        paid(&self.transaction).amount.grains() + self.transaction.fee().grains()
    }

    /// Fee per byte: less, the same or more.
    fn pays(&self, other: &Self) -> Ordering {
        let across = |one: &Self, other: &Self| u128::from(one.transaction.fee().grains()) * other.bytes as u128;
        across(self, other).cmp(&across(other, self))
    }
}

/// The ids in this order.
pub(crate) fn ids<'a>(waiting: impl IntoIterator<Item = &'a Waiting>) -> Vec<TransactionId> {
    waiting.into_iter().map(|one| one.transaction.id()).collect()
}

/// The ids in this order.
pub(crate) fn pending_ids<'a>(pending: impl IntoIterator<Item = &'a Pending>) -> Vec<TransactionId> {
    pending.into_iter().map(Pending::id).collect()
}

/// The ids that are pending again, and those that left with their reasons.
pub(crate) type Moves = (Vec<TransactionId>, Vec<(TransactionId, EvictionReason)>);

fn because(leaving: Vec<TransactionId>, reason: EvictionReason) -> Vec<(TransactionId, EvictionReason)> {
    leaving.into_iter().map(|id| (id, reason)).collect()
}

/// The pending transactions as a list, and the uncovered ones as another.
#[derive(Debug)]
pub(crate) struct Oracle {
    pub(crate) limits: PoolLimits,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) uncovered: Vec<Waiting>,
    arrivals: usize,
}

impl Oracle {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self { limits, waiting: Vec::new(), uncovered: Vec::new(), arrivals: 0 }
    }

    /// Admits a newcomer; returns what is evicted for it, cheapest first.
    pub(crate) fn admit(
        &mut self,
        transaction: &Arc<Transaction>,
        arrived_ms: u64,
        balance: Amount,
    ) -> Result<Vec<(TransactionId, EvictionReason)>, &'static str> {
        let newcomer = self.arriving(transaction, arrived_ms)?;
        if transaction.fee() < self.limits.min_fee {
            return Err("min-fee");
        }
        let own = self.waiting.iter().filter(|one| paid(&one.transaction).from == paid(transaction).from);
        if own.count() >= self.limits.max_per_sender {
            return Err("too many of sender");
        }
        let leaving = self.leaving_for(&newcomer, balance)?;
        self.arrivals += 1;
        self.remove(&leaving);
        self.waiting.push(newcomer);
        Ok(because(leaving, EvictionReason::Outbid))
    }

    /// Admits a returning transaction.
    pub(crate) fn readmit(
        &mut self,
        transaction: &Arc<Transaction>,
        arrived_ms: u64,
        balance: Amount,
    ) -> Result<Moves, &'static str> {
        let returning = self.arriving(transaction, arrived_ms)?;
        self.arrivals += 1;
        self.offer(returning, balance)
    }

    fn arriving(&self, transaction: &Arc<Transaction>, arrived_ms: u64) -> Result<Waiting, &'static str> {
        if self.waiting.iter().chain(&self.uncovered).any(|one| one.transaction.id() == transaction.id()) {
            return Err("known");
        }
        let bytes = json_of(transaction).len();
        Ok(Waiting { transaction: transaction.clone(), bytes, arrived_ms, number: self.arrivals })
    }

    fn offer(&mut self, one: Waiting, balance: Amount) -> Result<Moves, &'static str> {
        match self.leaving_for(&one, balance) {
            Ok(leaving) => {
                let id = one.transaction.id();
                self.remove(&leaving);
                self.waiting.push(one);
                Ok((vec![id], because(leaving, EvictionReason::Outbid)))
            }
            Err("balance") => Ok((Vec::new(), because(self.add_uncovered(one), EvictionReason::NotCovered))),
            Err(rule) => Err(rule),
        }
    }

    /// What must be evicted to make room, if all of it pays less.
    fn leaving_for(&self, newcomer: &Waiting, balance: Amount) -> Result<Vec<TransactionId>, &'static str> {
        let bytes = newcomer.bytes;
        if bytes > self.limits.max_transaction_bytes || bytes > self.limits.max_bytes {
            return Err("size");
        }
        if self.outgoing(paid(&newcomer.transaction).from) + newcomer.cost() > balance.grains() {
            return Err("balance");
        }
        let mut staying = self.by_fee();
        let mut leaving = Vec::new();
        let is_full = |staying: &[Waiting]| {
            staying.len() + 1 > self.limits.max_count
                || staying.iter().map(|one| one.bytes).sum::<usize>() + bytes > self.limits.max_bytes
        };
        while is_full(&staying) {
            let cheapest = staying.pop().unwrap();
            if newcomer.pays(&cheapest) != Ordering::Greater {
                return Err("full");
            }
            leaving.push(cheapest);
        }
        Ok(ids(&leaving))
    }

    /// Adds an uncovered transaction. Limits are a tenth of the pool's, rounded up; those that pay least per byte
    /// leave, of equal ones the youngest, or a single one that is too large.
    fn add_uncovered(&mut self, one: Waiting) -> Vec<TransactionId> {
        let (max_count, max_bytes) = (self.limits.max_count.div_ceil(10), self.limits.max_bytes.div_ceil(10));
        if one.bytes > max_bytes {
            return vec![one.transaction.id()];
        }
        self.uncovered.push(one);
        self.uncovered.sort_by_key(Waiting::age);
        let mut leaving = Vec::new();
        while self.uncovered.len() > max_count || self.uncovered.iter().map(|one| one.bytes).sum::<usize>() > max_bytes
        {
            // Oldest first, so that of equal ones `reduce` keeps the youngest.
            let is_cheaper = |one: usize, other: usize| self.uncovered[other].pays(&self.uncovered[one]).is_le();
            let cheaper = |one, other| if is_cheaper(one, other) { other } else { one };
            let cheapest = (0..self.uncovered.len()).reduce(cheaper).unwrap();
            leaving.push(self.uncovered.remove(cheapest).transaction.id());
        }
        leaving
    }

    pub(crate) fn remove(&mut self, leaving: &[TransactionId]) {
        self.waiting.retain(|one| !leaving.contains(&one.transaction.id()));
        self.uncovered.retain(|one| !leaving.contains(&one.transaction.id()));
    }

    /// Keeps the sender's transactions that its balance covers, oldest first; then readmits uncovered ones.
    pub(crate) fn recheck(&mut self, sender: Address, balance: Amount) -> Moves {
        let mut kept = 0;
        let mut uncovered = Vec::new();
        for one in self.by_age().into_iter().filter(|one| paid(&one.transaction).from == sender) {
            if kept + one.cost() <= balance.grains() {
                kept += one.cost();
            } else {
                uncovered.push(one);
            }
        }
        self.remove(&ids(&uncovered));
        let overflow = uncovered.into_iter().flat_map(|one| self.add_uncovered(one)).collect();
        let mut left = because(overflow, EvictionReason::NotCovered);
        let mut returned = Vec::new();
        for one in self.uncovered.clone().into_iter().filter(|one| paid(&one.transaction).from == sender) {
            let id = one.transaction.id();
            self.remove(&[id]);
            match self.offer(one, balance) {
                Ok((back, evicted)) => {
                    returned.extend(back);
                    left.extend(evicted);
                }
                Err(_) => left.push((id, EvictionReason::Outbid)),
            }
        }
        (returned, left)
    }

    pub(crate) fn expire(&mut self, now_ms: u64, at_most: usize) -> Vec<(TransactionId, EvictionReason)> {
        let mut leaving = [self.by_age(), self.uncovered.clone()].concat();
        leaving.retain(|one| now_ms > one.arrived_ms + self.limits.max_age_ms);
        leaving.truncate(at_most);
        let leaving = ids(&leaving);
        self.remove(&leaving);
        because(leaving, EvictionReason::Expired)
    }

    pub(crate) fn by_fee(&self) -> Vec<Waiting> {
        let mut sorted = self.by_age();
        // Stable: of equal ones the oldest stays first.
        sorted.sort_by(|one, other| other.pays(one));
        sorted
    }

    pub(crate) fn by_age(&self) -> Vec<Waiting> {
        let mut sorted = self.waiting.clone();
        sorted.sort_by_key(Waiting::age);
        sorted
    }

    pub(crate) fn outgoing(&self, address: Address) -> u64 {
        self.waiting.iter().filter(|one| paid(&one.transaction).from == address).map(Waiting::cost).sum()
    }

    pub(crate) fn incoming(&self, address: Address) -> u64 {
        let to_it = self.waiting.iter().filter(|one| paid(&one.transaction).to == address);
        to_it.map(|one| paid(&one.transaction).amount.grains()).sum()
    }

    /// The transactions of a block with this room: the oldest one that fits, and those after it that fit into a fifth
    /// together with it; then those with the highest fees that fit.
    pub(crate) fn template(&self, room: Room) -> Vec<TransactionId> {
        let fits = |some: &[Waiting], count: usize, bytes: usize| {
            some.len() <= count && some.iter().map(|one| one.bytes + 1).sum::<usize>() <= bytes
        };
        let mut oldest = self.by_age();
        let unfit = oldest.iter().take_while(|one| !fits(std::slice::from_ref(*one), room.count, room.bytes)).count();
        oldest.drain(..unfit);
        let longest = (2..=oldest.len()).rev();
        let mut prefixes =
            longest.filter(|length| fits(&oldest[..*length], room.count.div_ceil(5), room.bytes / 5)).chain([1]);
        oldest.truncate(prefixes.next().unwrap());
        let mut chosen = oldest;
        let reserved = ids(&chosen);
        for one in self.by_fee().into_iter().filter(|one| !reserved.contains(&one.transaction.id())) {
            chosen.push(one);
            if !fits(&chosen, room.count, room.bytes) {
                chosen.pop();
            }
        }
        ids(&chosen)
    }
}
