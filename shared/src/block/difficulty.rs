//! Difficulty, target and work: three forms of one number (docs/protocol.md §3).

use super::BlockHash;
use crate::json::{self, deserialize_from_text, serialize_as_text};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::str::FromStr;

/// The expected number of hashes that finding a block takes.
///
/// # Invariants
/// Lies in `1 ..= 2^53 - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[schema(value_type = u64, minimum = 1, maximum = 9007199254740991u64)]
pub struct Difficulty(u64);

impl Difficulty {
    /// Every hash meets it.
    pub const MIN: Self = Self(1);
    /// 2^53 - 1.
    pub const MAX: Self = Self(json::MAX_INTEGER);

    /// The difficulty `value`, if it is within the bounds.
    pub const fn new(value: u64) -> Option<Self> {
        if value >= Self::MIN.0 && value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }

    /// `value` moved into the bounds, the last step of every retarget rule (docs/protocol.md §5).
    pub const fn clamped(value: u128) -> Self {
        if value < Self::MIN.0 as u128 {
            Self::MIN
        } else if value > Self::MAX.0 as u128 {
            Self::MAX
        } else {
            Self(value as u64)
        }
    }

    /// The number itself.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// `floor((2^256 - 1) / difficulty)`: the largest hash that meets this difficulty.
    pub fn target(self) -> Target {
        let mut target = [0; 32];
        let mut remainder = 0_u128;
        // Schoolbook division, 64 bits at a time; the remainder stays below 2^53, so nothing overflows.
        for word in target.chunks_exact_mut(8) {
            let dividend = remainder << 64 | u128::from(u64::MAX);
            let quotient = dividend / u128::from(self.0);
            remainder = dividend % u128::from(self.0);
            word.copy_from_slice(&(quotient as u64).to_be_bytes());
        }
        Target(target)
    }

    /// The work that a block of this difficulty adds to its chain.
    pub const fn work(self) -> Work {
        Work(self.0 as u128)
    }
}

impl fmt::Display for Difficulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Difficulty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = json::integer(deserializer)?;
        Self::new(value).ok_or_else(|| serde::de::Error::custom("a difficulty is at least 1"))
    }
}

/// The largest valid hash, read as a 256-bit big-endian integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct Target([u8; 32]);

impl Target {
    /// Whether `hash` is at most the target.
    pub fn is_met_by(&self, hash: &BlockHash) -> bool {
        *hash.as_bytes() <= self.0
    }

    /// Big-endian bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BlockHash::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl FromStr for Target {
    type Err = super::NotAHash;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<BlockHash>().map(|hash| Self(*hash.as_bytes()))
    }
}

serialize_as_text!(Target);
deserialize_from_text!(Target, "64 lower-case hex digits");

/// Total work: the sum of the difficulties of a chain's blocks, including genesis. The best chain has the most.
///
/// A decimal string in JSON. Heights and difficulties stay below 2^53, so sums stay far below 2^128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]+$", example = "327681")]
pub struct Work(pub u128);

impl Work {
    /// This work times `factor`, at most the largest number.
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor as u128))
    }

    /// The difference, or 0 if `other` is more.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Work {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(works: I) -> Self {
        works.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Work {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

serialize_as_text!(Work);
deserialize_from_text!(Work, "a decimal number as a string");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_sixteen_is_that_many_leading_hex_zeros() {
        for zeros in 0..13 {
            let target = Difficulty::new(16_u64.pow(zeros)).unwrap().target().to_string();
            let expected = "0".repeat(zeros as usize) + &"f".repeat(64 - zeros as usize);
            assert_eq!(target, expected);
        }
    }

    #[test]
    fn the_target_of_three_is_a_third() {
        assert_eq!(Difficulty::new(3).unwrap().target().to_string(), "5".repeat(64));
        let largest = "0000000000000800000000000040000000000002000000000000100000000000";
        assert_eq!(Difficulty::MAX.target().to_string(), largest);
    }

    #[test]
    fn a_hash_equal_to_the_target_meets_it_and_one_more_does_not() {
        let target = Difficulty::new(3).unwrap().target();
        let mut hash = *target.as_bytes();
        assert!(target.is_met_by(&BlockHash::from_bytes(hash)));
        hash[31] += 1;
        assert!(!target.is_met_by(&BlockHash::from_bytes(hash)));
    }
}
