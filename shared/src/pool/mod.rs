//! The pool: which transactions wait for a block, and which leave when there are too many (docs/protocol.md §11).
//!
//! It knows no clock, store, signature or chain: balances and times are told to it, and that a transaction is well-formed,
//! rightly signed and not confirmed yet is for the caller to see to. Nothing here costs more than a logarithm of the
//! pool's size for each transaction that comes or goes.
//!
//! After a change of the best chain, in this order: [`Pool::remove_confirmed`] for each transaction that is in the chain now,
//! [`Pool::recheck_sender`] for each address that it changed, [`Pool::readmit`] for each transaction that fell out of it.
//!
//! What was accepted and is not covered any more is held aside: [`Pool::get`] knows it, and it is nowhere else until it is
//! covered again, confirmed or too old.

mod accounts;
mod pending;
mod refusal;
mod template;
mod uncovered;

pub use pending::{FeeRate, Pending};
pub use refusal::{AdmissionError, Evicted, EvictionReason, PoolChanges};
pub use template::{Room, select_transactions};

use crate::ledger::{Address, Amount, TransactionId};
use accounts::Accounts;
use pending::{Age, saturated};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use uncovered::Uncovered;

/// What bounds a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Most pending transactions.
    pub max_count: usize,
    /// Most bytes of their JSON together.
    pub max_bytes: usize,
    /// Most pending transactions of one sender.
    pub max_per_sender: usize,
    /// Longest JSON of one: what a block has room for. One that fits into no block would be the oldest for ever.
    pub max_transaction_bytes: usize,
    /// How long one may wait, in milliseconds.
    pub max_age_ms: u64,
    /// The least fee that is passed on.
    pub min_fee: Amount,
}

/// The transactions that wait for a block.
///
/// # Invariants
/// Within its limits, each transaction once. What a sender's pending transactions cost together was covered by its balance
/// when the last of them came; so they take effect in any order, as long as the balance stays.
#[derive(Debug)]
pub struct Pool {
    limits: PoolLimits,
    by_id: BTreeMap<TransactionId, Pending>,
    /// The best paid first; of equal ones the oldest.
    by_fee: BTreeMap<(Reverse<FeeRate>, Age), Pending>,
    by_age: BTreeMap<Age, Pending>,
    accounts: Accounts,
    uncovered: Uncovered,
    bytes: usize,
    next_sequence: u64,
    version: u64,
}

