//! Addresses: a public key or a program as text with a checksum, so that a typing mistake is caught before money moves.

use super::AccountId;
use crate::json::deserialize_from_text;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::Fe32IterExt;
use bech32::{Bech32m, Fe32, Hrp};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The length of an address: `lab`, `1`, 53 characters of key, 6 of checksum.
const LENGTH: usize = 63;
const PREFIX: &str = "lab";
/// Where the characters that spell the bytes are.
const BYTES: Range<usize> = PREFIX.len() + 1..LENGTH - 6;

/// An address: bech32m with prefix `lab` over 33 bytes (docs/protocol.md §6 and 15, BIP 350).
///
/// A compressed P-256 public key begins with 02 or 03. On layer `program` there are also the address of a program, 13
/// zero bytes and the 20 bytes of its account, and nobody's, 33 zero bytes: the receiver of a deployment.
///
/// # Invariants
/// 63 lower-case ASCII characters with a valid checksum and zero padding bits, for 33 bytes of one of these forms.
/// A [`crate::keys::Verifier`] checks that a key is a point of the curve, which takes arithmetic.
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

/// What an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// A key, which can sign.
    Key,
    /// A program, or an account that no key is known for; only on layer `program`.
    Program(AccountId),
    /// Nobody: the receiver of a deployment; only on layer `program`.
    Nobody,
}

impl Address {
    /// The address of a compressed public key.
    ///
    /// # Errors
    /// [`BadAddress::NotAKey`] if the first byte is neither 02 nor 03.
    pub fn of_public_key(key: &[u8; 33]) -> Result<Self, BadAddress> {
        if matches!(key[0], 2 | 3) { Ok(Self::spell(key)) } else { Err(BadAddress::NotAKey) }
    }

    /// The address of a program.
    pub fn of_program(account: AccountId) -> Self {
        let mut bytes = [0; 33];
        bytes[13..].copy_from_slice(&account.0);
        Self::spell(&bytes)
    }

    /// Nobody's address: the receiver of a deployment.
    pub fn nobody() -> Self {
        Self::spell(&[0; 33])
    }

    fn spell(bytes: &[u8; 33]) -> Self {
        let text = bech32::encode_lower::<Bech32m>(Hrp::parse_unchecked(PREFIX), bytes);
        // 33 bytes always have 63 characters.
        Self(text.ok().and_then(|text| text.into_bytes().try_into().ok()).unwrap_or([b'q'; LENGTH]))
    }

    /// The 33 bytes that the text spells: for a key, the compressed public key.
    pub fn public_key(&self) -> [u8; 33] {
        let mut key = [0; 33];
        // All characters are bech32's, and the checksum was right when the text was read.
        let digits = self.0[BYTES].iter().map(|character| Fe32::from_char_unchecked(*character));
        key.iter_mut().zip(digits.fes_to_bytes()).for_each(|(to, from)| *to = from);
        key
    }

    /// Whether it is a key's.
    pub const fn is_key(&self) -> bool {
        // Its second character spells the last three bits of the first byte and two bits of the second. They are zero
        // for all addresses that are not keys, and never for a first byte of 02 or 03.
        self.0[5] != b'q'
    }

    /// Whether it is nobody's.
    pub fn is_nobody(&self) -> bool {
        // Each q spells five zero bits.
        self.0[BYTES].iter().all(|character| *character == b'q')
    }

    /// What it belongs to.
    pub fn kind(&self) -> AddressKind {
        if self.is_key() {
            AddressKind::Key
        } else if self.is_nobody() {
            AddressKind::Nobody
        } else {
            AddressKind::Program(self.account())
        }
    }

    /// The account by which programs know it: for a key, the last 20 bytes of the SHA-256 of the compressed key.
    pub fn account(&self) -> AccountId {
        let bytes = self.public_key();
        let mut account = AccountId::default();
        if self.is_key() {
            account.0.copy_from_slice(&Sha256::digest(bytes)[12..]);
        } else {
            account.0.copy_from_slice(&bytes[13..]);
        }
        account
    }

    /// Reads an address that must be a key's, for `#[serde(deserialize_with = …)]`.
    ///
    /// # Errors
    /// It is no address, or not a key's.
    pub(crate) fn deserialize_key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let address = Self::deserialize(deserializer)?;
        if address.is_key() { Ok(address) } else { Err(serde::de::Error::custom(BadAddress::NotAKey)) }
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
        let padding = Fe32::from_char_unchecked(bytes[BYTES.end - 1]).to_u8() & 1;
        let has_key = matches!(parsed.byte_iter().next(), Some(2 | 3));
        let has_program = || parsed.byte_iter().take(13).all(|byte| byte == 0);
        if padding == 0 && (has_key || has_program()) { Ok(Self(bytes)) } else { Err(BadAddress::NotAKey) }
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
