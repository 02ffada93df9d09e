//! Money: a whole number of grains that every JSON reader represents exactly (docs/protocol.md §1).

use crate::json::{self, MAX_INTEGER};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A count of grains; 100,000,000 of them are 1 LAB.
///
/// # Invariants
/// At most 2^53 - 1. Arithmetic returns `None` rather than leaving that range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[schema(value_type = u64, maximum = 9007199254740991u64)]
pub struct Amount(u64);

/// Why a text is not an amount of LAB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// Not digits with at most one point between them.
    #[error("{0:?} is not an amount: expected digits, as in 12 or 0.5")]
    NotANumber(String),
    /// A negative amount.
    #[error("{0} is negative: an amount is what moves, and that is never less than nothing")]
    Negative(String),
    /// More than 8 digits after the point.
    #[error("{0} has more than 8 digits after the point: the smallest amount is 0.00000001 LAB, one grain")]
    TooPrecise(String),
    /// More than [`Amount::MAX`].
    #[error("{0} LAB is more than there can be: at most {max} LAB", max = Amount::MAX)]
    TooLarge(String),
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 2^53 - 1 grains.
    pub const MAX: Self = Self(MAX_INTEGER);
    /// Grains in one LAB.
    pub const GRAINS_PER_LAB: u64 = 100_000_000;

    /// An amount of `grains`; `None` above 2^53 - 1.
    pub const fn new(grains: u64) -> Option<Self> {
        if grains <= MAX_INTEGER { Some(Self(grains)) } else { None }
    }

    /// How many grains.
    pub const fn grains(self) -> u64 {
        self.0
    }

    /// The sum; `None` above [`Amount::MAX`].
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        // Two numbers below 2^53 do not overflow.
        Self::new(self.0 + other.0)
    }

    /// The difference; `None` if it would be negative.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(left) => Some(Self(left)),
            None => None,
        }
    }

    /// Reads an amount of LAB as people write it: `12`, `0.5`.
    ///
    /// # Errors
    /// Why it is not an amount, for people.
    pub fn from_lab(text: &str) -> Result<Self, BadAmount> {
        let wrong = |error: fn(String) -> BadAmount| error(text.to_owned());
        if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')) {
            return Err(wrong(BadAmount::Negative));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(wrong(BadAmount::NotANumber));
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 8 {
            return Err(wrong(BadAmount::TooPrecise));
        }
        let grains = || {
            let whole: u64 = whole.parse().ok()?;
            let fraction: u64 = format!("{fraction:0<8}").parse().ok()?;
            Self::new(whole.checked_mul(Self::GRAINS_PER_LAB)?.checked_add(fraction)?)
        };
        grains().ok_or_else(|| wrong(BadAmount::TooLarge))
    }
}

impl fmt::Display for Amount {
    /// In LAB, for people: `12`, `0.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / Self::GRAINS_PER_LAB, self.0 % Self::GRAINS_PER_LAB);
        let text = if fraction == 0 { whole.to_string() } else { format!("{whole}.{fraction:08}") };
        f.pad(if fraction == 0 { &text } else { text.trim_end_matches('0') })
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::integer(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_is_read_and_shown_exactly() {
        for (text, grains, shown) in [
            ("0", 0, "0"),
            ("12", 1_200_000_000, "12"),
            ("0.5", 50_000_000, "0.5"),
            ("1.50000000000", 150_000_000, "1.5"),
            ("0.00000001", 1, "0.00000001"),
            ("90071992.54740991", MAX_INTEGER, "90071992.54740991"),
        ] {
            let amount = Amount::from_lab(text).unwrap();
            assert_eq!((amount.grains(), amount.to_string()), (grains, shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (text, words) in [
            ("-1", "negative"),
            ("-.5", "negative"),
            ("0.000000001", "more than 8 digits"),
            ("90071992.54740992", "more than there can be"),
            ("99999999999999999999999", "more than there can be"),
            ("", "not an amount"),
            ("1e3", "not an amount"),
            ("NaN", "not an amount"),
            ("inf", "not an amount"),
            ("1,5", "not an amount"),
            ("+1", "not an amount"),
            (".5", "not an amount"),
            ("5.", "not an amount"),
            ("0x10", "not an amount"),
            ("1_000", "not an amount"),
            ("-", "not an amount"),
        ] {
            let error = Amount::from_lab(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn arithmetic_never_leaves_the_range() {
        assert_eq!(Amount::MAX.checked_add(Amount(1)), None);
        assert_eq!(Amount(1).checked_sub(Amount(2)), None);
        assert_eq!(Amount(1).checked_add(Amount(2)), Some(Amount(3)));
        assert_eq!(Amount::new(MAX_INTEGER + 1), None);
    }
}