impl Pool {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            by_id: BTreeMap::new(),
            by_fee: BTreeMap::new(),
            by_age: BTreeMap::new(),
            accounts: Accounts::default(),
            uncovered: Uncovered::default(),
            bytes: 0,
            next_sequence: 0,
            version: 0,
        }
    }

    /// Whether [`Pool::admit`] would take it: to know before its signature is checked, which costs more than all of this.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn check(&self, newcomer: &Pending, balance: Amount) -> Result<(), AdmissionError> {
        self.check_relay(newcomer)?;
        self.check_fit(newcomer, balance).map(drop)
    }

    /// Takes a transaction whose sender has this confirmed balance; answers what had to leave for it.
    ///
    /// # Errors
    /// The first rule that refuses it; then nothing has changed.
    pub fn admit(&mut self, newcomer: Pending, balance: Amount) -> Result<Vec<Evicted>, AdmissionError> {
        self.check_relay(&newcomer)?;
        let outbid = self.check_fit(&newcomer, balance)?;
        let newcomer = self.numbered(newcomer);
        Ok(self.insert_for(outbid, newcomer))
    }

    /// Takes back what was accepted before, with the time of its first arrival where that is known: what a reorganisation
    /// took out of the chain, or at a start what was stored, the oldest first. What is not covered is held aside.
    ///
    /// The least fee and the share of its sender apply to newcomers only.
    ///
    /// # Errors
    /// The first rule that refuses it; then nothing has changed.
    pub fn readmit(&mut self, returned: Pending, balance: Amount) -> Result<PoolChanges, AdmissionError> {
        self.check_unknown(&returned)?;
        let returned = self.numbered(returned);
        self.offer(returned, balance)
    }

    /// Removes a transaction that is in the chain now; `None` if it was neither pending nor held aside.
    pub fn remove_confirmed(&mut self, id: &TransactionId) -> Option<Pending> {
        let pending = self.get(id)?.clone();
        self.remove_from_anywhere(&pending);
        Some(pending)
    }

    /// Holds aside what a sender's changed balance no longer covers: the oldest are kept, one by one, as far as it goes.
    /// With what is left of it those return that were held aside, the oldest first.
    pub fn recheck_sender(&mut self, sender: &Address, balance: Amount) -> PoolChanges {
        let mut moved = PoolChanges::default();
        for pending in self.no_longer_covered(sender, balance) {
            self.remove(&pending);
            moved.evicted.extend(self.uncovered.insert(pending, &self.limits));
        }
        let uncovered: Vec<_> = self.uncovered.from(sender).cloned().collect();
        for pending in uncovered {
            self.uncovered.remove(&pending);
            match self.offer(pending.clone(), balance) {
                Ok(PoolChanges { returned, evicted }) => {
                    moved.returned.extend(returned);
                    moved.evicted.extend(evicted);
                }
                // Covered again, and others pay more.
                Err(_) => moved.evicted.push(Evicted { pending, reason: EvictionReason::Outbid }),
            }
        }
        moved
    }

    /// Drops what has waited for too long, pending or aside, the oldest of each first and at most so many at a time.
    pub fn expire(&mut self, now_ms: u64, at_most: usize) -> Vec<Evicted> {
        let is_old = |pending: &&Pending| now_ms.saturating_sub(pending.arrived_ms) > self.limits.max_age_ms;
        let uncovered = self.uncovered.by_age().take_while(is_old);
        let dropped = self.by_age.values().take_while(is_old).chain(uncovered).take(at_most).cloned().collect();
        self.evict(dropped, EvictionReason::Expired)
    }

    /// What bounds this pool.
    pub fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    /// How many are pending.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The bytes of their JSON together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A number that is another after each change; it begins anew with each pool.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A transaction by its id, pending or held aside.
    pub fn get(&self, id: &TransactionId) -> Option<&Pending> {
        self.by_id.get(id).or_else(|| self.uncovered.get(id))
    }

    /// Those that are held aside until they are covered again, the oldest first.
    pub fn uncovered(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.uncovered.by_age()
    }

    /// All, the best paid per byte first; of equal ones the oldest.
    pub fn by_fee(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.by_fee.values()
    }

    /// All, the oldest first.
    pub fn by_age(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.by_age.values()
    }

    /// Those from and to an address, the oldest first.
    pub fn of(&self, address: &Address) -> impl DoubleEndedIterator<Item = &Pending> {
        self.accounts.get(address).into_iter().flat_map(|account| account.all.values())
    }

    /// How many there are from and to an address.
    pub fn count_of(&self, address: &Address) -> usize {
        self.accounts.get(address).map_or(0, |account| account.all.len())
    }

    /// What the pending transactions from an address cost together, fees included.
    pub fn outgoing(&self, address: &Address) -> Amount {
        saturated(self.accounts.get(address).map_or(0, |account| account.cost))
    }

    /// What the pending transactions to an address bring together; the largest amount where it is more.
    pub fn incoming(&self, address: &Address) -> Amount {
        saturated(self.accounts.get(address).map_or(0, |account| account.income))
    }

    /// What an address with this confirmed balance has once all is confirmed: its balance at 0 confirmations.
    pub fn balance_with_pending(&self, address: &Address, confirmed: Amount) -> Amount {
        let (income, cost) = self.accounts.get(address).map_or((0, 0), |account| (account.income, account.cost));
        saturated((u128::from(confirmed.grains()) + income).saturating_sub(cost))
    }

    /// The rules for newcomers only.
    fn check_relay(&self, newcomer: &Pending) -> Result<(), AdmissionError> {
        let (transaction, limits) = (&newcomer.transaction, &self.limits);
        self.check_unknown(newcomer)?;
        if transaction.fee < limits.min_fee {
            return Err(AdmissionError::BelowMinFee { fee: transaction.fee, least: limits.min_fee });
        }
        let count = self.accounts.get(&transaction.from).map_or(0, |account| account.outgoing.len());
        if count >= limits.max_per_sender {
            return Err(AdmissionError::TooManyOfSender { sender: transaction.from, limit: limits.max_per_sender });
        }
        Ok(())
    }

    /// The rules for everything; answers what must leave.
    fn check_fit(&self, newcomer: &Pending, balance: Amount) -> Result<Vec<Pending>, AdmissionError> {
        let limit = self.limits.max_transaction_bytes.min(self.limits.max_bytes);
        if newcomer.bytes > limit {
            return Err(AdmissionError::TooLarge { bytes: newcomer.bytes, limit });
        }
        let (sender, cost) = (newcomer.transaction.from, newcomer.transaction.cost());
        // What would have to leave counts, too: nobody gets room in a balance by pushing out what it has pending.
        let pending = self.outgoing(&sender);
        if pending.checked_add(cost).is_none_or(|sum| sum > balance) {
            return Err(AdmissionError::Overspend { sender, balance, pending, cost });
        }
        self.outbid_by(newcomer)
    }

    fn check_unknown(&self, newcomer: &Pending) -> Result<(), AdmissionError> {
        if self.get(&newcomer.id()).is_some() { Err(AdmissionError::Known(newcomer.id())) } else { Ok(()) }
    }

    /// The cheapest, as many as must leave to make room; each pays less per byte than the newcomer.
    fn outbid_by(&self, newcomer: &Pending) -> Result<Vec<Pending>, AdmissionError> {
        let (mut count, mut bytes) = (self.len() + 1, self.bytes + newcomer.bytes);
        let mut outbid = Vec::new();
        let mut cheapest_first = self.by_fee.values().rev();
        while count > self.limits.max_count || bytes > self.limits.max_bytes {
            let Some(cheapest) = cheapest_first.next() else { break };
            count -= 1;
            bytes -= cheapest.bytes;
            outbid.push(cheapest.clone());
        }
        let full = |least| AdmissionError::Full { bytes: newcomer.bytes, fee: newcomer.transaction.fee, least };
        if count > self.limits.max_count {
            return Err(full(Amount::MAX));
        }
        match outbid.last().map(Pending::fee_rate) {
            Some(dearest) if newcomer.fee_rate() <= dearest => Err(full(dearest.fee_above(newcomer.bytes))),
            _ => Ok(outbid),
        }
    }

    /// What a balance does not cover of its sender's pending ones, the oldest first.
    fn no_longer_covered(&self, sender: &Address, balance: Amount) -> Vec<Pending> {
        let Some(account) = self.accounts.get(sender) else { return Vec::new() };
        if account.cost <= u128::from(balance.grains()) {
            return Vec::new();
        }
        let mut left = balance;
        let mut is_covered = |pending: &Pending| match left.checked_sub(pending.transaction.cost()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        account.outgoing.values().filter(|pending| !is_covered(pending)).cloned().collect()
    }

    /// Puts what was accepted before where it belongs: among the pending ones if it is covered, else aside.
    fn offer(&mut self, pending: Pending, balance: Amount) -> Result<PoolChanges, AdmissionError> {
        match self.check_fit(&pending, balance) {
            Ok(outbid) => {
                let evicted = self.insert_for(outbid, pending.clone());
                Ok(PoolChanges { returned: vec![pending], evicted })
            }
            Err(AdmissionError::Overspend { .. }) => {
                Ok(PoolChanges { returned: Vec::new(), evicted: self.uncovered.insert(pending, &self.limits) })
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn numbered(&mut self, pending: Pending) -> Pending {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        Pending { sequence, ..pending }
    }

    fn insert_for(&mut self, outbid: Vec<Pending>, pending: Pending) -> Vec<Evicted> {
        let evicted = self.evict(outbid, EvictionReason::Outbid);
        self.insert(pending);
        evicted
    }

    fn evict(&mut self, leaving: Vec<Pending>, reason: EvictionReason) -> Vec<Evicted> {
        leaving.iter().for_each(|pending| self.remove_from_anywhere(pending));
        leaving.into_iter().map(|pending| Evicted { pending, reason }).collect()
    }

    fn remove_from_anywhere(&mut self, pending: &Pending) {
        if self.by_id.contains_key(&pending.id()) {
            self.remove(pending);
        } else {
            self.uncovered.remove(pending);
        }
    }

    fn insert(&mut self, pending: Pending) {
        self.accounts.insert(&pending);
        self.by_fee.insert((Reverse(pending.fee_rate()), pending.age()), pending.clone());
        self.by_age.insert(pending.age(), pending.clone());
        self.bytes += pending.bytes;
        self.by_id.insert(pending.id(), pending);
        self.version += 1;
    }

    fn remove(&mut self, pending: &Pending) {
        self.accounts.remove(pending);
        self.by_fee.remove(&(Reverse(pending.fee_rate()), pending.age()));
        self.by_age.remove(&pending.age());
        self.bytes -= pending.bytes;
        self.by_id.remove(&pending.id());
        self.version += 1;
    }
}
