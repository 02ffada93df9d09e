//! Pending transactions, and their two orders: by fee per byte and by age.

use crate::ledger::{Amount, Transaction, TransactionId, json_of};
use std::cmp::Ordering;
use std::sync::Arc;

/// A transaction that waits for a block. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// The length of its JSON, which counts in a block and in the pool.
    pub bytes: usize,
    /// When it first arrived, in milliseconds since 1970.
    pub arrived_ms: u64,
    /// Its order among arrivals in the same millisecond, assigned by the pool.
    pub(super) sequence: u64,
}

impl Pending {
    /// A transaction that arrived at `arrived_ms`.
    pub fn new(transaction: Arc<Transaction>, arrived_ms: u64) -> Self {
        let bytes = json_of(&transaction).len();
        Self { transaction, bytes, arrived_ms, sequence: 0 }
    }

    /// The transaction's id.
    pub fn id(&self) -> TransactionId {
        self.transaction.id
    }

    /// Its fee per byte.
    pub fn fee_rate(&self) -> FeeRate {
        FeeRate { fee: self.transaction.fee, bytes: self.bytes }
    }

    pub(super) fn age(&self) -> Age {
        Age { arrived_ms: self.arrived_ms, sequence: self.sequence }
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
    fn a_sum_above_the_maximum_is_the_maximum() {
        assert_eq!(saturated(u128::from(Amount::MAX.grains()) + 1), Amount::MAX);
        assert_eq!(saturated(u128::MAX), Amount::MAX);
        assert_eq!(saturated(5).grains(), 5);
    }
}
