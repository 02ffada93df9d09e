//! The pending transactions by address, in both directions, with running totals.

use super::Pending;
use super::pending::Age;
use crate::ledger::Address;
use std::collections::BTreeMap;

/// The pending transactions of one address.
///
/// Totals are wider than an amount: many transactions can pay one address, each up to [`crate::ledger::Amount::MAX`].
#[derive(Debug, Default)]
pub(super) struct Account {
    /// To and from the address, oldest first; a payment to itself is here once.
    pub(super) all: BTreeMap<Age, Pending>,
    /// From the address, oldest first.
    pub(super) outgoing: BTreeMap<Age, Pending>,
    /// The sum of amounts and fees from it.
    pub(super) cost: u128,
    /// The sum of amounts to it.
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
        let transaction = &pending.transaction;
        let sender = self.0.entry(transaction.from).or_default();
        sender.all.insert(pending.age(), pending.clone());
        sender.outgoing.insert(pending.age(), pending.clone());
        sender.cost += u128::from(transaction.cost().grains());
        let receiver = self.0.entry(transaction.to).or_default();
        receiver.all.insert(pending.age(), pending.clone());
        receiver.income += u128::from(transaction.amount.grains());
    }

    /// Removes what was inserted.
    pub(super) fn remove(&mut self, pending: &Pending) {
        let transaction = &pending.transaction;
        if let Some(sender) = self.0.get_mut(&transaction.from) {
            sender.all.remove(&pending.age());
            sender.outgoing.remove(&pending.age());
            sender.cost -= u128::from(transaction.cost().grains());
        }
        if let Some(receiver) = self.0.get_mut(&transaction.to) {
            receiver.all.remove(&pending.age());
            receiver.income -= u128::from(transaction.amount.grains());
        }
        for address in [transaction.from, transaction.to] {
            if self.0.get(&address).is_some_and(|account| account.all.is_empty()) {
                self.0.remove(&address);
            }
        }
    }
}
