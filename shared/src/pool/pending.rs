//! Pending transactions, and their two orders: by fee per byte and by age.

use crate::ledger::{Amount, Holding, Part, Transaction, TransactionId, json_of};
use crate::params::Params;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A transaction that waits for a block. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// The length of its JSON, which counts in the pool.
    pub bytes: usize,
    /// What it takes of a block, in bytes: its length, or more if it takes a larger part of a block's gas.
    pub weight: usize,
    /// When it first arrived, in milliseconds since 1970.
    pub arrived_ms: u64,
    /// What it takes: the transaction's, so that they are collected once.
    pub(super) takes: Arc<[Part]>,
    /// Its order among arrivals in the same millisecond, assigned by the pool.
    pub(super) sequence: u64,
}

impl Pending {
    /// A transaction that arrived at `arrived_ms`, on a network without gas.
    pub fn new(transaction: Arc<Transaction>, arrived_ms: u64) -> Self {
        let bytes = json_of(&transaction).len();
        let takes = transaction.takes().into();
        Self { transaction, bytes, weight: bytes, arrived_ms, takes, sequence: 0 }
    }

    /// A transaction that arrived at `arrived_ms`, weighed by `weights`.
    pub fn weighed(transaction: Arc<Transaction>, arrived_ms: u64, weights: &Weights) -> Self {
        let unweighed = Self::new(transaction, arrived_ms);
        let weight = weights.weight(unweighed.bytes, unweighed.transaction.declared_gas());
        Self { weight, ..unweighed }
    }

    /// The transaction's id.
    pub fn id(&self) -> TransactionId {
        self.transaction.id()
    }

    /// What it takes, and from which holdings.
    pub fn takes(&self) -> &[Part] {
        &self.takes
    }

    /// Its fee per byte of weight.
    pub fn fee_rate(&self) -> FeeRate {
        FeeRate { fee: self.transaction.fee(), bytes: self.weight }
    }

    pub(super) fn age(&self) -> Age {
        Age { arrived_ms: self.arrived_ms, sequence: self.sequence }
    }
}

/// What holdings hold on the chain that the pool stands on. Every holding that the pool asks for must be known: those
/// that a transaction takes from, and [`super::Pool::related`] of those that changed.
pub trait Holds {
    /// What the holding holds: a balance; a coin's amount, or nothing if the coin is not there.
    fn amount_in(&self, holding: &Holding) -> Amount;
}

/// Every holding holds this much.
impl Holds for Amount {
    fn amount_in(&self, _: &Holding) -> Amount {
        *self
    }
}

/// Other holdings hold nothing.
impl Holds for BTreeMap<Holding, Amount> {
    fn amount_in(&self, holding: &Holding) -> Amount {
        self.get(holding).copied().unwrap_or_default()
    }
}

impl<T: Holds + ?Sized> Holds for &T {
    fn amount_in(&self, holding: &Holding) -> Amount {
        (*self).amount_in(holding)
    }
}

/// How much of a block gas takes, compared with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    max_data_bytes: u64,
    /// `None` on networks without gas.
    max_block_gas: Option<u64>,
}

impl Weights {
    /// The weights of a network.
    pub fn of(params: &Params) -> Self {
        Self { max_data_bytes: params.max_data_bytes, max_block_gas: params.max_block_gas }
    }

    fn weight(&self, bytes: usize, gas: u64) -> usize {
        let Some(max_block_gas) = self.max_block_gas else { return bytes };
        let by_gas = u128::from(gas) * u128::from(self.max_data_bytes) / u128::from(max_block_gas.max(1));
        // A block has room for a message, too, so that what declares all gas must not weigh as much as all bytes.
        let most = self.max_data_bytes / 10 * 9;
        bytes.max(usize::try_from(by_gas.min(u128::from(most))).unwrap_or(usize::MAX))
    }
}

/// Fee per byte, compared exactly: a rounded quotient would make different rates equal.
#[derive(Debug, Clone, Copy)]
pub struct FeeRate {
    fee: Amount,
    bytes: usize,
}

impl FeeRate {
    /// The smallest fee that is a higher rate for `bytes` bytes.
    pub(super) fn fee_above(self, bytes: usize) -> Amount {
        let same = u128::from(self.fee.grains()) * bytes as u128 / self.bytes.max(1) as u128;
        saturated(same + 1)
    }
}

impl Ord for FeeRate {
    fn cmp(&self, other: &Self) -> Ordering {
        let across = |fee: Amount, bytes: usize| u128::from(fee.grains()) * bytes as u128;
        across(self.fee, other.bytes).cmp(&across(other.fee, self.bytes))
    }
}

impl PartialOrd for FeeRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FeeRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for FeeRate {}

/// The unique position of a pending transaction in the order of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age {
    arrived_ms: u64,
    sequence: u64,
}

impl Age {
    /// Before all others.
    pub(super) const FIRST: Self = Self { arrived_ms: 0, sequence: 0 };
    /// After all others.
    pub(super) const LAST: Self = Self { arrived_ms: u64::MAX, sequence: u64::MAX };
}

/// A sum as an amount; [`Amount::MAX`] if it is more.
pub(super) fn saturated(grains: u128) -> Amount {
    u64::try_from(grains).ok().and_then(Amount::new).unwrap_or(Amount::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(fee: u64, bytes: usize) -> FeeRate {
        FeeRate { fee: Amount::new(fee).expect("a fee"), bytes }
    }

    #[test]
    fn rates_that_differ_only_in_the_last_digit_are_different() {
        let max = Amount::MAX.grains();
        assert!(rate(max, 1 << 25) > rate(max - 1, 1 << 25));
        assert!(rate(max - 1, (1 << 25) - 1) > rate(max, 1 << 25));
        assert!(rate(1, 1000) < rate(1, 999));
        assert_eq!(rate(2, 1000), rate(1, 500));
        assert_eq!(rate(0, 7), rate(0, 9));
    }

    #[test]
    fn the_fee_above_a_rate_is_the_smallest() {
        for (fee, bytes, other) in [(0, 500, 500), (1000, 500, 501), (999, 500, 499), (7, 3, 1), (1, 1000, 1)] {
            let above = rate(fee, bytes).fee_above(other).grains();
            assert!(rate(above, other) > rate(fee, bytes), "{fee}/{bytes} {above}/{other}");
            assert!(rate(above - 1, other) <= rate(fee, bytes), "{fee}/{bytes} {above}/{other}");
        }
    }

    #[test]
    fn a_transaction_weighs_its_larger_share_of_a_block() {
        let weights = Weights { max_data_bytes: 2_000_000, max_block_gas: Some(15_000_000) };
        assert_eq!(weights.weight(500, 0), 500);
        assert_eq!(weights.weight(500, 1_500_000), 200_000, "a tenth of the gas is a tenth of the block");
        assert_eq!(weights.weight(100_000, 21_000), 100_000);
        assert_eq!(weights.weight(1, 15_000_000), 1_800_000, "all of the gas leaves room for a message");
        assert_eq!(weights.weight(1, u64::MAX), 1_800_000);
        assert_eq!(Weights { max_block_gas: None, ..weights }.weight(500, 1_500_000), 500);
    }

    #[test]
    fn a_sum_above_the_maximum_is_the_maximum() {
        assert_eq!(saturated(u128::from(Amount::MAX.grains()) + 1), Amount::MAX);
        assert_eq!(saturated(u128::MAX), Amount::MAX);
        assert_eq!(saturated(5).grains(), 5);
    }
}
