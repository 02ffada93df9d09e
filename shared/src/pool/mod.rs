//! The pool: which transactions wait for a block, and which leave when there are too many (docs/protocol.md §11).
//!
//! It knows no clock, store, signature or chain. The caller passes what holdings hold and times, and ensures that a
//! transaction is well-formed, has a valid signature and is not confirmed. Each admission or removal costs at most a
//! logarithm of the pool's size. [`Staged`] adds what must happen before a change is on disk.
//!
//! After a change of the best chain, call [`Pool::remove_confirmed`] for each connected transaction, then
//! [`Pool::recheck`] with the holdings that changed and the disconnected transactions.
//!
//! A transaction that was accepted and that its holdings no longer cover is *uncovered*: only [`Pool::get`]
//! and [`Pool::uncovered`] return it until it is covered again, confirmed or expired.

mod accounts;
mod admission;
mod holdings;
mod pending;
mod refusal;
mod replacement;
mod staged;
mod template;
mod uncovered;

pub use pending::{FeeRate, Holds, Pending, Weights};
pub use refusal::{AdmissionError, Evicted, EvictionReason, PoolChanges};
pub use replacement::{CoinPolicy, DUST, Replacement};
pub use staged::{
    BatchOutcome, CommitReply, MAX_UNWRITTEN, MAX_WAITERS, PoolNews, PoolRow, StageError, Staged, TipChange, WriteBatch,
};
pub use template::{Room, select_transactions};

use crate::ledger::{Address, Amount, Holding, TransactionId};
use accounts::Accounts;
use holdings::Holdings;
use pending::{Age, saturated};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use uncovered::Uncovered;

/// The limits of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Most pending transactions.
    pub max_count: usize,
    /// Most bytes of their JSON in total.
    pub max_bytes: usize,
    /// Most pending transactions of one sender.
    pub max_per_sender: usize,
    /// Longest JSON of a transaction, in bytes: the room in a block. A longer one would stay the oldest for ever.
    pub max_transaction_bytes: usize,
    /// How long a transaction may wait, in milliseconds.
    pub max_age_ms: u64,
    /// The lowest fee of a newcomer.
    pub min_fee: Amount,
    /// What newcomers may do with coins.
    pub coins: CoinPolicy,
}

