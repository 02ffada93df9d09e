//! Bytes as text: `0x` and two lower-case hex digits a byte.

use crate::hex;
use crate::json::{deserialize_from_text, serialize_as_text};
use crate::program::Word;
use std::fmt;
use std::str::FromStr;

/// Bytes of any number, written as `0x` and two digits a byte.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^0x([0-9a-f]{2})*$")]
pub struct HexBytes(pub Vec<u8>);

/// The text is not `0x` and lower-case hex of the right length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct NotHex(&'static str);

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for HexBytes {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let bytes = text.strip_prefix("0x").and_then(hex::decode_any);
        bytes.map(Self).ok_or(NotHex("0x and lower-case hex, two digits a byte"))
    }
}

impl FromStr for Word {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let bytes = text.strip_prefix("0x").and_then(hex::decode);
        bytes.map(Self).ok_or(NotHex("0x and 64 lower-case hex digits"))
    }
}

serialize_as_text!(HexBytes);
serialize_as_text!(Word);
deserialize_from_text!(HexBytes, "0x and lower-case hex");
deserialize_from_text!(Word, "0x and 64 lower-case hex digits");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::AccountId;

    #[test]
    fn bytes_are_read_as_they_are_written() {
        for bytes in [vec![], vec![0], vec![0xab, 0xcd, 0xef]] {
            let text = HexBytes(bytes.clone()).to_string();
            assert_eq!(text.parse(), Ok(HexBytes(bytes)));
        }
        for wrong in ["", "ab", "0xa", "0xAB", "0Xab", "0x ab", "0xé"] {
            assert!(wrong.parse::<HexBytes>().is_err(), "{wrong:?}");
        }
        let account = AccountId([0x5a; 20]);
        assert_eq!(account.to_string().parse(), Ok(account));
        assert!("0x5a".parse::<AccountId>().is_err());
        assert_eq!(Word::from(7).to_string().parse(), Ok(Word::from(7)));
    }
}
