//! The number that a miner varies.

use crate::hex;
use crate::json::{deserialize_from_text, serialize_as_ascii};
use std::fmt;
use std::str::FromStr;

/// A nonce; its text is 16 lower-case hex digits (docs/protocol.md §3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "00000000000004d2")]
pub struct Nonce(pub u64);

/// The text is not a nonce.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 16 lower-case hex digits")]
pub struct NotANonce;

impl Nonce {
    /// The 16 ASCII hex digits.
    pub fn to_hex(self) -> [u8; 16] {
        let mut digits = [0; 16];
        hex::encode_into(&self.0.to_be_bytes(), &mut digits);
        digits
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_hex()).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Nonce {
    type Err = NotANonce;
    fn from_str(text: &str) -> Result<Self, NotANonce> {
        hex::decode(text).map(|bytes| Self(u64::from_be_bytes(bytes))).ok_or(NotANonce)
    }
}

serialize_as_ascii!(Nonce, to_hex);
deserialize_from_text!(Nonce, "16 lower-case hex digits");