/// The transactions that wait for a block.
///
/// # Invariants
/// Within its limits; each transaction is there once. A holding covers all that pending transactions take from it
/// together, so they can be confirmed in any order.
#[derive(Debug)]
pub struct Pool {
    limits: PoolLimits,
    by_id: BTreeMap<TransactionId, Pending>,
    /// Highest fee per byte first; of equal ones the oldest.
    by_fee: BTreeMap<(Reverse<FeeRate>, Age), Pending>,
    by_age: BTreeMap<Age, Pending>,
    accounts: Accounts,
    holdings: Holdings,
    uncovered: Uncovered,
    /// Holdings that uncovered transactions wait for, and that others took from which left; also all that stored ones
    /// waited for.
    freed: BTreeSet<Holding>,
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
            holdings: Holdings::default(),
            uncovered: Uncovered::default(),
            freed: BTreeSet::new(),
            bytes: 0,
            next_sequence: 0,
            version: 0,
        }
    }

    /// Admits a transaction that was accepted before: one that a reorganisation disconnected or that was stored, oldest
    /// first, with its first arrival time if known. It becomes uncovered if its holdings do not cover it.
    ///
    /// The lowest fee and the sender's limit apply only to newcomers.
    ///
    /// # Errors
    /// The first rule that refuses it; then nothing has changed.
    pub fn readmit(&mut self, returned: Pending, holds: impl Holds) -> Result<PoolChanges, AdmissionError> {
        self.check_unknown(&returned)?;
        let returned = self.numbered(returned);
        let mut moved = PoolChanges::default();
        match self.check_fit(&returned, &holds, &[]) {
            Ok(outbid) => self.place(returned, outbid, &mut moved),
            Err(refusal) if refusal.is_cover() => self.keep_uncovered(returned, &mut moved),
            Err(refusal) => return Err(refusal),
        }
        Ok(moved)
    }

    /// Takes a stored transaction that was uncovered. The next [`Pool::recheck`] looks at it: disconnected transactions
    /// that take from the same holdings go first.
    ///
    /// # Errors
    /// [`AdmissionError::Known`].
    pub fn readmit_uncovered(&mut self, stored: Pending) -> Result<PoolChanges, AdmissionError> {
        self.check_unknown(&stored)?;
        let stored = self.numbered(stored);
        self.freed.extend(stored.takes().iter().map(|part| part.holding));
        let mut moved = PoolChanges::default();
        self.keep_uncovered(stored, &mut moved);
        Ok(moved)
    }

    /// Removes a confirmed transaction; `None` if it was neither pending nor uncovered.
    pub fn remove_confirmed(&mut self, id: &TransactionId) -> Option<Pending> {
        let pending = self.get(id)?.clone();
        self.remove_from_anywhere(&pending);
        Some(pending)
    }

    /// Applies what the changed holdings hold now: of each, the oldest pending transactions that it covers stay, the
    /// others become uncovered. Then `disconnected` return, oldest first: those of the blocks that a reorganisation
    /// undid. If something remains, uncovered ones become pending again, oldest first; also those that wait for another
    /// holding of a transaction that became uncovered. So of two rivals, the one returns that was in the chain.
    ///
    /// It looks at each uncovered transaction once, however many of its holdings changed.
    pub fn recheck(
        &mut self,
        changed: impl IntoIterator<Item = Holding>,
        disconnected: impl IntoIterator<Item = Pending>,
        holds: impl Holds,
    ) -> PoolChanges {
        let mut changed: BTreeSet<_> = changed.into_iter().collect();
        let (mut moved, mut left) = (PoolChanges::default(), Vec::new());
        for holding in &changed {
            self.freed.remove(holding);
            for pending in self.no_longer_covered(holding, holds.amount_in(holding)) {
                self.remove(&pending);
                left.extend(pending.takes().iter().map(|part| part.holding));
                self.keep_uncovered(pending, &mut moved);
            }
        }
        changed.extend(left);
        for pending in disconnected {
            match self.readmit(pending.clone(), &holds) {
                Ok(PoolChanges { uncovered, returned, evicted }) => {
                    moved.uncovered.extend(uncovered);
                    moved.returned.extend(returned);
                    moved.evicted.extend(evicted);
                }
                Err(AdmissionError::Known(_)) => {}
                Err(_) => moved.evicted.push(Evicted { pending, reason: EvictionReason::Outbid }),
            }
        }
        self.offer_uncovered(&changed, &holds, &mut moved);
        moved
    }

    /// `changed`, those of transactions that left since the last [`Pool::recheck`], and the other
    /// holdings that a recheck of these asks for: those of all transactions that take from one of them, of those that
    /// take from these, and so on.
    pub fn related(&self, changed: impl IntoIterator<Item = Holding>) -> BTreeSet<Holding> {
        let mut new: Vec<Holding> = changed.into_iter().chain(self.freed.iter().copied()).collect();
        let (mut related, mut seen) = (BTreeSet::new(), BTreeSet::new());
        while let Some(holding) = new.pop() {
            if related.insert(holding) {
                let pending = self.holdings.get(&holding).into_iter().flat_map(|takers| takers.by_age.values());
                let takers = pending.chain(self.uncovered.from(&holding)).filter(|taker| seen.insert(taker.age()));
                new.extend(takers.flat_map(|pending| pending.takes()).map(|part| part.holding));
            }
        }
        related
    }

    /// Removes at most `at_most` transactions that have waited too long, pending or uncovered, the oldest of each
    /// first.
    pub fn expire(&mut self, now_ms: u64, at_most: usize) -> Vec<Evicted> {
        let is_old = |pending: &&Pending| now_ms.saturating_sub(pending.arrived_ms) > self.limits.max_age_ms;
        let uncovered = self.uncovered.by_age().take_while(is_old);
        let dropped = self.by_age.values().take_while(is_old).chain(uncovered).take(at_most).cloned().collect();
        self.evict(dropped, EvictionReason::Expired)
    }

    /// The limits of this pool.
    pub fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    /// The number of pending transactions.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether no transaction is pending.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The bytes of their JSON in total.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A number that changes with each change of the pending transactions. Each pool starts at 0.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A transaction by its id, pending or uncovered.
    pub fn get(&self, id: &TransactionId) -> Option<&Pending> {
        self.by_id.get(id).or_else(|| self.uncovered.get(id))
    }

    /// The uncovered transactions, oldest first.
    pub fn uncovered(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.uncovered.by_age()
    }

    /// All pending transactions, highest fee per byte first; of equal ones the oldest.
    pub fn by_fee(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.by_fee.values()
    }

    /// All pending transactions, oldest first.
    pub fn by_age(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.by_age.values()
    }

    /// The pending transactions from and to an address, oldest first.
    pub fn of(&self, address: &Address) -> impl DoubleEndedIterator<Item = &Pending> {
        self.accounts.get(address).into_iter().flat_map(|account| account.all.values())
    }

    /// The number of pending transactions from and to an address.
    pub fn count_of(&self, address: &Address) -> usize {
        self.accounts.get(address).map_or(0, |account| account.all.len())
    }

    /// The sum of amounts and fees of the pending transactions from an address.
    pub fn outgoing(&self, address: &Address) -> Amount {
        saturated(self.accounts.get(address).map_or(0, |account| account.cost))
    }

    /// The sum of amounts of the pending transactions to an address; [`Amount::MAX`] if it is more.
    pub fn incoming(&self, address: &Address) -> Amount {
        saturated(self.accounts.get(address).map_or(0, |account| account.income))
    }

    /// The balance of an address once all pending transactions are confirmed: its balance at 0 confirmations.
    pub fn balance_with_pending(&self, address: &Address, confirmed: Amount) -> Amount {
        let (income, cost) = self.accounts.get(address).map_or((0, 0), |account| (account.income, account.cost));
        saturated((u128::from(confirmed.grains()) + income).saturating_sub(cost))
    }

    /// The pending transactions that a holding does not cover now that it holds `amount`, oldest first.
    fn no_longer_covered(&self, holding: &Holding, amount: Amount) -> Vec<Pending> {
        let Some(takers) = self.holdings.get(holding) else { return Vec::new() };
        if takers.sum <= u128::from(amount.grains()) {
            return Vec::new();
        }
        let mut left = amount;
        let mut is_covered = |pending: &Pending| {
            let part = pending.takes().iter().find(|part| part.holding == *holding);
            match part.and_then(|part| left.checked_sub(part.amount)) {
                Some(rest) => {
                    left = rest;
                    true
                }
                None => false,
            }
        };
        takers.by_age.values().filter(|pending| !is_covered(pending)).cloned().collect()
    }

    /// Makes the uncovered transactions that take from `changed` pending if they are covered now, oldest first.
    fn offer_uncovered(&mut self, changed: &BTreeSet<Holding>, holds: &dyn Holds, moved: &mut PoolChanges) {
        let waiting = changed.iter().flat_map(|holding| self.uncovered.from(holding));
        let waiting: BTreeMap<_, _> = waiting.map(|pending| (pending.age(), pending.clone())).collect();
        for pending in waiting.into_values() {
            match self.check_fit(&pending, holds, &[]) {
                Err(refusal) if refusal.is_cover() => {}
                Ok(outbid) => {
                    self.uncovered.remove(&pending);
                    self.place(pending, outbid, moved);
                }
                // Covered again, but the pool is full and the others pay more.
                Err(_) => moved.evicted.extend(self.evict(vec![pending], EvictionReason::Outbid)),
            }
        }
    }

    fn keep_uncovered(&mut self, pending: Pending, moved: &mut PoolChanges) {
        moved.evicted.extend(self.uncovered.insert(pending.clone(), &self.limits));
        moved.uncovered.push(pending);
    }

    /// Makes a transaction pending that was accepted before, in place of those that it outbids.
    fn place(&mut self, pending: Pending, outbid: Vec<Pending>, moved: &mut PoolChanges) {
        moved.evicted.extend(self.evict(outbid, EvictionReason::Outbid));
        self.insert(pending.clone());
        moved.returned.push(pending);
    }

    fn numbered(&mut self, pending: Pending) -> Pending {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        Pending { sequence, ..pending }
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
        let holdings = pending.takes().iter().map(|part| part.holding);
        self.freed.extend(holdings.filter(|holding| self.uncovered.from(holding).next().is_some()));
    }

    fn insert(&mut self, pending: Pending) {
        self.accounts.insert(&pending);
        self.holdings.insert(&pending);
        self.by_fee.insert((Reverse(pending.fee_rate()), pending.age()), pending.clone());
        self.by_age.insert(pending.age(), pending.clone());
        self.bytes += pending.bytes;
        self.by_id.insert(pending.id(), pending);
        self.version += 1;
    }

    fn remove(&mut self, pending: &Pending) {
        self.accounts.remove(pending);
        self.holdings.remove(pending);
        self.by_fee.remove(&(Reverse(pending.fee_rate()), pending.age()));
        self.by_age.remove(&pending.age());
        self.bytes -= pending.bytes;
        self.by_id.remove(&pending.id());
        self.version += 1;
    }
}
