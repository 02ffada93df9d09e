//! Numbers in paths and queries: one reading of them, and one description.

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use shared::json::MAX_INTEGER;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// A number in a path or query: digits, at most 2^53 - 1, as in JSON (docs/protocol.md §1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Number(pub u64);

/// The text is not a [`Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected digits, at most {MAX_INTEGER}")]
pub struct NotANumber;

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        // The parser of integers also takes a plus sign.
        let is_number = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten().filter(|number| *number <= MAX_INTEGER);
        number.map(Self).ok_or(NotANumber)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "digits, at most {MAX_INTEGER}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                let shown: String = text.chars().take(40).collect();
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(&shown), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(MAX_INTEGER));
        number.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).into()
    }
}

impl ToSchema for Number {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_within_the_bound_of_json() {
        for (text, number) in [("0", Some(0)), ("007", Some(7)), ("9007199254740991", Some(MAX_INTEGER))] {
            assert_eq!(text.parse().ok(), number.map(Number), "{text}");
        }
        for text in ["", "+1", "-1", "1.0", "0x1", " 1", "1_0", "٣", "9007199254740992", "18446744073709551616"] {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text}");
        }
    }
}
