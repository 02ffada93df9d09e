//! The pending transactions by address, in both directions, with running totals.

use super::Pending;
use super::pending::Age;
use crate::ledger::{Address, Part};
use std::collections::BTreeMap;

/// The pending transactions of one address.
///
/// Totals are wider than an amount: many transactions can pay one address, each up to [`crate::ledger::Amount::MAX`].
#[derive(Debug, Default)]
pub(super) struct Account {
    /// To and from the address, oldest first; one that does both is here once.
    pub(super) all: BTreeMap<Age, Pending>,
    /// How many take from it.
    pub(super) outgoing: usize,
    /// The sum of what they take.
    pub(super) cost: u128,
    /// The sum of what is given to it.
    pub(super) income: u128,
}

/// Has an entry for exactly the addresses with pending transactions.
#[derive(Debug, Default)]
pub(super) struct Accounts(BTreeMap<Address, Account>);

impl Accounts {
    pub(super) fn get(&self, address: &Address) -> Option<&Account> {
        self.0.get(address)
    }

    pub(super) fn insert(&mut self, pending: &Pending) {
        for part in pending.takes() {
            let owner = self.0.entry(part.address).or_default();
            owner.cost += grains(part);
        }
        for part in &pending.transaction.gives() {
            self.0.entry(part.address).or_default().income += grains(part);
        }
        for (address, is_owner) in addresses(pending) {
            let account = self.0.entry(address).or_default();
            account.all.insert(pending.age(), pending.clone());
            account.outgoing += usize::from(is_owner);
        }
    }

    /// Removes what was inserted.
    pub(super) fn remove(&mut self, pending: &Pending) {
        for part in pending.takes() {
            self.0.entry(part.address).or_default().cost -= grains(part);
        }
        for part in &pending.transaction.gives() {
            self.0.entry(part.address).or_default().income -= grains(part);
        }
        for (address, is_owner) in addresses(pending) {
            let account = self.0.entry(address).or_default();
            account.all.remove(&pending.age());
            account.outgoing -= usize::from(is_owner);
            if account.all.is_empty() {
                self.0.remove(&address);
            }
        }
    }
}

/// The addresses of a transaction, each once, and whether it takes from them.
fn addresses(pending: &Pending) -> BTreeMap<Address, bool> {
    let mut addresses: BTreeMap<_, _> = pending.transaction.gives().iter().map(|part| (part.address, false)).collect();
    addresses.extend(pending.takes().iter().map(|part| (part.address, true)));
    addresses
}

fn grains(part: &Part) -> u128 {
    u128::from(part.amount.grains())
}
