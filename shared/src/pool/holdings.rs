//! What pending transactions take from each holding.

use super::pending::Age;
use super::{Pending, Pool};
use crate::ledger::Holding;
use std::collections::BTreeMap;

/// The pending transactions that take from one holding.
#[derive(Debug, Default)]
pub(super) struct Takers {
    /// Oldest first.
    pub(super) by_age: BTreeMap<Age, Pending>,
    /// What they take together: wider than an amount, since the holding may have lost what they were admitted for.
    pub(super) sum: u128,
}

/// Has an entry for exactly the holdings that a pending transaction takes from.
#[derive(Debug, Default)]
pub(super) struct Holdings(BTreeMap<Holding, Takers>);

impl Holdings {
    pub(super) fn get(&self, holding: &Holding) -> Option<&Takers> {
        self.0.get(holding)
    }

    /// What is taken from a holding.
    pub(super) fn taken(&self, holding: &Holding) -> u128 {
        self.get(holding).map_or(0, |takers| takers.sum)
    }

    pub(super) fn insert(&mut self, pending: &Pending) {
        for part in pending.takes() {
            let takers = self.0.entry(part.holding).or_default();
            takers.by_age.insert(pending.age(), pending.clone());
            takers.sum += u128::from(part.amount.grains());
        }
    }

    /// Removes what was inserted.
    pub(super) fn remove(&mut self, pending: &Pending) {
        for part in pending.takes() {
            let Some(takers) = self.0.get_mut(&part.holding) else { continue };
            takers.by_age.remove(&pending.age());
            takers.sum -= u128::from(part.amount.grains());
            if takers.by_age.is_empty() {
                self.0.remove(&part.holding);
            }
        }
    }
}

impl Pool {
    /// The oldest pending transaction that takes from a holding: of a coin, the only one.
    pub fn first_taker(&self, holding: &Holding) -> Option<&Pending> {
        self.holdings.get(holding).and_then(|takers| takers.by_age.values().next())
    }
}
