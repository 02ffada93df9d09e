//! The random part of a transaction, which makes two equal payments differ.

use crate::hex;
use crate::json::{deserialize_from_text, serialize_as_ascii};
use std::fmt;
use std::str::FromStr;

/// 128 bits, written as 32 lower-case hex digits (docs/protocol.md §7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
pub struct Uuid(pub [u8; 16]);

/// The text is not a uuid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hex digits")]
pub struct NotAUuid;

impl Uuid {
    /// The 32 ASCII hex digits.
    pub fn to_hex(&self) -> [u8; 32] {
        let mut digits = [0; 32];
        hex::encode_into(&self.0, &mut digits);
        digits
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_hex()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uuid({self})")
    }
}

impl FromStr for Uuid {
    type Err = NotAUuid;
    fn from_str(text: &str) -> Result<Self, NotAUuid> {
        hex::decode(text).map(Self).ok_or(NotAUuid)
    }
}

serialize_as_ascii!(Uuid, to_hex);
deserialize_from_text!(Uuid, "32 lower-case hex digits");
