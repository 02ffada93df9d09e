//! Caps of the hash rate.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Hashes per second of all mining threads of a node together.
///
/// A cap lets many nodes share one machine and makes "a node with twice the hash rate" an exact thing to set up.
/// Its text is `unlimited` or a positive number; in `Config.toml` the number may stand without quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashrate {
    /// As fast as the threads can.
    Unlimited,
    /// At most this many hashes per second; 0 counts as 1.
    PerSecond(u64),
}

/// The text is not a hash rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected \"unlimited\" or a number of hashes per second from 1 up")]
pub struct BadHashrate;

impl FromStr for Hashrate {
    type Err = BadHashrate;

    fn from_str(text: &str) -> Result<Self, BadHashrate> {
        if text.eq_ignore_ascii_case("unlimited") {
            return Ok(Self::Unlimited);
        }
        match text.parse() {
            Ok(0) | Err(_) => Err(BadHashrate),
            Ok(n) => Ok(Self::PerSecond(n)),
        }
    }
}

impl fmt::Display for Hashrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::PerSecond(n) => n.fmt(f),
        }
    }
}

impl Serialize for Hashrate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unlimited => serializer.collect_str(self),
            Self::PerSecond(n) => serializer.serialize_u64(*n),
        }
    }
}

impl<'de> Deserialize<'de> for Hashrate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = Hashrate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"unlimited\" or a number of hashes per second from 1 up")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Hashrate, E> {
                text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Hashrate, E> {
                if number == 0 {
                    return Err(E::invalid_value(serde::de::Unexpected::Unsigned(0), &self));
                }
                Ok(Hashrate::PerSecond(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Hashrate, E> {
                let positive = u64::try_from(number);
                positive
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
                    .and_then(|number| self.visit_u64(number))
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlimited_and_positive_numbers_are_hash_rates_and_nothing_else_is() {
        for (json, expected) in [
            ("\"unlimited\"", Some(Hashrate::Unlimited)),
            ("\"Unlimited\"", Some(Hashrate::Unlimited)),
            ("1", Some(Hashrate::PerSecond(1))),
            ("\"250000\"", Some(Hashrate::PerSecond(250_000))),
            ("0", None),
            ("\"0\"", None),
            ("-1", None),
            ("1.5", None),
            ("\"fast\"", None),
            ("true", None),
        ] {
            assert_eq!(serde_json::from_str::<Hashrate>(json).ok(), expected, "{json}");
        }
    }
}
