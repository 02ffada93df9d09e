//! Addresses: a public key as text with a checksum, so that a typing mistake is caught before money moves.

use crate::json::deserialize_from_text;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use std::fmt;
use std::str::FromStr;

/// The length of an address: `lab`, `1`, 53 characters of key, 6 of checksum.
const LENGTH: usize = 63;
const PREFIX: &str = "lab";

/// An address: bech32m with prefix `lab` over a compressed P-256 public key (docs/protocol.md §6, BIP 350).
///
/// # Invariants
/// 63 lower-case ASCII characters with a valid checksum and zero padding bits, for 33 bytes that begin with 02 or 03.
/// A [`crate::keys::Verifier`] checks that these bytes are a point of the curve, which takes arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^lab1[02-9ac-hj-np-z]{59}$")]
pub struct Address([u8; LENGTH]);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Wrong length.
    #[error("an address has {LENGTH} characters, this has {0}")]
    Length(usize),
    /// Upper case, which bech32 allows, but not in texts that are hashed.
    #[error("an address is written in lower case")]
    UpperCase,
    /// Another prefix than `lab1`.
    #[error("an address begins with lab1")]
    Prefix,
    /// A character is mistyped, missing or too many.
    #[error("the checksum does not match: is a character mistyped?")]
    Checksum,
    /// Not the 33 bytes of a compressed public key.
    #[error("not a compressed public key: expected 33 bytes that begin with 02 or 03, and zero padding")]
    NotAKey,
}

impl Address {
    /// The address of a compressed public key.
    ///
    /// # Errors
    /// [`BadAddress::NotAKey`] if the first byte is neither 02 nor 03.
    pub fn of_public_key(key: &[u8; 33]) -> Result<Self, BadAddress> {
        if !matches!(key[0], 2 | 3) {
            return Err(BadAddress::NotAKey);
        }
        let text = bech32::encode_lower::<Bech32m>(Hrp::parse_unchecked(PREFIX), key);
        let bytes = text.ok().and_then(|text| text.into_bytes().try_into().ok());
        bytes.map(Self).ok_or(BadAddress::NotAKey)
    }

    /// The compressed public key.
    pub fn public_key(&self) -> [u8; 33] {
        let mut key = [0; 33];
        if let Ok(parsed) = CheckedHrpstring::new::<Bech32m>(self.as_str()) {
            key.iter_mut().zip(parsed.byte_iter()).for_each(|(to, from)| *to = from);
        }
        key
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        // ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first characters and the last ones, for people: `lab1qw3a0…7943p`.
    pub fn short(&self) -> String {
        let text = self.as_str();
        format!("{}…{}", &text[..9], &text[LENGTH - 5..])
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.bytes().any(|c| c.is_ascii_uppercase()) {
            return Err(BadAddress::UpperCase);
        }
        if !text.starts_with("lab1") {
            return Err(BadAddress::Prefix);
        }
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| BadAddress::Length(text.chars().count()))?;
        let parsed = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| BadAddress::Checksum)?;
        // In bech32 the last 1 ends the prefix, which may contain others.
        if parsed.hrp().as_str() != PREFIX {
            return Err(BadAddress::Prefix);
        }
        // 53 characters are 265 bits: 33 bytes and one bit of padding.
        let padding = parsed.fe32_iter().last().map_or(1, |last| last.to_u8() & 1);
        let first = parsed.byte_iter().next();
        if padding == 0 && matches!(first, Some(2 | 3)) { Ok(Self(bytes)) } else { Err(BadAddress::NotAKey) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

deserialize_from_text!(Address, "an address, lab1…");
