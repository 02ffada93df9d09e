//! Strict JSON for consensus objects and requests (docs/protocol.md §1).
//!
//! serde's derive already refuses unknown, missing, null and repeated fields when asked to, and serde_json refuses
//! `-0`, `1.0`, NaN, byte order marks and lone surrogates. This module adds two rules: an object may not be written
//! as an array of its fields, and every JSON reader must represent an integer exactly.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// The largest integer that every JSON reader represents exactly: 2^53 - 1.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Reads an integer in `0 ..= 2^53 - 1`, for `#[serde(deserialize_with = …)]`.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if number > MAX_INTEGER {
        return Err(D::Error::custom(format_args!(
            "{number} is above 2^53 - 1, the largest integer that every JSON reader represents exactly"
        )));
    }
    Ok(number)
}

/// Reads a field that may be missing but not null, for `#[serde(default, deserialize_with = …)]`.
///
/// # Errors
/// Those of the value itself.
pub fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Shortens an error text for storage: parsers quote their input, which may be as long as a block.
pub(crate) fn shortened(mut reason: String) -> String {
    const MOST_CHARACTERS: usize = 300;
    if let Some((end, _)) = reason.char_indices().nth(MOST_CHARACTERS) {
        reason.replace_range(end.., "…");
    }
    reason
}

/// A deserializer that lets a struct be read from a JSON object only.
///
/// A derived `Deserialize` also accepts `["a", 1]` for `{"name": "a", "age": 1}`; a second spelling of the same object
/// is what consensus must not have. Wrap the deserializer before handing it to a derived implementation.
pub struct ObjectOnly<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Implements `Deserialize` for a type by reading the derived struct `$raw` from an object and converting it.
macro_rules! deserialize_strictly {
    ($type:ty, from $raw:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = <$raw>::deserialize($crate::json::ObjectOnly(deserializer))?;
                <$type>::try_from(raw).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use deserialize_strictly;

/// Implements `Serialize` as a JSON string of the ASCII bytes that `$digits` returns: much faster than `Display`.
macro_rules! serialize_as_ascii {
    ($type:ty, $digits:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let digits = self.$digits();
                serializer.serialize_str(std::str::from_utf8(&digits).map_err(serde::ser::Error::custom)?)
            }
        }
    };
}
pub(crate) use serialize_as_ascii;

/// Implements `Serialize` through `Display`, as a JSON string.
macro_rules! serialize_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}
pub(crate) use serialize_as_text;

/// Implements `Deserialize` through `FromStr`, from a JSON string.
macro_rules! deserialize_from_text {
    ($type:ty, $expected:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
pub(crate) use deserialize_from_text;
