//! Signatures as bytes and text; a `Verifier` decides whether one is valid.

use crate::hex;
use crate::json::{deserialize_from_text, serialize_as_ascii};
use std::fmt;
use std::str::FromStr;

/// An ECDSA signature: r and s as 32 bytes big-endian each (IEEE P1363), written as 128 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{128}$")]
pub struct Signature([u8; 64]);

/// The text is not a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 128 lower-case hex digits")]
pub struct NotASignature;

impl Signature {
    /// A signature from the bytes of r and s, valid or not.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// r and s.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The signature as DER, which `openssl dgst -verify` reads; `None` if r or s is 0 or not below the curve's order,
    /// so that no key can have made it.
    pub fn to_der(&self) -> Option<Vec<u8>> {
        let signature = ecdsa::Signature::<p256::NistP256>::from_slice(&self.0).ok()?;
        Some(signature.to_der().as_bytes().to_vec())
    }

    /// The 128 ASCII hex digits.
    pub fn to_hex(&self) -> [u8; 128] {
        let mut digits = [0; 128];
        hex::encode_into(&self.0, &mut digits);
        digits
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_hex()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = NotASignature;
    fn from_str(text: &str) -> Result<Self, NotASignature> {
        hex::decode(text).map(Self).ok_or(NotASignature)
    }
}

serialize_as_ascii!(Signature, to_hex);
deserialize_from_text!(Signature, "128 lower-case hex digits");
