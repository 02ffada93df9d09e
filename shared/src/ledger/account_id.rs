//! What programs name an account by.

use crate::hex;
use crate::json::{deserialize_from_text, serialize_as_text};
use std::fmt;
use std::str::FromStr;

/// What the machine names an account by: 20 bytes, whether a key or a program owns it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^0x[0-9a-f]{40}$")]
pub struct AccountId(pub [u8; 20]);

/// `0x` and 40 hex digits.
impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 40];
        hex::encode_into(&self.0, &mut digits);
        write!(f, "0x{}", String::from_utf8_lossy(&digits))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an [`AccountId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 0x and 40 lower-case hex digits")]
pub struct NotAnAccount;

impl FromStr for AccountId {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        text.strip_prefix("0x").and_then(hex::decode).map(Self).ok_or(NotAnAccount)
    }
}

serialize_as_text!(AccountId);
deserialize_from_text!(AccountId, "0x and 40 lower-case hex digits");
